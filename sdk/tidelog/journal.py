"""The writing side of the buffer: one stream of one process.

Written before `log()` returns, synced by a thread: a completed write survives the process,
and only a power cut can take the last second.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import threading
import time
import weakref
import zlib
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidelog.buffer import Lock, RunFolder, fsync_directory, make_directory, open_private
from tidelog.wire import frames
from tidelog.wire.frames import FrameType

ROTATE_BYTES = 8 * 1024 * 1024
ROTATE_SECONDS = 600.0
RING_BYTES = 16 * 1024 * 1024
RING_RESERVE = 1024 * 1024
BALLAST_BYTES = 64 * 1024
RETRY_SECONDS = 1.0
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
EXPENDABLE = {FrameType.METRICS, FrameType.SYSTEM, FrameType.CONSOLE}

_head = struct.Struct("<2sBBIQ").pack
_crc = struct.Struct("<I").pack
_crc32 = zlib.crc32
_write = os.write

_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


class Journal:
    """An append-only stream of frames that only this process writes.

    Sequence numbers are given to records that were written, in the order of the writes, and
    to nothing else; so a number that is missing on disk is damage, never a decision.
    While the disk refuses, records wait in a ring of 16 MiB, and what does not fit is counted.

    folder    the run's folder; may be impossible to write, then the ring is all there is
    opening   returns the OPEN record's payload; asked again in a forked child
    renewed   called under the lock when a segment begins: nothing written before it counts
    say       takes a sentence for the person who runs the script
    """

    def __init__(  # noqa: D107
        self,
        folder: RunFolder,
        *,
        opening: Callable[[], dict[str, Any]],
        renewed: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.dropped: Counter[str] = Counter()
        self._opening = opening
        self._renewed = renewed
        self._say = say
        self._reset()
        _journals.add(self)

    def _reset(self) -> None:
        self.lock = threading.RLock()
        self._syncing = threading.RLock()
        self._afterwards: list[Callable[[], None]] = []
        self.stream = self.folder.stream(os.urandom(16).hex())
        self.seq = 0
        self.closed = False
        self.dirty = False
        self._descriptor = -1
        self._size = 0
        self._opened_at = 0.0
        self._busy = False
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._ring: deque[tuple[int, bytes]] = deque()
        self._ring_bytes = 0
        self._ring_dropped: Counter[int] = Counter()
        self._degraded = False
        self._retry_at = 0.0
        self._said_at = -60.0
        self._retired: list[int] = []
        self._new_names = False
        self._writer_lock = Lock(self.stream.writer_lock)

    @property
    def healthy(self) -> bool:
        """Whether the next record will go straight to the disk."""
        return self._descriptor >= 0 and not self._degraded

    def open(self) -> None:
        """Begin the stream with its OPEN record. Raises OSError if the directory refuses."""
        with self.lock:
            self._begin()

    def move(self, folder: RunFolder) -> None:
        """Begin anew in another folder; only before anything was written."""
        with self.lock:
            self._writer_lock.release()
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self.folder = folder
            self._reset()

    def _begin(self) -> None:
        make_directory(self.stream.path)
        self._writer_lock.take()
        if self._descriptor < 0:
            self._new_segment()
        self._put(FrameType.OPEN, json.dumps(self._opening(), separators=(",", ":")).encode())

    def append(self, kind: int, payload: bytes) -> None:
        """Write one record. Returns when the kernel has it, or when it waits in the ring."""
        with self.lock:
            if self._busy:  # a signal handler came in the middle of this thread's own write
                self._waiting.append((kind, payload))
                return
            self._busy = True
            try:
                self._append(kind, payload)
                while self._waiting:
                    self._append(*self._waiting.popleft())
            finally:
                self._busy = False
                if self._afterwards:
                    self._afterwards.pop()()

    def when_free(self, action: Callable[[], None]) -> None:
        """Run `action` now, or, if this thread is in the middle of a write, right after it.

        For signal handlers, which can come between any two instructions.
        """
        with self.lock:
            if self._busy:
                self._afterwards.append(action)
                return
        action()

    def _append(self, kind: int, payload: bytes) -> None:
        if self._descriptor < 0 or self._degraded:
            self._append_with_trouble(kind, payload)
            return
        try:
            self._put(kind, payload)
        except OSError as error:
            self._degrade(error)
            self._keep(kind, payload)
            return
        except frames.FrameError as error:
            self.dropped["too_large"] += 1
            self._complain(str(error))
            return
        if self._size > ROTATE_BYTES:
            self.rotate()

    def _put(self, kind: int, payload: bytes) -> None:
        """Write one frame where the last one ended, whole or not at all."""
        if len(payload) > frames.COMPRESS_ABOVE:
            frame = frames.encode_frame(kind, self.seq, payload)
        else:
            head = _head(b"TL", kind, 0, len(payload), self.seq)
            frame = head + _crc(_crc32(payload, _crc32(head))) + payload
        try:
            written = _write(self._descriptor, frame)
            if written != len(frame):
                written += _write(self._descriptor, frame[written:])
            if written == len(frame):
                self._size += written
                self.seq += 1
                self.dirty = True
                return
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        except BaseException:  # Ctrl-C between a write and its bookkeeping: the file knows
            self._reconcile(len(frame))
            raise
        os.ftruncate(self._descriptor, self._size)
        raise OSError(errno.ENOSPC, "the disk takes only part of a record")

    def _reconcile(self, length: int) -> None:
        grown = os.fstat(self._descriptor).st_size - self._size
        if grown == length:
            self._size += length
            self.seq += 1
        elif grown:
            os.ftruncate(self._descriptor, self._size)

    def _new_segment(self) -> None:
        path = self.stream.segment(self.seq)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        descriptor = open_private(path, flags)
        header = frames.encode_segment_header(self.seq, bytes.fromhex(self.stream.id))
        try:
            if _write(descriptor, header) != len(header):
                raise OSError(errno.ENOSPC, "no room for a new segment")
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        if self._descriptor >= 0:
            self._retired.append(self._descriptor)
        self._descriptor = descriptor
        self._size = len(header)
        self._opened_at = time.monotonic()
        self._new_names = True
        self._renewed()

    def rotate(self) -> None:
        """Go on in a new segment; the old one is synced and closed by `sync`."""
        with self.lock:
            if self._descriptor < 0 or self._size <= frames.SEGMENT_HEADER_SIZE:
                return
            try:
                self._new_segment()
            except OSError as error:  # the old one is still good for small records
                self._degrade(error)

    # --- trouble -------------------------------------------------------------------------

    def _degrade(self, error: OSError) -> None:
        if error.errno not in FULL:
            self._retired.append(self._descriptor)
            self._descriptor = -1
        self._degraded = True
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._renewed()
        self._complain(f"cannot write to {self.stream.path}: {error.strerror}; training goes on")

    def _complain(self, sentence: str) -> None:
        now = time.monotonic()
        if now - self._said_at >= 60:
            self._said_at = now
            self._say(sentence)

    def _append_with_trouble(self, kind: int, payload: bytes) -> None:
        if self.closed:
            return
        if time.monotonic() >= self._retry_at and self._recover():
            self._append(kind, payload)
        else:
            self._keep(kind, payload)

    def _keep(self, kind: int, payload: bytes) -> None:
        limit = RING_BYTES if kind in EXPENDABLE else RING_BYTES + RING_RESERVE
        if self._ring_bytes + len(payload) > limit:
            self._ring_dropped[kind] += 1
            return
        self._ring.append((kind, payload))
        self._ring_bytes += len(payload)

    def _recover(self) -> bool:
        """Try to write what waits; say whether the journal is healthy again."""
        self._retry_at = time.monotonic() + RETRY_SECONDS
        try:
            if self.seq == 0:
                self._begin()
            elif self._descriptor < 0:
                self._new_segment()
            self._put_drops()
            while self._ring:
                kind, payload = self._ring[0]
                self._put(kind, payload)
                self._ring.popleft()
                self._ring_bytes -= len(payload)
        except OSError:
            return False
        self._degraded = False
        return True

    def _put_drops(self) -> None:
        if not self._ring_dropped:
            return
        kinds = {_kind_name(kind): n for kind, n in self._ring_dropped.items()}
        count = sum(kinds.values())
        record = {"t": _wall_ms(), "n": count, "why": "disk_full", "kinds": kinds}
        self._put(FrameType.DROPPED, json.dumps(record, separators=(",", ":")).encode())
        self.dropped["disk_full"] += count
        self._ring_dropped.clear()

    # --- the background ------------------------------------------------------------------

    def sync(self) -> None:
        """Make everything durable that was written so far. Takes as long as the disk does."""
        with self._syncing:
            self._sync()

    def _sync(self) -> None:
        with self.lock:
            descriptor, retired = self._descriptor, self._retired
            dirty, new_names = self.dirty, self._new_names
            self.dirty, self._new_names, self._retired = False, False, []
        try:
            for old in retired:
                _finish_file(old)
            if dirty and descriptor >= 0:
                os.fdatasync(descriptor)
            if new_names:
                fsync_directory(self.stream.path)
        except OSError as error:  # what was not synced will never be: go on elsewhere
            self._say(f"could not sync {self.stream.path}: {error.strerror}")
            self.rotate()

    def tend(self) -> None:
        """Do what is due: called each second by the run's thread."""
        self.sync()
        with self.lock:
            if self._busy or self.closed:
                return
            if self._degraded and self._recover():
                self._say("writing again")
            elif self.healthy and time.monotonic() - self._opened_at > ROTATE_SECONDS:
                self.rotate()

    def ballast(self) -> None:
        """Set 64 KiB aside, so that the end of the run can be told on a full disk."""
        try:
            descriptor = open_private(self._ballast, os.O_WRONLY | os.O_CREAT)
            try:
                os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
            finally:
                os.close(descriptor)
        except OSError:
            return

    @property
    def _ballast(self) -> Path:
        return self.stream.path / "ballast"

    def close(self, finish: Callable[[Counter[str]], dict[str, Any]]) -> None:
        """End the stream with a FINISH record, whose payload `finish(dropped)` returns."""
        with self.lock:
            if self.closed:
                return
            if self._degraded and not self._recover():
                self._sacrifice()
            self._ballast.unlink(missing_ok=True)
            payload = json.dumps(finish(self.dropped), separators=(",", ":")).encode()
            if self._descriptor >= 0:
                self._put_or_say(FrameType.FINISH, payload)
            self.closed = True
        self.sync()
        with self.lock:
            if self._descriptor >= 0:
                with self._syncing:
                    os.close(self._descriptor)
                self._descriptor = -1
            self._writer_lock.release()

    def _sacrifice(self) -> None:
        """Give up the points that wait, and use the ballast for what describes the run."""
        self._ballast.unlink(missing_ok=True)
        for kind, _ in self._ring:
            if kind in EXPENDABLE:
                self._ring_dropped[kind] += 1
        self._ring = deque(item for item in self._ring if item[0] not in EXPENDABLE)
        lost = sum(self._ring_dropped.values())
        if not self._recover():
            self.dropped["disk_full"] += lost
            self._say(f"{lost} records found no room on the disk and are lost")

    def _put_or_say(self, kind: int, payload: bytes) -> None:
        try:
            self._put(kind, payload)
        except OSError as error:
            self._say(f"the end of the run could not be written: {error.strerror}")

    def _after_fork_in_child(self) -> None:
        """Keep nothing of the parent's: its stream, its lock and its ring go on without us."""
        for descriptor in (self._descriptor, *self._retired):
            if descriptor >= 0:
                os.close(descriptor)
        self._writer_lock.release()
        was_closed = self.closed
        self.dropped = Counter()
        self._reset()
        self.closed = was_closed
        self._renewed()


def _finish_file(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _kind_name(kind: int) -> str:
    try:
        return FrameType(kind).name.lower()
    except ValueError:
        return str(kind)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _forget_in_child() -> None:
    for journal in list(_journals):
        journal._after_fork_in_child()


os.register_at_fork(after_in_child=_forget_in_child)
