"""A query asked of a table: for each slot, whether the run matches."""

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from tidelog_server.runtable.columns import NUMBER, Dense
from tidelog_server.runtable.query import QueryError
from tidelog_server.runtable.query.tree import (
    And,
    Compare,
    Everything,
    Not,
    Op,
    Or,
    Query,
    Scope,
    Value,
    Word,
)
from tidelog_server.runtable.query.values import duration, number, stretch
from tidelog_server.runtable.table import DURATION, Table
from tidelog_server.runtable.texts import BadPattern, Mask, Texts

TAG = (Scope.RUN, "tag")
MOMENTS = frozenset({(Scope.RUN, name) for name in ("created", "started", "ended")})
SEARCHED = [(Scope.RUN, name) for name in ("name", "id", "tag", "notes", "author", "group")]
ORDERED: dict[Op, Callable[[Any, Any], Any]] = {
    Op.LESS: operator.lt,
    Op.AT_MOST: operator.le,
    Op.MORE: operator.gt,
    Op.AT_LEAST: operator.ge,
}
ANYTHING = "*"


class Evaluation:
    """One question to one table at one moment.

    now  seconds since the epoch: what `-7d` counts from, and how long a running run has run
    """

    def __init__(self, table: Table, *, now: float) -> None:
        self.table = table
        self.now = now

    def mask(self, query: Query) -> Mask:
        """Return for each slot whether its run matches. Raises QueryError."""
        match query:
            case Everything():
                return np.ones(self.table.size, np.bool_)
            case Word(text):
                return self._word(text)
            case Compare():
                return self._compare(query)
            case Not(inner):
                return ~self.mask(inner)
            case And(parts):
                return reduce(np.logical_and, map(self.mask, parts))
            case Or(parts):
                return reduce(np.logical_or, map(self.mask, parts))

    def _word(self, text: str) -> Mask:
        found = np.zeros(self.table.size, np.bool_)
        for name in SEARCHED:
            column = self.table.dense(name, self.now) if name in self.table.columns else None
            if column is not None:
                asked = _of_tags if name == TAG else _of_texts
                found |= column.where(asked(column.texts, lambda texts: texts.containing(text)))
        return found

    def _compare(self, asked: Compare) -> Mask:
        name = self.table.find(asked.key)
        check_comparable(asked, is_known=name is not None)
        column = self.table.dense(name, self.now)
        if column is None:
            return np.full(self.table.size, asked.op is Op.IS_NOT)
        if asked.value.text == ANYTHING and not asked.value.quoted and asked.op is Op.HAS:
            return column.kinds > 0
        if asked.op is Op.LIKE:
            return column.where(_like(column.texts, asked.value, tags=name == TAG))
        if name in MOMENTS:
            return self._at_time(column, asked.op, asked.value)
        if asked.op is Op.IS_NOT:
            return ~_is(column, asked.value, exact=True, tags=name == TAG, long=_is_long(name))
        if asked.op in ORDERED:
            return _ordered(column, asked, long=_is_long(name))
        exact = asked.op is Op.IS
        return _is(column, asked.value, exact=exact, tags=name == TAG, long=_is_long(name))

    def _at_time(self, column: Dense, op: Op, value: Value) -> Mask:
        between = stretch(value.text, self.now)
        if between is None:
            raise QueryError(
                f"`{value.text}` is no time; write 2026-11-01, 2026-11-01T12:30 or -7d.", value.at
            )
        begin, end = between
        at = column.numbers
        with np.errstate(invalid="ignore"):
            within: Mask = (at >= begin) & (at < end)
            answers: dict[Op, Mask] = {
                Op.LESS: at < begin,
                Op.AT_MOST: at < end,
                Op.MORE: at >= end,
                Op.AT_LEAST: at >= begin,
                Op.IS_NOT: ~within,
            }
        return answers.get(op, within)


def check_comparable(asked: Compare, *, is_known: bool) -> None:
    """Say what is wrong with a query that no run could match, ever. Raises QueryError."""
    if is_known or asked.op not in ORDERED:
        return
    value = asked.value
    understood = (number(value.text), duration(value.text), stretch(value.text, 0.0))
    if value.quoted or all(each is None for each in understood):
        raise QueryError(_no_number(asked), value.at)


def _is_long(name: tuple[Scope, str] | None) -> bool:
    return name == (Scope.RUN, DURATION)


def _no_number(asked: Compare) -> str:
    return f"`{asked.op}` compares numbers; {asked.value} is none."


def _numeric(value: Value, *, long: bool) -> float | None:
    if value.quoted:
        return None
    return duration(value.text) if long else number(value.text)


def _ordered(column: Dense, asked: Compare, *, long: bool) -> Mask:
    wanted = _numeric(asked.value, long=long)
    if wanted is None:
        raise QueryError(_no_number(asked), asked.value.at)
    found: Mask = ORDERED[asked.op](column.numbers, wanted)
    return found


def _is(column: Dense, value: Value, *, exact: bool, tags: bool, long: bool) -> Mask:
    """Whether the value is this number, or this text; not exactly: whether the text is in it."""
    ask = _exactly(value.text) if exact else _loosely(value.text, whole=tags)
    found = column.where((_of_tags if tags else _of_texts)(column.texts, ask))
    wanted = _numeric(value, long=long)
    if wanted is None:
        return found
    if np.isnan(wanted):
        found |= np.isnan(column.numbers) & (column.kinds == NUMBER)
    else:
        found |= column.numbers == wanted
    return found


def _exactly(text: str) -> Callable[[Texts], Mask]:
    def ask(texts: Texts) -> Mask:
        hit = np.zeros(len(texts), np.bool_)
        code = texts.find(text)
        if code >= 0:
            hit[code] = True
        return hit

    return ask


def _loosely(text: str, *, whole: bool) -> Callable[[Texts], Mask]:
    if not whole:
        return lambda texts: texts.containing(text)
    folded = text.casefold()
    return lambda texts: np.fromiter(
        (known.casefold() == folded for known in texts.values), np.bool_, len(texts)
    )


def _like(texts: Texts, value: Value, *, tags: bool) -> Mask:
    try:
        asked = _of_tags if tags else _of_texts
        return asked(texts, lambda known: known.matching(value.text))
    except BadPattern as error:
        raise QueryError(str(error), value.at) from error


def _of_texts(texts: Texts, ask: Callable[[Texts], Mask]) -> Mask:
    return ask(texts)


def _of_tags(texts: Texts, ask: Callable[[Texts], Mask]) -> Mask:
    """Ask each tag, and find the lists that have one of those that were hit."""
    lists = texts.lists()
    return lists.with_one_of(ask(lists.texts))
