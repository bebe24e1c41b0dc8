"""The runs of one project in memory, as of a revision."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidelog_server.runtable.columns import Column, Dense, Slots
from tidelog_server.runtable.query.tree import Key, Scope
from tidelog_server.runtable.texts import Mask

# A bare key is looked for in this order.
SCOPES = (Scope.SUMMARY, Scope.CONFIG, Scope.RUN)
# What other systems call them.
ALIASES = {"tags": "tag", "created_at": "created", "started_at": "started", "ended_at": "ended"}
DURATION = "duration"
MOST_DEAD = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """A run's row at a revision; without fields it was deleted.

    fields  {scope: {name: value}}
    """

    pk: bytes
    rev: int
    fields: Mapping[Scope, Mapping[str, Any]] | None


@dataclass(slots=True)
class Table:
    """Columns by key, a slot for each run, and the revision that they are true at.

    Slots are given in order of arrival. A deleted run leaves its slot dead, until there are so
    many of them that the table closes ranks.
    """

    rev: int = -1
    size: int = 0
    pks: list[bytes] = field(default_factory=list)
    revs: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    alive: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    columns: dict[tuple[Scope, str], Column] = field(default_factory=dict)
    _index: dict[bytes, int] = field(default_factory=dict)
    _order: Slots | None = None

    @classmethod
    def of_parts(
        cls,
        rev: int,
        pks: list[bytes],
        revs: NDArray[np.int64],
        columns: dict[tuple[Scope, str], Column],
    ) -> "Table":
        """Return a table whose runs are all alive."""
        table = cls(rev, len(pks), pks, revs, np.ones(len(pks), np.bool_), columns)
        table._index = {pk: slot for slot, pk in enumerate(pks)}
        return table

    @property
    def nbytes(self) -> int:
        return sum(c.nbytes for c in self.columns.values()) + self.size * 250

    def apply(self, changes: Sequence[Change]) -> None:
        """Take in rows that are newer than the table, in order of revision."""
        fresh = [change for change in changes if change.rev > self.rev]
        if not fresh:
            return
        # Of a row that came twice, the later one counts.
        last = {change.pk: change for change in fresh}
        self._bury([c.pk for c in last.values() if c.fields is None and c.pk in self._index])
        self._write([c for c in last.values() if c.fields is not None])
        self.rev = fresh[-1].rev

    def order(self) -> Slots:
        """Return the slots of the runs there are, the highest number first."""
        if self._order is None:
            slots = np.flatnonzero(self.alive[: self.size])
            if len(slots):
                numbers = self.columns[Scope.RUN, "number"].dense(self.size).numbers[slots]
                slots = slots[np.argsort(-numbers, kind="stable")]
            self._order = slots
        return self._order

    def find(self, key: Key) -> tuple[Scope, str] | None:
        """Return the column that a key means, if any run has it."""
        return next(filter(self._has, _meant(key)), None)

    def dense(self, column: tuple[Scope, str] | None, now: float) -> Dense | None:
        """Return a column, as long as the table."""
        if column is None:
            return None
        if column == (Scope.RUN, DURATION):
            return self._durations(now)
        return self.columns[column].dense(self.size)

    def _has(self, name: tuple[Scope, str]) -> bool:
        column = self.columns.get(name)
        return column is not None and (name[0] is Scope.RUN or column.count > 0)

    def _durations(self, now: float) -> Dense:
        """How long each run has trained: a running one trains until now."""
        ended = self.columns[Scope.RUN, "ended"].dense(self.size).numbers
        started = self.columns[Scope.RUN, "started"].dense(self.size).numbers
        created = self.columns[Scope.RUN, "created"].dense(self.size)
        begin = np.where(np.isnan(started), created.numbers, started)
        seconds = np.maximum(0.0, np.where(np.isnan(ended), now, ended) - begin)
        return Dense(created.kinds, seconds, created.codes, created.texts)

    def _bury(self, pks: Sequence[bytes]) -> None:
        if not pks:
            return
        slots = np.sort([self._index.pop(pk) for pk in pks])
        self.alive[slots] = False
        for column in self.columns.values():
            column.drop(slots)
        self._order = None
        if self.size - len(self._index) > max(MOST_DEAD, self.size // 4):
            self._close_ranks()

    def _close_ranks(self) -> None:
        alive = self.alive[: self.size]
        new = np.where(alive, np.cumsum(alive) - 1, -1)
        for column in self.columns.values():
            column.renumber(new)
        self.revs = self.revs[: self.size][alive]
        self.pks = [pk for pk, lives in zip(self.pks, alive.tolist(), strict=True) if lives]
        self.size = len(self.pks)
        self.alive = np.ones(self.size, np.bool_)
        self._index = {pk: slot for slot, pk in enumerate(self.pks)}

    def _write(self, rows: Sequence[Change]) -> None:
        if not rows:
            return
        before = self.size
        placed = sorted((self._slot(row.pk), row) for row in rows)
        slots = np.array([slot for slot, _ in placed], np.int64)
        self._reserve()
        self.alive[slots] = True
        self.revs[slots] = [row.rev for _, row in placed]
        changed = slots[slots < before]
        if self.size > before:
            self._order = None
        written = self._put(placed)
        for column_key, column in self.columns.items() if len(changed) else ():
            left = np.setdiff1d(changed, written.get(column_key, ()), assume_unique=True)
            if len(left):
                column.drop(left)

    def _put(self, placed: Sequence[tuple[int, Change]]) -> dict[tuple[Scope, str], list[int]]:
        """Write the fields of rows by column; returns the slots that were written of each."""
        written: dict[tuple[Scope, str], list[int]] = {}
        for scope, name, slots, values in _by_column(placed):
            column = self.columns.get((scope, name))
            if column is None:
                column = self.columns[scope, name] = Column()
            column.put(np.array(slots, np.int64), values)
            written[scope, name] = slots
        return written

    def _slot(self, pk: bytes) -> int:
        slot = self._index.get(pk)
        if slot is None:
            slot = self._index[pk] = self.size
            self.pks.append(pk)
            self.size += 1
        return slot

    def _reserve(self) -> None:
        if self.size > len(self.alive):
            more = max(self.size * 3 // 2, 64) - len(self.alive)
            self.alive = np.concatenate([self.alive, np.zeros(more, np.bool_)])
            self.revs = np.concatenate([self.revs, np.zeros(more, np.int64)])


def _meant(key: Key) -> Iterator[tuple[Scope, str]]:
    """Yield the columns that a key can mean, the likeliest first; `a.b` also finds `a/b`."""
    for scope in [key.scope] if key.scope else SCOPES:
        yield scope, ALIASES.get(key.name, key.name) if scope is Scope.RUN else key.name
        if "." in key.name and scope is not Scope.RUN:
            yield scope, key.name.replace(".", "/")


def _by_column(
    placed: Sequence[tuple[int, Change]],
) -> Iterator[tuple[Scope, str, list[int], list[Any]]]:
    for scope in SCOPES:
        found: dict[str, tuple[list[int], list[Any]]] = {}
        for slot, row in placed:
            for name, value in (row.fields or {}).get(scope, {}).items():
                known = found.get(name)
                if known is None:
                    known = found[name] = ([], [])
                known[0].append(slot)
                known[1].append(value)
        for name, (slots, values) in found.items():
            yield scope, name, slots, values
