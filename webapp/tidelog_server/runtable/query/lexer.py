"""A query cut into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from tidelog_server.runtable.query.errors import QueryError
from tidelog_server.runtable.query.tree import PLAIN_WORD, Op, Scope

LONGEST = 2_000

_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_OP = re.compile("|".join(map(re.escape, Op)))  # the longer ones are declared first
_SCOPED = re.compile(rf"({'|'.join(scope for scope in Scope if scope)})\.")


class Kind(Enum):
    OPEN = auto()
    CLOSE = auto()
    WORD = auto()
    OP = auto()
    VALUE = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query.

    quoted  the text stood in quotes
    scope   what stood before the dot of a key
    """

    kind: Kind
    text: str
    at: int
    quoted: bool = False
    scope: Scope = Scope.ANY


def tokens(text: str) -> list[Token]:
    """Return the tokens of a query; the last one is END. Raises QueryError."""
    if len(text) > LONGEST:
        raise QueryError(f"A filter has at most {LONGEST} characters.", LONGEST)
    return list(_cut(text))


def _cut(text: str) -> Iterator[Token]:
    at = _skip(text, 0)
    while at < len(text):
        token, at = _next(text, at)
        yield token
        at = _skip(text, at)
        if token.kind is Kind.OP:
            token, at = _value(text, at, token)
            yield token
            at = _skip(text, at)
    yield Token(Kind.END, "", at)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _next(text: str, at: int) -> tuple[Token, int]:
    if text[at] in "()":
        return Token(Kind.OPEN if text[at] == "(" else Kind.CLOSE, text[at], at), at + 1
    if operator := _OP.match(text, at):
        return Token(Kind.OP, operator[0], at), operator.end()
    if text[at] == "!":
        raise QueryError("Write `NOT` before what must not match, or `!=` to compare.", at)
    return _word(text, at)


def _word(text: str, at: int) -> tuple[Token, int]:
    begin, scope = at, Scope.ANY
    if scoped := _SCOPED.match(text, at):
        scope, at = Scope(scoped[1]), scoped.end()
    if at < len(text) and text[at] == '"':
        name, end = _quoted(text, at)
        return Token(Kind.WORD, name, begin, quoted=True, scope=scope), end
    word = PLAIN_WORD.match(text, at)
    if word is None:
        raise QueryError(f"A key must follow `{scope}.`.", at)
    return Token(Kind.WORD, word[0], begin, scope=scope), word.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    found = _QUOTED.match(text, at)
    if found is None:
        raise QueryError('A quote is opened and not closed; end it with `"`.', at)
    return _ESCAPED.sub(r"\1", found[1]), found.end()


def _value(text: str, at: int, operator: Token) -> tuple[Token, int]:
    if at < len(text) and text[at] == '"':
        value, end = _quoted(text, at)
        return Token(Kind.VALUE, value, at, quoted=True), end
    end = _end_of_value(text, at)
    value = text[at:end]
    if not value or value[0] in "<>=!~:":
        raise QueryError(f"A value must follow `{operator.text}`.", at)
    return Token(Kind.VALUE, value, at), end


def _end_of_value(text: str, at: int) -> int:
    """Return where a value without quotes ends; parentheses belong to it if they are in pairs."""
    depth = 0
    for end in range(at, len(text)):
        char = text[end]
        if char.isspace() or char == '"' or (char == ")" and not depth):
            return end
        depth += (char == "(") - (char == ")")
    return len(text)
