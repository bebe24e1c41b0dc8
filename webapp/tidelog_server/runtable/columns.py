"""Columns of a run table: what each run has under one key, a number or a text or nothing.

A column holds only the runs that have the key (a project of 10,000 metrics is a sparse one), in
order of their slots. A question takes it whole, as long as the table.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from tidelog_server.runtable.texts import Codes, Mask, Texts

ABSENT, NUMBER, TEXT = 0, 1, 2

Slots = NDArray[np.int64]
Kinds = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Ranks = NDArray[np.int64]

_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Dense:
    """A column as long as the table.

    kinds    ABSENT, NUMBER or TEXT: a NaN that was logged is a NUMBER
    numbers  NaN where there is no number
    codes    into `texts`; 0, which means nothing, where there is no text
    """

    kinds: Kinds
    numbers: Numbers
    codes: Codes
    texts: Texts

    @property
    def is_text(self) -> Mask:
        found: Mask = self.kinds == TEXT
        return found

    def where(self, hit: Mask) -> Mask:
        """Return the runs whose text is one of those that were hit."""
        if not len(hit):
            return np.zeros(len(self.kinds), np.bool_)
        found: Mask = self.is_text & hit[self.codes]
        return found

    def values(self) -> list[Any]:
        """Return a Python value for each run: a float, a text, or None."""
        shown: list[Any] = self.numbers.tolist()
        for at in np.flatnonzero(self.kinds != NUMBER).tolist():
            shown[at] = self.texts.values[self.codes[at]] if self.kinds[at] == TEXT else None
        return shown

    def take(self, slots: Slots) -> "Dense":
        return Dense(self.kinds[slots], self.numbers[slots], self.codes[slots], self.texts)

    def ranks(self) -> tuple[Ranks, int]:
        """Return each run's place among all, and how many places there are.

        Numbers come first, then texts by the alphabet; who has neither (or NaN) is -1.
        """
        ranks = np.full(len(self.kinds), -1, np.int64)
        known = ~np.isnan(self.numbers)
        distinct, place = np.unique(self.numbers[known], return_inverse=True)
        ranks[known] = place
        texts = self.is_text
        if texts.any():
            ranks[texts] = len(distinct) + self.texts.ranks()[self.codes[texts]]
        return ranks, len(distinct) + len(self.texts)


class Column:
    """What runs have under a key.

    version  another one whenever something in it changed
    """

    def __init__(self) -> None:
        self.size = 0
        self.version = 0
        self.texts = Texts()
        self._slots: NDArray[np.int32] = np.empty(0, np.int32)
        self._kinds: Kinds = np.empty(0, np.uint8)
        self._numbers: Numbers | None = None
        self._codes: Codes | None = None
        self._ranks: tuple[tuple[int, int], tuple[Ranks, int]] | None = None
        self._counts: tuple[int, tuple[int, int]] | None = None

    @classmethod
    def of_parts(
        cls,
        texts: Texts,
        slots: NDArray[np.int32],
        kinds: Kinds,
        numbers: Numbers | None,
        codes: Codes | None,
    ) -> "Column":
        """Return the column that `parts()` took apart."""
        column = cls()
        column.size, column.texts = len(slots), texts
        column._slots, column._kinds, column._numbers, column._codes = slots, kinds, numbers, codes
        return column

    def parts(self) -> tuple[NDArray[np.int32], Kinds, Numbers | None, Codes | None]:
        """Return copies of slots, kinds, numbers (None: there are none) and codes (likewise)."""
        n = self.size
        numbers = None if self._numbers is None else self._numbers[:n].copy()
        codes = None if self._codes is None else self._codes[:n].copy()
        return self._slots[:n].copy(), self._kinds[:n].copy(), numbers, codes

    @property
    def nbytes(self) -> int:
        arrays = (self._slots, self._kinds, self._numbers, self._codes)
        held = sum(array.nbytes for array in arrays if array is not None)
        return held + self.texts.nbytes + (self._ranks[1][0].nbytes if self._ranks else 0)

    @property
    def count(self) -> int:
        """How many runs have the key."""
        return sum(self.counts())

    def counts(self) -> tuple[int, int]:
        """Return how many runs have a number and how many a text, remembered."""
        if self._counts is None or self._counts[0] != self.version:
            times = np.bincount(self._kinds[: self.size], minlength=3).tolist()
            self._counts = (self.version, (times[NUMBER], times[TEXT]))
        return self._counts[1]

    def put(self, slots: Slots, values: Sequence[Any]) -> None:
        """Give runs values. `slots` ascend; None takes a value away."""
        at = self._places(slots)
        kinds, numbers, codes = self._coded(values)
        before = self._taken(at)
        self._kinds[at] = kinds
        if self._numbers is None and np.any(kinds == NUMBER):
            self._numbers = np.full(len(self._slots), np.nan)
        if self._codes is None and np.any(kinds == TEXT):
            self._codes = np.zeros(len(self._slots), np.int32)
        if self._numbers is not None:
            self._numbers[at] = numbers
        if self._codes is not None:
            self._codes[at] = codes
        self.version += self._taken(at) != before
        self._forget_stale_texts()

    def drop(self, slots: Slots) -> None:
        """Take away what runs have, if they have it."""
        at = np.searchsorted(self._slots[: self.size], slots)
        at = at[at < self.size][self._slots[at[at < self.size]] == slots[at < self.size]]
        if np.any(self._kinds[at]):
            self.put(self._slots[at].astype(np.int64), [None] * len(at))

    def renumber(self, new: Slots) -> None:
        """Move every run to slot `new[slot]`; those with -1 are gone. The order stays."""
        slots, kinds, numbers, codes = self.parts()
        stay = new[slots] >= 0
        self._slots = new[slots[stay]].astype(np.int32)
        self._kinds = kinds[stay]
        self._numbers = None if numbers is None else numbers[stay]
        self._codes = None if codes is None else codes[stay]
        self.size = len(self._slots)
        self.version += 1

    def dense(self, n: int) -> Dense:
        """Return the column for a table of `n` slots."""
        numbers = np.full(n, np.nan) if self._numbers is None else self._spread(n, self._numbers)
        codes = np.zeros(n, np.int32) if self._codes is None else self._spread(n, self._codes)
        return Dense(self._spread(n, self._kinds), numbers, codes, self.texts)

    def ranks(self, n: int) -> tuple[Ranks, int]:
        """Return `Dense.ranks`, remembered until something changes."""
        if self._ranks is None or self._ranks[0] != (self.version, n):
            self._ranks = ((self.version, n), self.dense(n).ranks())
        return self._ranks[1]

    def _spread(self, n: int, values: NDArray[Any]) -> NDArray[Any]:
        if self.size == n:  # slots ascend below n, so this is every one of them
            return values[:n]
        fill = np.nan if values.dtype == np.float64 else 0
        spread = np.full(n, fill, values.dtype)
        spread[self._slots[: self.size]] = values[: self.size]
        return spread

    def _places(self, slots: Slots) -> Slots:
        """Return where `slots` are kept; makes room for those that are new."""
        at = np.searchsorted(self._slots[: self.size], slots)
        known = at < self.size
        known[known] = self._slots[at[known]] == slots[known]
        if known.all():
            return at
        self._make_room(at[~known], slots[~known])
        return np.searchsorted(self._slots[: self.size], slots)

    def _make_room(self, at: Slots, slots: Slots) -> None:
        end = self.size + len(slots)
        if at[0] == self.size:  # all behind the last one: the usual case
            self._grow(end)
            self._slots[self.size : end] = slots
        else:
            n = self.size
            self._slots = np.insert(self._slots[:n], at, slots.astype(np.int32))
            self._kinds = np.insert(self._kinds[:n], at, ABSENT)
            if self._numbers is not None:
                self._numbers = np.insert(self._numbers[:n], at, np.nan)
            if self._codes is not None:
                self._codes = np.insert(self._codes[:n], at, 0)
        self.size = end

    def _grow(self, needed: int) -> None:
        if needed <= len(self._slots):
            return
        room = max(needed, len(self._slots) * 3 // 2, 64)
        self._slots = _longer(self._slots, room, 0)
        self._kinds = _longer(self._kinds, room, ABSENT)
        if self._numbers is not None:
            self._numbers = _longer(self._numbers, room, np.nan)
        if self._codes is not None:
            self._codes = _longer(self._codes, room, 0)

    def _taken(self, at: Slots) -> tuple[bytes, bytes, bytes]:
        return (
            self._kinds[at].tobytes(),
            b"" if self._numbers is None else self._numbers[at].tobytes(),
            b"" if self._codes is None else self._codes[at].tobytes(),
        )

    def _coded(self, values: Sequence[Any]) -> tuple[Kinds, Numbers, Codes]:
        n = len(values)
        types = set(map(type, values))
        if types <= {int, float}:
            return np.full(n, NUMBER, np.uint8), np.array(values, np.float64), np.zeros(n, np.int32)
        coded = [self._code(value) for value in values]
        kinds, numbers, codes = zip(*coded, strict=True)
        return np.array(kinds, np.uint8), np.array(numbers, np.float64), np.array(codes, np.int32)

    def _code(self, value: Any) -> tuple[int, float, int]:
        if value is None:
            return ABSENT, math.nan, 0
        if type(value) in {int, float}:
            return NUMBER, float(value), 0
        if isinstance(value, str):
            special = _SPECIAL.get(value)
            if special is not None:
                return NUMBER, special, 0
            return TEXT, math.nan, self.texts.code(value)
        return TEXT, math.nan, self.texts.code(orjson.dumps(value).decode())

    def _forget_stale_texts(self) -> None:
        """Code anew when most texts belong to no run any more: a summary can be a changing text."""
        if self._codes is None or len(self.texts) <= 2 * self.size + 1_000:
            return
        texts = self._kinds[: self.size] == TEXT
        used, codes = np.unique(self._codes[: self.size][texts], return_inverse=True)
        self.texts = Texts(self.texts.values[code] for code in used.tolist())
        self._codes[: self.size][texts] = codes
        self._codes[: self.size][~texts] = 0
        self.version += 1


def _longer(array: NDArray[Any], room: int, fill: float) -> NDArray[Any]:
    longer = np.full(room, fill, array.dtype)
    longer[: len(array)] = array
    return longer
