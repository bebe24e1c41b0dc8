"""Points on their way in, as columns: zero-copy views of a batch's body, or gathered from records.

Every number is a float64. Steps and times are finite; values may be NaN or infinite.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tidelog.wire import batch
from tidelog.wire.batch import BatchError
from tidelog.wire.frames import FrameType
from tidelog.wire.runs import MAX_KEYS, is_key, number

Vector = npt.NDArray[np.float64]
Rejected = dict[str, Any]

MAX_MILLISECONDS = 1e15


@dataclass(frozen=True)
class Axis:
    """Where the points of keys that were logged together lie: steps, and seconds since the epoch.

    The order is the order of arrival.
    """

    steps: Vector
    times: Vector


@dataclass(frozen=True)
class SeriesColumn:
    """The values of one key.

    axis    index in `Columns.axes`
    values  as long as that axis
    """

    key: str
    axis: int
    values: Vector


@dataclass(frozen=True)
class Columns:
    """The points of one batch; no key comes twice.

    rejected  what was left out, as the ingest answer names it: {"seq" or "key", "code"}
    """

    axes: tuple[Axis, ...] = ()
    series: tuple[SeriesColumn, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @cached_property
    def n(self) -> int:
        """How many points these are."""
        return sum(len(column.values) for column in self.series)


def columns_from_body(body: bytes | memoryview) -> tuple[dict[str, Any], Columns]:
    """Return the header of a columnar batch, and its points as views of `body`.

    A key that breaks the rules is left out and named in `rejected`. Raises BatchError if the
    parts contradict each other or a step or time is not finite.
    """
    header, axes, values = batch.decode(body)
    if len(values) > MAX_KEYS:
        raise BatchError("too_many_keys", f"A batch holds at most {MAX_KEYS:,} keys.")
    _check_lengths(header)
    named = zip(header["series"], values, strict=True)
    columns = Columns(
        axes=tuple(Axis(_vector(steps), _vector(times)) for steps, times in axes),
        series=tuple(SeriesColumn(s["key"], s["axis"], _vector(v)) for s, v in named if s["n"]),
    )
    _check_axes(columns.axes)
    return header, _once_per_key(_without_bad_keys(columns))


def _vector(view: memoryview) -> Vector:
    return np.frombuffer(view, "<f8")


def _check_lengths(header: Mapping[str, Any]) -> None:
    records = header["to"] - header["from"]
    if any(n > records for n in header["axes"]):
        raise BatchError("bad_batch", "An axis is longer than the range of records.")


def _check_axes(axes: Iterable[Axis]) -> None:
    for axis in axes:
        if not np.isfinite(axis.steps).all():
            raise BatchError("bad_step", "A step is not a finite number.")
        if not np.isfinite(axis.times).all():
            raise BatchError("bad_time", "A time is not a finite number of seconds.")


def _without_bad_keys(columns: Columns) -> Columns:
    bad = [column.key for column in columns.series if not is_key(column.key)]
    if not bad:
        return columns
    return replace(
        columns,
        series=tuple(column for column in columns.series if is_key(column.key)),
        rejected=(*columns.rejected, *({"key": shown(key), "code": "bad_key"} for key in bad)),
    )


def shown(key: str) -> str:
    """Return a key that breaks the rules as an answer can carry it."""
    return key[:100].encode("utf-8", "backslashreplace").decode()


def _once_per_key(columns: Columns) -> Columns:
    """Join the columns of a key that came on several axes, in order of time."""
    counts = Counter(column.key for column in columns.series)
    if len(counts) == len(columns.series):
        return columns
    axes = list(columns.axes)
    series = [column for column in columns.series if counts[column.key] == 1]
    for key in (key for key, count in counts.items() if count > 1):
        parts = [column for column in columns.series if column.key == key]
        times = np.concatenate([columns.axes[part.axis].times for part in parts])
        steps = np.concatenate([columns.axes[part.axis].steps for part in parts])
        order = np.argsort(times, kind="stable")
        values = np.concatenate([part.values for part in parts])[order]
        series.append(SeriesColumn(key, len(axes), values))
        axes.append(Axis(steps[order], times[order]))
    return replace(columns, axes=tuple(axes), series=tuple(series))


def columns_from_records(records: Sequence[Sequence[Any]]) -> Columns:
    """Gather the points of plain [seq, type, payload] records, as JSON clients send them.

    Other types than METRICS and SYSTEM are passed over. A record with a bad step or time, a key
    or a value that breaks the rules is left out and named in `rejected`.
    """
    gathered = _Gathered()
    for seq, kind, payload in records:
        if kind in (FrameType.METRICS, FrameType.SYSTEM):
            gathered.take(seq, payload)
    return gathered.columns()


class _Gathered:
    """Rows (step, time) of records, and for each key the rows it has a value in."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.times: list[float] = []
        self.rows: dict[str, list[int]] = {}
        self.values: dict[str, list[float]] = {}
        self.rejected: list[Rejected] = []

    def take(self, seq: int, payload: Mapping[str, Any]) -> None:
        step, time = number(payload.get("s")), number(payload.get("t"))
        points = payload.get("d")
        if step is None or not math.isfinite(step):
            self.rejected.append({"seq": seq, "code": "bad_step"})
        elif time is None or not 0 <= time <= MAX_MILLISECONDS:
            self.rejected.append({"seq": seq, "code": "bad_time"})
        elif not isinstance(points, dict):
            self.rejected.append({"seq": seq, "code": "bad_record"})
        else:
            self.steps.append(step)
            self.times.append(time / 1000)
            self._take_points(seq, points)

    def _take_points(self, seq: int, points: Mapping[str, Any]) -> None:
        row = len(self.steps) - 1
        for key, given in points.items():
            value = number(given)
            if not is_key(key):
                self.rejected.append({"seq": seq, "key": shown(key), "code": "bad_key"})
            elif value is None:
                self.rejected.append({"seq": seq, "key": key, "code": "bad_value"})
            else:
                self.rows.setdefault(key, []).append(row)
                self.values.setdefault(key, []).append(value)

    def columns(self) -> Columns:
        """Keys that came in exactly the same records share an axis."""
        if len(self.rows) > MAX_KEYS:
            raise BatchError("too_many_keys", f"A batch holds at most {MAX_KEYS:,} keys.")
        steps, times = np.array(self.steps), np.array(self.times)
        axes: dict[tuple[int, ...], int] = {}
        series = [
            SeriesColumn(key, axes.setdefault(tuple(rows), len(axes)), np.array(self.values[key]))
            for key, rows in self.rows.items()
        ]
        return Columns(
            axes=tuple(Axis(steps[list(rows)], times[list(rows)]) for rows in axes),
            series=tuple(series),
            rejected=tuple(self.rejected),
        )
