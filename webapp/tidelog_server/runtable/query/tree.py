"""What a query says. `str()` of a tree is a query that parses to the same tree."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

# What stands without quotes, as a word or as a value.
PLAIN_WORD = re.compile(r"[^\s()<>=!~:\"]+")
PLAIN_VALUE = re.compile(r"[^\s()<>=!~:\"][^\s()\"]*")
CONNECTIVES = frozenset({"and", "or", "not"})


class Scope(StrEnum):
    """Where a key lies: `config.lr`, `summary.loss`, `run.name`; a bare key is looked for."""

    ANY = ""
    SUMMARY = "summary"
    CONFIG = "config"
    RUN = "run"


class Op(StrEnum):
    AT_MOST = "<="
    AT_LEAST = ">="
    IS_NOT = "!="
    LESS = "<"
    MORE = ">"
    IS = "="
    HAS = ":"
    LIKE = "~"


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a column."""

    name: str
    scope: Scope = Scope.ANY

    def __str__(self) -> str:
        if self.scope:
            plain = bool(PLAIN_WORD.fullmatch(self.name))
        else:
            plain = _is_plain(self.name) and not self.name.startswith("-")
        # A comma is for lists of keys.
        name = self.name if plain and "," not in self.name else quoted(self.name)
        return f"{self.scope}.{name}" if self.scope else name


@dataclass(frozen=True, slots=True)
class Value:
    """What a key is compared with. In quotes it is a text and nothing else.

    at  where in the query it begins
    """

    text: str
    quoted: bool = False
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return quoted(self.text) if self.quoted else self.text


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty query."""

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Word:
    """A text that is looked for in names, ids, tags, notes, authors and groups."""

    text: str

    def __str__(self) -> str:
        plain = _is_plain(self.text) and self.text.lower() not in CONNECTIVES
        return self.text if plain else quoted(self.text)


@dataclass(frozen=True, slots=True)
class Compare:
    key: Key
    op: Op
    value: Value

    def __str__(self) -> str:
        return f"{self.key}{self.op}{self.value}"


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Query"

    def __str__(self) -> str:
        return f"NOT {_inside(self.inner)}"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Query", ...]

    def __str__(self) -> str:
        return " ".join(map(_inside, self.parts))


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Query", ...]

    def __str__(self) -> str:
        return " OR ".join(map(_inside, self.parts))


Query = Everything | Word | Compare | Not | And | Or


@dataclass(frozen=True, slots=True)
class SortBy:
    """A key to sort by; runs without it come last, either way."""

    key: Key
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.key}"


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _inside(part: Query) -> str:
    return f"({part})" if isinstance(part, And | Or) else str(part)


def _is_plain(name: str) -> bool:
    """Whether a word can stand without quotes, and without being taken for a scope and a key."""
    scope, dot, _ = name.partition(".")
    return bool(PLAIN_WORD.fullmatch(name)) and not (dot and scope and scope in set(Scope))
