"""Tokens read as a tree.

or   = and { OR and }
and  = not { [AND] not }
not  = NOT not | ( or ) | key op value | word
"""

from collections.abc import Callable
from itertools import pairwise

from tidelog_server.runtable.query.errors import QueryError
from tidelog_server.runtable.query.lexer import Kind, Token, tokens
from tidelog_server.runtable.query.tree import (
    CONNECTIVES,
    And,
    Compare,
    Everything,
    Key,
    Not,
    Op,
    Or,
    Query,
    SortBy,
    Value,
    Word,
)

DEEPEST = 40
MOST_TERMS = 64
MOST_SORTS = 8


def parse(text: str) -> Query:
    """Return the tree of a query. Raises QueryError, and nothing else."""
    parser = _Parser(tokens(text))
    if parser.token.kind is Kind.END:
        return Everything()
    tree = parser.either()
    if parser.token.kind is Kind.CLOSE:
        raise QueryError("This parenthesis closes nothing.", parser.token.at)
    return tree


def parse_key(text: str) -> Key:
    """Return the column that `text` names. Raises QueryError."""
    word, *rest = tokens(text)
    if word.kind is not Kind.WORD or rest[0].kind is not Kind.END:
        raise QueryError(f"`{text}` names no column; put quotes around an unusual name.", word.at)
    return Key(word.text, word.scope)


def parse_sort(text: str) -> list[SortBy]:
    """Return what `-summary.val/acc,name` sorts by, the first key first. Raises QueryError."""
    names = [name.strip() for name in _apart(text)]
    if len(names) > MOST_SORTS:
        raise QueryError(f"Sort by at most {MOST_SORTS} keys.")
    return [SortBy(parse_key(name.removeprefix("-")), name.startswith("-")) for name in names]


def _apart(text: str) -> list[str]:
    """Cut at the commas that stand outside of quotes."""
    if not text.strip():
        return []
    pieces = [""]
    within = escaped = False
    for char in text:
        if char == "," and not within:
            pieces.append("")
            continue
        pieces[-1] += char
        within ^= char == '"' and not escaped
        escaped = char == "\\" and not escaped
    return pieces


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._connectives = _connectives(found)
        self._at = 0
        self._depth = 0
        self._terms = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def either(self) -> Query:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Query:
        parts = [self._one()]
        while self._takes("and") or self._goes_on():
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Query:
        if self._takes("not"):
            return Not(self._deeper(self._one))
        if self.token.kind is Kind.OPEN:
            return self._group()
        return self._term()

    def _group(self) -> Query:
        opening = self._take()
        inner = self._deeper(self.either)
        if self.token.kind is not Kind.CLOSE:
            raise QueryError("This parenthesis is not closed.", opening.at)
        self._take()
        return inner

    def _deeper(self, read: Callable[[], Query]) -> Query:
        self._depth += 1
        if self._depth > DEEPEST:
            raise QueryError(f"A filter nests at most {DEEPEST} levels.", self.token.at)
        inner = read()
        self._depth -= 1
        return inner

    def _term(self) -> Query:
        word = self._take()
        if word.kind is not Kind.WORD or self._is_connective(word):
            raise QueryError(_expected(word), word.at)
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise QueryError(f"A filter has at most {MOST_TERMS} conditions.", word.at)
        if self.token.kind is not Kind.OP:
            return Word(f"{word.scope}.{word.text}" if word.scope else word.text)
        operator, value = self._take(), self._take()
        key = Key(word.text, word.scope)
        return Compare(key, Op(operator.text), Value(value.text, value.quoted, value.at))

    def _take(self) -> Token:
        taken = self.token
        self._at += taken.kind is not Kind.END
        return taken

    def _takes(self, connective: str) -> bool:
        if self._is_connective(self.token) and self.token.text.lower() == connective:
            self._take()
            return True
        return False

    def _goes_on(self) -> bool:
        if self.token.kind is Kind.OPEN or self.token.kind is Kind.OP:
            return True
        word = self.token.kind is Kind.WORD
        return word and not (self._is_connective(self.token) and self.token.text.lower() == "or")

    def _is_connective(self, word: Token) -> bool:
        return word.at in self._connectives


def _connectives(found: list[Token]) -> frozenset[int]:
    """Return where AND, OR and NOT stand; before an operator or with a scope it is a key."""
    return frozenset(
        word.at
        for word, after in pairwise(found)
        if word.kind is Kind.WORD
        and not word.quoted
        and not word.scope
        and word.text.lower() in CONNECTIVES
        and after.kind is not Kind.OP
    )


def _expected(found: Token) -> str:
    if found.kind is Kind.END:
        return "The filter ends where a condition must follow."
    if found.kind is Kind.CLOSE:
        return "A condition must stand before `)`."
    if found.kind is Kind.OP:
        return f"A key must stand before `{found.text}`."
    return f"A condition must stand beside `{found.text}`; in quotes it is a word to look for."
