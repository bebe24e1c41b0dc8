"""What the open pages of one place have been shown."""

from collections.abc import Iterable


class Shown:
    """Revisions of a project, as far as they were shown: all up to `known`, and some runs' later.

    A run's row is shown whole, so its latest revision stands for all earlier ones.
    """

    def __init__(self, known: int) -> None:
        self.known = known
        self._later: dict[str, int] = {}

    def saw(self, run: str, rev: int) -> None:
        if rev > self._later.get(run, self.known):
            self._later[run] = rev

    def lacks(self, run: str, rev: int) -> bool:
        return rev > self._later.get(run, self.known)

    def saw_all(self, rev: int) -> None:
        self.known = max(self.known, rev)
        self._later = dict(self._above(self._later.items()))

    def _above(self, seen: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int]]:
        return ((run, rev) for run, rev in seen if rev > self.known)
