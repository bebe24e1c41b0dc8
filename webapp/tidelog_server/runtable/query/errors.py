class QueryError(Exception):
    """What is wrong with a query, in a sentence, and at which character it begins."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
