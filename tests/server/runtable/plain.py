"""The run table in plain Python, one row at a time: slow, short, and what columns must equal."""

import json
import math
import operator
import re
from functools import cmp_to_key

from tidelog_server.runtable.query.tree import (
    And,
    Compare,
    Everything,
    Not,
    Op,
    Or,
    Scope,
    Word,
)
from tidelog_server.runtable.query.values import duration, number, stretch

MOMENTS = {"created", "started", "ended"}
SEARCHED = ("name", "id", "notes", "author", "group")
SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
ORDERED = {
    Op.LESS: operator.lt,
    Op.AT_MOST: operator.le,
    Op.MORE: operator.gt,
    Op.AT_LEAST: operator.ge,
}


class Plain:
    """Rows as {scope: {name: value}}; `run` holds number, tags as a list, times in seconds."""

    def __init__(self, rows, *, now):
        self.rows = rows
        self.now = now

    def select(self, tree, by=()):
        found = [row for row in self.rows if self.matches(tree, row)]
        found.sort(key=lambda row: -row[Scope.RUN]["number"])
        for sort in reversed(by):
            place = self.find(sort.key)
            found.sort(key=cmp_to_key(lambda a, b, p=place, s=sort: self._order(p, s, a, b)))
        return found

    def find(self, key):
        if key.name == "duration" and key.scope in (Scope.ANY, Scope.RUN):
            return (Scope.RUN, "duration") if self.rows else None
        scopes = [key.scope] if key.scope else [Scope.SUMMARY, Scope.CONFIG, Scope.RUN]
        for scope in scopes:
            if any(row[scope].get(key.name) is not None for row in self.rows):
                return scope, key.name
        return None

    def value(self, place, row):
        if place is None:
            return None
        if place == (Scope.RUN, "duration"):
            run = row[Scope.RUN]
            begin = run["started"] if run["started"] is not None else run["created"]
            return max(0.0, (self.now if run["ended"] is None else run["ended"]) - begin)
        value = row[place[0]].get(place[1])
        if isinstance(value, str):
            return SPECIAL.get(value, value)
        if isinstance(value, bool) or (isinstance(value, dict | list) and place[1] != "tag"):
            return json.dumps(value, separators=(",", ":"))
        return value

    def matches(self, tree, row):
        match tree:
            case Everything():
                return True
            case Word(text):
                run = row[Scope.RUN]
                return any(has(text, run.get(key) or "") for key in SEARCHED) or any(
                    has(text, tag) for tag in run["tag"]
                )
            case Not(inner):
                return not self.matches(inner, row)
            case And(parts):
                return all(self.matches(part, row) for part in parts)
            case Or(parts):
                return any(self.matches(part, row) for part in parts)
            case Compare(key, op, value):
                place = self.find(key)
                return self._compare(place, op, value, self.value(place, row))
        raise AssertionError(tree)

    def _compare(self, place, op, asked, value):
        name = place[1] if place and place[0] is Scope.RUN else ""
        if op is Op.HAS and asked.text == "*" and not asked.quoted:
            return value is not None
        if op is Op.IS_NOT:
            return not self._compare(place, Op.IS, asked, value)
        if value is None:
            return False
        if name in MOMENTS:
            return self._at_time(op, asked, value)
        if isinstance(value, str | list):
            return of_texts(op, asked.text, value)
        return op is not Op.LIKE and of_number(op, asked, value, long=name == "duration")

    def _at_time(self, op, asked, value):
        begin, end = stretch(asked.text, self.now)
        answers = {
            Op.LESS: value < begin,
            Op.AT_MOST: value < end,
            Op.MORE: value >= end,
            Op.AT_LEAST: value >= begin,
        }
        return answers.get(op, begin <= value < end)

    def _order(self, place, sort, a, b):
        one, two = (sortable(self.value(place, row)) for row in (a, b))
        if one is None or two is None:
            return (one is None) - (two is None)
        sign = -1 if sort.descending else 1
        return sign * ((one > two) - (one < two))


def of_texts(op, asked, value):
    texts = value if isinstance(value, list) else [value]
    if op is Op.LIKE:
        return any(re.search(asked, text, re.IGNORECASE) for text in texts)
    if op is Op.IS:
        return asked in texts
    if isinstance(value, list):
        texts = [text for text in texts if len(text) == len(asked)]
    return op is Op.HAS and any(has(asked, text) for text in texts)


def of_number(op, asked, value, *, long):
    wanted = None if asked.quoted else duration(asked.text) if long else number(asked.text)
    if wanted is None:
        return False
    if op in ORDERED:
        return ORDERED[op](value, wanted)
    return value == wanted or (math.isnan(value) and math.isnan(wanted))


def has(part, text):
    return part.casefold() in text.casefold()


def sortable(value):
    """Numbers before texts, texts by the alphabet; None: it comes last, either way."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, list):
        value = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, str):
        return (1, value.casefold(), value)
    return (0, float(value), "")
