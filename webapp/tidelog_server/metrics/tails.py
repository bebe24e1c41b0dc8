"""A batch as it waits for compaction: the wire's columns behind a header of numbers, no JSON.

    "TLB1" | u32 axes | u32 series | u32 0
    i64 number[series] | i64 ordinal[series] | i64 length[axes] | i64 axis[series]
    float64: steps and times of each axis, then the values of each series

number    of the key, see `models.number_of`
ordinal   how many points the series held before: it puts points in order of arrival, whatever
          stream they came by, because appends to a series wait for each other
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics.columns import Columns, Vector
from tidelog_server.metrics.values import Points

Integers = npt.NDArray[np.int64]

_HEAD = struct.Struct("<4sIII")
_MAGIC = b"TLB1"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Points of one series in order of arrival; `ordinal` is the place of the first."""

    number: int
    ordinal: int
    points: Points


def pack(columns: Columns, numbers: Sequence[int], ordinals: Sequence[int]) -> bytes:
    """Return the payload of a batch whose series have these numbers and ordinals."""
    lengths = [len(axis.steps) for axis in columns.axes]
    axes = [column.axis for column in columns.series]
    head = np.array([*numbers, *ordinals, *lengths, *axes], "<i8")
    parts = [_HEAD.pack(_MAGIC, len(lengths), len(axes), 0), head.tobytes()]
    for axis in columns.axes:
        parts += (axis.steps.tobytes(), axis.times.tobytes())
    parts += (column.values.tobytes() for column in columns.series)
    return b"".join(parts)


class Tail:
    """A batch's payload, read in place."""

    def __init__(self, payload: bytes | memoryview) -> None:
        magic, axes, series, _ = _HEAD.unpack_from(payload)
        if magic != _MAGIC:
            raise ValueError("a batch was stored in a format that this version does not know")
        head = np.frombuffer(payload, "<i8", 3 * series + axes, _HEAD.size)
        self.numbers, self.ordinals = head[:series], head[series : 2 * series]
        self._lengths, self._axes = head[2 * series : 2 * series + axes], head[2 * series + axes :]
        self._data: Vector = np.frombuffer(payload, "<f8", offset=_HEAD.size + head.nbytes)
        self._axis_at = np.concatenate([[0], np.cumsum(2 * self._lengths)])
        values = self._axis_at[-1] + np.cumsum(self._lengths[self._axes])
        self._values_at = values - self._lengths[self._axes]

    def of(self, number: int) -> Iterator[Arrival]:
        """Yield what the batch holds of one series."""
        for position in np.flatnonzero(self.numbers == number):
            yield self._arrival(int(position))

    def __iter__(self) -> Iterator[Arrival]:
        return map(self._arrival, range(len(self.numbers)))

    def _arrival(self, position: int) -> Arrival:
        axis = self._axes[position]
        length = int(self._lengths[axis])
        steps, values = int(self._axis_at[axis]), int(self._values_at[position])
        points = Points(
            self._data[steps : steps + length],
            self._data[steps + length : steps + 2 * length],
            self._data[values : values + length],
        )
        return Arrival(int(self.numbers[position]), int(self.ordinals[position]), points)


def in_order(arrivals: Sequence[Arrival]) -> Points:
    """Return points of one series sorted by step, in order of arrival among equal steps."""
    parts = [a.points for a in sorted(arrivals, key=lambda a: a.ordinal)]
    return sort(joined(parts))


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
