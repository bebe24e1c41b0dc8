"""The reading side of the buffer: a stream's frames in order, whatever happened to its files.

The same code serves the live tail, a resumed upload and `tidelog sync`. Nothing is believed
but a frame whose checksum fits; nothing is dropped without a Gap that says why.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tidelog.buffer import StreamFolder, make_directory, open_private
from tidelog.wire.frames import MAX_PAYLOAD, SEGMENT_HEADER_SIZE, Damage, Frame, scan

WINDOW = 2 * 1024 * 1024
WIDEST = 2 * MAX_PAYLOAD + WINDOW


@dataclass(frozen=True, slots=True)
class Gap:
    """Records [start, end) that are not on this disk.

    why  "corrupt", "missing", "expired"
    """

    start: int
    end: int
    why: str


class StreamReader:
    """Reads one stream from a sequence number on.

    following  the sequence number that comes next
    damaged    how many records were found damaged or missing
    """

    def __init__(self, folder: StreamFolder, quarantine: Path) -> None:  # noqa: D107
        self.folder = folder
        self.following = 0
        self.damaged = 0
        self._quarantine = quarantine
        self._segment = -1
        self._offset = 0
        self._suspect = -1

    def rewind(self, seq: int) -> None:
        """Go on at `seq`, wherever it lies."""
        self.following = seq
        self._segment = -1

    def read(self) -> list[Frame | Gap]:
        """Return what comes next, about one window full; [] if there is nothing (yet)."""
        while True:
            segments = self.folder.segments()
            index = self._place(segments)
            if index is None:
                return self._expired()
            first, path = segments[index]
            if first != self._segment:
                self._enter(first)
            before = self._offset
            items = list(self._read_window(path))
            if items:
                return items
            if self._offset > before:  # everything in this window was sent before
                continue
            if index + 1 == len(segments):
                return self._expired()
            self._condemn_rest(path)
            self._enter(segments[index + 1][0])

    def _expired(self) -> list[Frame | Gap]:
        """Nothing more is held; what a server had once, and has lost since, is gone."""
        acked = self.folder.ack().get("next", 0)
        if acked <= self.following:
            return []
        start, self.following = self.following, acked
        return [Gap(start, acked, "expired")]

    def _place(self, segments: list[tuple[int, Path]]) -> int | None:
        """Return the index of the segment to read: the current one, else by its name."""
        if not segments:
            return None
        firsts = [first for first, _ in segments]
        if self._segment in firsts:
            return firsts.index(self._segment)
        earlier = [i for i, first in enumerate(firsts) if first <= self.following]
        return earlier[-1] if earlier else 0

    def _enter(self, first: int) -> None:
        self._segment = first
        self._offset = SEGMENT_HEADER_SIZE
        self._suspect = -1

    def _read_window(self, path: Path) -> Iterator[Frame | Gap]:
        """Yield the good frames of the next window, and the gaps in front of them."""
        size = WINDOW
        while True:
            data, rest = _read(path, self._offset, size)
            found = list(scan(data))
            if found or not rest:
                break
            if size >= WIDEST:  # no frame begins in the first half: one would have fitted
                self._suspect = self._offset if self._suspect < 0 else self._suspect
                self._offset += MAX_PAYLOAD
            size = min(2 * size, WIDEST)
        for item in found:
            if isinstance(item, Damage):
                start = self._offset + item.start
                self._suspect = start if self._suspect < 0 else self._suspect
                continue
            if self._suspect >= 0:
                self._keep_damage(path, self._suspect, self._offset + item.start)
                self._suspect = -1
            yield from self._in_order(item)
        if found:
            self._offset += found[-1].end

    def _in_order(self, frame: Frame) -> Iterator[Frame | Gap]:
        if frame.seq < self.following:
            return
        if frame.seq > self.following:
            yield self._gap(frame.seq)
        self.following = frame.seq + 1
        yield frame

    def _gap(self, end: int) -> Gap:
        acked = self.folder.ack().get("next", 0)
        why = "corrupt"
        if end <= acked:
            why = "expired"
        elif self._segment == end:
            why = "missing"
        self.damaged += end - self.following if why != "expired" else 0
        return Gap(self.following, end, why)

    def _condemn_rest(self, path: Path) -> None:
        """Keep the rest of a segment that has a successor: no frame will come of it."""
        size = path.stat().st_size
        if size > self._offset:
            self._keep_damage(path, self._offset, size)

    def _keep_damage(self, path: Path, start: int, end: int) -> None:
        name = f"{self.folder.id}-{path.stem}-{start}-{end}.bin"
        with contextlib.suppress(OSError):  # seen before, or no room: sending matters more
            make_directory(self._quarantine)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            descriptor = open_private(self._quarantine / name, flags)
            try:
                os.write(descriptor, _read(path, start, end - start)[0])
            finally:
                os.close(descriptor)

    def last(self) -> Frame | None:
        """Return the last good frame that is held, or None if there is none at all."""
        segments = self.folder.segments()
        other = StreamReader(self.folder, self._quarantine)
        other.following = segments[-1][0] if segments else 0
        last = None
        while items := other.read():
            last = next((item for item in reversed(items) if isinstance(item, Frame)), last)
        return last

    def held_end(self) -> int:
        """Return the sequence number behind the last frame that is held."""
        last = self.last()
        return last.seq + 1 if last else 0

    def frames_from_the_start(self) -> Iterator[Frame]:
        """Yield every good frame that is still held, for whoever lost a layout."""
        other = StreamReader(self.folder, self._quarantine)
        while items := other.read():
            for item in items:
                if isinstance(item, Frame):
                    yield item


def _read(path: Path, offset: int, size: int) -> tuple[bytes, bool]:
    """Return bytes of a file, and whether there are more behind them."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.pread(descriptor, size, offset)
        return data, os.fstat(descriptor).st_size > offset + len(data)
    finally:
        os.close(descriptor)
