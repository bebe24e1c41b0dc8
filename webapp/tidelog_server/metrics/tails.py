"""A batch as it waits for compaction: the wire's columns behind a header of numbers, no JSON.

    "TLB1" | u32 series | i64 number[series] | (i64 ordinal, n, steps, values)[series]
    float64: steps and times of each axis, then the values of each series

number         of the key, see `models.number_of`
ordinal        how many points the series held before: it puts points in order of arrival, from
               whatever stream they came, because appends to a series wait for each other
n              how many points these are
steps, values  where they begin, in bytes from the first float; the times follow the steps
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from tidelog_server.metrics.columns import Columns, Vector
from tidelog_server.metrics.values import Points

_HEAD = struct.Struct("<4sI")
_NUMBER = struct.Struct("<q")
_PLACE = struct.Struct("<qqqq")
_MAGIC = b"TLB1"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Points of one series in order of arrival; `ordinal` is the place of the first."""

    number: int
    ordinal: int
    points: Points


def pack(columns: Columns, numbers: Sequence[int], ordinals: Sequence[int]) -> bytes:
    """Return the payload of a batch whose series have these numbers and ordinals."""
    axes = list(accumulate((16 * len(axis.steps) for axis in columns.axes), initial=0))
    values = list(accumulate((8 * len(c.values) for c in columns.series), initial=axes[-1]))
    places = [
        _PLACE.pack(ordinal, len(column.values), axes[column.axis], at)
        for ordinal, column, at in zip(ordinals, columns.series, values, strict=False)
    ]
    parts = [_HEAD.pack(_MAGIC, len(numbers)), struct.pack(f"<{len(numbers)}q", *numbers), *places]
    for axis in columns.axes:
        parts += (axis.steps.tobytes(), axis.times.tobytes())
    parts += (column.values.tobytes() for column in columns.series)
    return b"".join(parts)


class Tail:
    """A batch's payload, read in place."""

    def __init__(self, payload: bytes | memoryview) -> None:
        self._payload = bytes(payload)
        magic, self._series = _HEAD.unpack_from(self._payload)
        if magic != _MAGIC:
            raise ValueError("a batch was stored in a format that this version does not know")
        self._places = _HEAD.size + _NUMBER.size * self._series
        self._data = self._places + _PLACE.size * self._series

    def of(self, number: int) -> Iterator[Arrival]:
        """Yield what the batch holds of one series."""
        # A chart looks for one series in hundreds of batches, and bytes are searched fastest.
        wanted = _NUMBER.pack(number)
        found = self._payload.find(wanted, _HEAD.size, self._places)
        while found >= 0:
            if (found - _HEAD.size) % _NUMBER.size == 0:
                yield self._arrival((found - _HEAD.size) // _NUMBER.size)
                return
            found = self._payload.find(wanted, found + 1, self._places)

    def __iter__(self) -> Iterator[Arrival]:
        return map(self._arrival, range(self._series))

    def _arrival(self, index: int) -> Arrival:
        (number,) = _NUMBER.unpack_from(self._payload, _HEAD.size + _NUMBER.size * index)
        place = _PLACE.unpack_from(self._payload, self._places + _PLACE.size * index)
        ordinal, n, steps, values = place
        points = Points(
            self._column(steps, n), self._column(steps + 8 * n, n), self._column(values, n)
        )
        return Arrival(number, ordinal, points)

    def _column(self, start: int, n: int) -> Vector:
        return np.frombuffer(self._payload, "<f8", n, self._data + start)


def in_order(arrivals: Sequence[Arrival], *, since: int) -> Points:
    """Return points of one series sorted by step, in order of arrival among equal steps.

    since  how many points lie in chunks already: the first ones to arrive
    """
    fresh = sorted((a for a in arrivals if a.ordinal >= since), key=lambda a: a.ordinal)
    return sort(joined([arrival.points for arrival in fresh]))


def joined(parts: Sequence[Points]) -> Points:
    """Return the points of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Points(np.empty(0), np.empty(0), np.empty(0))
    return Points(
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def sort(points: Points) -> Points:
    """Return the points sorted by step; those that are equal keep their order."""
    if (points.steps[1:] >= points.steps[:-1]).all():
        return points
    return points[np.argsort(points.steps, kind="stable")]
