"""The writing side of the buffer: one stream of one process.

Written before `log()` returns, synced by a thread: a completed write survives the process,
and only a power cut can take the last second.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidelog.buffer import Lock, RunFolder, fsync_directory, make_directory, open_private
from tidelog.ring import Ring
from tidelog.segment import Segment
from tidelog.wire.frames import FrameError, FrameType

ROTATE_BYTES = 8 * 1024 * 1024
ROTATE_SECONDS = 600.0
BALLAST_BYTES = 64 * 1024
RETRY_SECONDS = 1.0
COMPLAIN_SECONDS = 60.0
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

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
        self.closed = False
        self._segment: Segment | None = None
        self._following = 0
        self._busy = False
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._ring = Ring()
        self._degraded = False
        self._retry_at = 0.0
        self._said_at = -COMPLAIN_SECONDS
        self._retired: list[Segment] = []
        self._dirty = False
        self._new_names = False
        self._writer_lock = Lock(self.stream.writer_lock)

    @property
    def seq(self) -> int:
        """The sequence number that the next record gets."""
        return self._segment.following if self._segment else self._following

    @property
    def healthy(self) -> bool:
        """Whether the next record will go straight to the disk."""
        return self._segment is not None and not self._degraded

    def open(self) -> None:
        """Begin the stream with its OPEN record. Raises OSError if the directory refuses."""
        with self.lock:
            self._begin()

    def move(self, folder: RunFolder) -> None:
        """Begin anew in another folder; only before anything was written."""
        with self.lock:
            self._drop_files()
            self.folder = folder
            self._reset()

    def _drop_files(self) -> None:
        for segment in (self._segment, *self._retired):
            if segment:
                segment.close()
        self._writer_lock.release()

    def _begin(self) -> None:
        make_directory(self.stream.path)
        self._writer_lock.take()
        if self._segment is None:
            self._new_segment()
        self._put(FrameType.OPEN, _json(self._opening()))

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
        segment = self._segment
        if segment is None or self._degraded:
            self._append_with_trouble(kind, payload)
            return
        try:
            segment.append(kind, payload)
            self._dirty = True
        except OSError as error:
            self._degrade(error)
            self._ring.keep(kind, payload)
        except FrameError as error:
            self.dropped["too_large"] += 1
            self._complain(str(error))
        if segment.size > ROTATE_BYTES:
            self.rotate()

    def _put(self, kind: int, payload: bytes) -> None:
        if self._segment is None:
            raise OSError(errno.EBADF, "no segment is open")
        self._segment.append(kind, payload)
        self._dirty = True

    def _new_segment(self) -> None:
        first = self.seq
        path = self.stream.segment(first)
        fresh = Segment(path, first=first, stream_id=self.stream.id)
        self._let_go()
        self._segment = fresh
        self._new_names = True
        self._renewed()

    def _let_go(self) -> None:
        """Leave the segment to `sync`, which has the time to close it properly."""
        if self._segment:
            self._following = self._segment.following
            self._retired.append(self._segment)
            self._segment = None

    def rotate(self) -> None:
        """Go on in a new segment; the old one is synced and closed by `sync`."""
        with self.lock:
            if self._segment is None or self._segment.is_empty:
                return
            try:
                self._new_segment()
            except OSError as error:  # the old one is still good for small records
                self._degrade(error)

    # --- trouble -------------------------------------------------------------------------

    def _degrade(self, error: OSError) -> None:
        if error.errno not in FULL:
            self._let_go()
        self._degraded = True
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._renewed()
        self._complain(f"cannot write to {self.stream.path}: {error.strerror}; training goes on")

    def _complain(self, sentence: str) -> None:
        now = time.monotonic()
        if now - self._said_at >= COMPLAIN_SECONDS:
            self._said_at = now
            self._say(sentence)

    def _append_with_trouble(self, kind: int, payload: bytes) -> None:
        if self.closed:
            return
        if time.monotonic() >= self._retry_at and self._recover():
            self._append(kind, payload)
        else:
            self._ring.keep(kind, payload)

    def _recover(self) -> bool:
        """Try to write what waits; say whether the journal is healthy again."""
        self._retry_at = time.monotonic() + RETRY_SECONDS
        try:
            if self.seq == 0:
                self._begin()
            elif self._segment is None:
                self._new_segment()
            self._put_drops()
            while self._ring:
                self._put(*self._ring.first())
                self._ring.remove_first()
        except OSError:
            return False
        self._degraded = False
        return True

    def _put_drops(self) -> None:
        drops = self._ring.drops()
        if drops:
            self._put(FrameType.DROPPED, _json({"t": time.time_ns() // 1_000_000, **drops}))
            self.dropped["disk_full"] += drops["n"]
            self._ring.dropped.clear()

    # --- the background ------------------------------------------------------------------

    def sync(self) -> None:
        """Make everything durable that was written so far. Takes as long as the disk does."""
        with self._syncing:
            self._sync()

    def _sync(self) -> None:
        with self.lock:
            segment, retired = self._segment, self._retired
            dirty, new_names = self._dirty, self._new_names
            self._dirty, self._new_names, self._retired = False, False, []
        try:
            for old in retired:
                _finish(old)
            if dirty and segment:
                segment.sync()
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
            elif self._segment and self._age() > ROTATE_SECONDS:
                self.rotate()

    def _age(self) -> float:
        return time.monotonic() - self._segment.opened_at if self._segment else 0.0

    def ballast(self) -> None:
        """Set 64 KiB aside, so that the end of the run can be told on a full disk."""
        try:
            descriptor = open_private(self._ballast, os.O_WRONLY | os.O_CREAT)
            try:
                os.write(descriptor, bytes(BALLAST_BYTES))
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
            self._put_or_say(FrameType.FINISH, _json(finish(self.dropped)))
            self.closed = True
        self.sync()
        with self.lock, self._syncing:
            self._following = self.seq
            self._drop_files()
            self._segment, self._retired = None, []

    def _sacrifice(self) -> None:
        """Give up the points that wait, and use the ballast for what describes the run."""
        self._ballast.unlink(missing_ok=True)
        self._ring.give_up_points()
        lost = self._ring.dropped.total()
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
        self._drop_files()
        was_closed = self.closed
        self.dropped = Counter()
        self._reset()
        self.closed = was_closed
        self._renewed()


def _finish(segment: Segment) -> None:
    try:
        segment.sync()
    finally:
        segment.close()


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _forget_in_child() -> None:
    for journal in list(_journals):
        journal._after_fork_in_child()


os.register_at_fork(after_in_child=_forget_in_child)
