"""How much of the disk a buffer may take, and what is given up to keep to that.

First what the server has already, then what the machine did (SYSTEM), then what the script
printed (CONSOLE), and last the newest points: never older ones, whose `log()` has returned.
What describes the run is always written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tidelog.buffer import Buffer
from tidelog.retention import acked_segments
from tidelog.wire.frames import FrameType

LARGEST = 10 * 1024**3
LEFT_FREE = 1024**3
SMALLEST = 64 * 1024**2
LOOK_SECONDS = 10.0
DEAR = 50  # a look may take one part in so many of our time

# From which share of the limit on, which kinds are refused.
SACRIFICES = (
    (1.0, frozenset({FrameType.SYSTEM, FrameType.CONSOLE, FrameType.METRICS})),
    (0.95, frozenset({FrameType.SYSTEM, FrameType.CONSOLE})),
    (0.9, frozenset({FrameType.SYSTEM})),
)
NOTHING: frozenset[int] = frozenset()


class Quota:
    """The limit of one buffer, watched by one process.

    limit    bytes, or None: as much as leaves a gigabyte of the disk free, at most 10 GiB and
             at least 64 MiB
    refused  kinds of records that there is no room for now
    """

    def __init__(self, buffer: Buffer, limit: int | None) -> None:  # noqa: D107
        self._buffer = buffer
        self._limit = limit
        self._look_at = 0.0
        self._look_from = 0
        self.refused = NOTHING

    def heed(self, written: int) -> frozenset[int]:
        """Look again if it is time, or if this process has `written` much since."""
        now = time.monotonic()
        if now >= self._look_at or written >= self._look_from:
            used, limit = self._make_room()
            took = time.monotonic() - now
            self._look_at = now + max(LOOK_SECONDS, DEAR * took)
            self._look_from = written + max(limit // 100, abs(limit - used) // 10)
            self.refused = next((kinds for s, kinds in SACRIFICES if used >= s * limit), NOTHING)
        return self.refused

    def _make_room(self) -> tuple[int, int]:
        """Unlink acked segments while there is too much; return bytes used and the limit."""
        used = sum(_size(path) for path in _files(self._buffer.path / "v1"))
        limit = self._limit if self._limit is not None else self._default(used)
        least = SACRIFICES[-1][0] * limit
        if used >= least:
            for path in self._acked():
                used -= _unlinked(path)
                if used < least:
                    break
        return used, limit

    def _default(self, used: int) -> int:
        disk = os.statvfs(self._buffer.path)
        free = disk.f_bavail * disk.f_frsize
        return max(SMALLEST, min(LARGEST, used + free - LEFT_FREE))

    def _acked(self) -> Iterator[Path]:
        for run in self._buffer.runs():
            for stream in run.streams():
                ack = stream.ack()
                yield from acked_segments(stream, ack.get("next", 0), ended=ack.get("done") is True)


def _files(path: Path) -> Iterator[os.DirEntry[str]]:
    try:
        entries = list(os.scandir(path))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield entry


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:  # unlinked since
        return 0


def _unlinked(path: Path) -> int:
    """Unlink a file, and return how large it was; 0 if another process was faster."""
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError:
        return 0
    return size
