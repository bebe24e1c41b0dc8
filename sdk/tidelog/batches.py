"""From frames to a batch: columns of the points, the other records as they are."""

from __future__ import annotations

import json
from array import array
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidelog.packing import Point, Unpacker, Unreadable, little_endian
from tidelog.reader import Gap
from tidelog.wire import batch
from tidelog.wire.frames import Frame, FrameType

POINTS = {FrameType.METRICS, FrameType.SYSTEM}
ROOM = batch.MAX_BODY - 64 * 1024


@dataclass(slots=True)
class _Axis:
    steps: array[float] = field(default_factory=lambda: array("d"))
    times: array[float] = field(default_factory=lambda: array("d"))
    values: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Batch:
    """A body ready to be sent.

    start, end  the sequence numbers [start, end) that it settles
    count       how many records and gaps it holds
    finished    whether the stream's FINISH is in it
    """

    start: int
    end: int
    count: int
    finished: bool
    body: bytes


class BatchBuilder:
    """Gathers consecutive records until the batch is full.

    unpacker  reads this stream's points
    layouts   finds a layout that the unpacker has not met, by its number, if it can be found
    refused   {seq: why} of records that the server will not have: they become gaps
    """

    def __init__(  # noqa: D107
        self,
        start: int,
        *,
        unpacker: Unpacker,
        layouts: Callable[[object], None],
        refused: Mapping[int, str],
        limit: int = batch.MAX_RECORDS,
    ) -> None:
        self.start = start
        self.end = start
        self.count = 0
        self.damaged = 0
        self.finished = False
        self._limit = limit
        self._unpacker = unpacker
        self._find_layouts = layouts
        self._refused = refused
        self._size = 0
        self._axes: dict[tuple[str, ...], _Axis] = {}
        self._records: list[list[Any]] = []
        self._gaps: list[list[Any]] = []

    def add(self, item: Frame | Gap) -> bool:
        """Take the next record or gap; False if it does not fit any more."""
        if self.count >= self._limit:
            return False
        if isinstance(item, Gap):
            self._gaps.append([item.start, item.end, item.why])
            return self._taken(item.end, 64)
        if item.seq in self._refused:
            self._gaps.append([item.seq, item.seq + 1, self._refused[item.seq]])
            return self._taken(item.seq + 1, 64)
        return self._add_points(item) if item.type in POINTS else self._add_record(item)

    def _taken(self, end: int, size: int) -> bool:
        self.end = end
        self.count += 1
        self._size += size
        return True

    def _fits(self, size: int) -> bool:
        return not self.count or self._size + size <= ROOM

    def _add_record(self, frame: Frame) -> bool:
        if not self._fits(len(frame.payload) + 32):
            return False
        self._records.append([frame.seq, frame.type, _payload(frame.payload)])
        self.finished = self.finished or frame.type == FrameType.FINISH
        return self._taken(frame.seq + 1, len(frame.payload) + 32)

    def _add_points(self, frame: Frame) -> bool:
        point = self._read(frame)
        if point is None:
            self.damaged += 1
            return self.add(Gap(frame.seq, frame.seq + 1, "corrupt"))
        size = 16 + len(point.values)
        if point.keys not in self._axes:
            size += sum(len(json.dumps(key)) + 32 for key in point.keys)
        if not self._fits(size):
            return False
        axis = self._axes.setdefault(point.keys, _Axis())
        axis.steps.append(point.step)
        axis.times.append(point.time)
        axis.values += point.values
        return self._taken(frame.seq + 1, size)

    def _read(self, frame: Frame) -> Point | None:
        try:
            return self._unpacker.read(frame.payload)
        except KeyError as missing:
            self._find_layouts(missing.args[0])
        except Unreadable:
            return None
        try:
            return self._unpacker.read(frame.payload)
        except (KeyError, Unreadable):
            return None

    def build(self, extra: Mapping[str, Any]) -> Batch:
        """Return the body; `extra` goes into its header."""
        axes: list[int] = []
        series: list[dict[str, Any]] = []
        ends: list[tuple[bytes, bytes]] = []
        columns: list[bytes] = []
        for keys, axis in self._axes.items():
            count = len(axis.steps)
            series += [{"key": key, "axis": len(axes), "n": count} for key in keys]
            columns += _columns(axis.values, len(keys))
            axes.append(count)
            ends.append((little_endian(axis.steps), little_endian(axis.times)))
        header = {
            "v": batch.VERSION,
            "from": self.start,
            "to": self.end,
            "axes": axes,
            "series": series,
            "records": self._records,
            "gaps": self._gaps,
            **extra,
        }
        body = batch.encode(header, ends, columns)
        return Batch(self.start, self.end, self.count, self.finished, body)


def _columns(rows: bytearray, width: int) -> Sequence[bytes]:
    """Turn rows of little-endian float64 into columns. Only whole items move: no byte order."""
    items = array("Q")
    items.frombytes(rows)
    return [items[i::width].tobytes() for i in range(width)]


def _payload(payload: bytes) -> dict[str, Any]:
    """Return a record's JSON object; a payload that is none travels as base64."""
    try:
        content = batch.loads(payload)
    except batch.BatchError:
        content = None
    return content if isinstance(content, dict) else {"base64": b64encode(payload).decode()}
