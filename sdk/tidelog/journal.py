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
from typing import Any

from tidelog.ballast import Ballast
from tidelog.buffer import Lock, RunFolder, fsync_directory, make_directory
from tidelog.drops import Drops
from tidelog.quota import NOTHING, Quota
from tidelog.ring import Ring
from tidelog.segment import Segment
from tidelog.wire.frames import FrameError, FrameType

ROTATE_BYTES = 8 * 1024 * 1024
ROTATE_SECONDS = 600.0
SYNC_SECONDS = 1.0
TELL_SECONDS = 10.0
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
    quota     how much of the disk there is for all runs, or None: all of it
    durable   whether a record is on the disk itself, not only with the kernel, when `append` ends
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
        quota: Quota | None = None,
        durable: bool = False,
    ) -> None:
        self.folder = folder
        self.quota = quota
        self.durable = durable
        self._opening = opening
        self._renewed = renewed
        self._say = say
        self._reset(tended=True)
        _journals.add(self)

    def _reset(self, *, tended: bool) -> None:
        self.lock = threading.RLock()
        self._syncing = threading.RLock()
        self._afterwards: list[Callable[[], None]] = []
        self.stream = self.folder.stream(os.urandom(16).hex())
        self.closed = False
        self.drops = Drops()
        self._tell_at = 0.0
        self._tended = tended
        self._sync_at = 0.0
        self._written = 0
        self._refused = NOTHING
        self._guarded = self.durable or not tended
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
        self._ballast = Ballast(self.stream.path / "ballast")

    @property
    def seq(self) -> int:
        """The sequence number that the next record gets."""
        return self._segment.following if self._segment else self._following

    @property
    def healthy(self) -> bool:
        """Whether the next record will go straight to the disk."""
        there = self._segment is not None and not self._degraded
        return there and FrameType.METRICS not in self._refused

    def open(self) -> None:
        """Begin the stream with its OPEN record. Raises OSError if the directory refuses."""
        with self.lock:
            self._begin()

    def move(self, folder: RunFolder) -> None:
        """Begin anew in another folder; only before anything was written."""
        with self.lock:
            self._drop_files()
            self.folder = folder
            self._reset(tended=True)

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
        elif self._guarded:
            self._append_with_care(kind, payload)
        else:
            self._write(segment, kind, payload)

    def _write(self, segment: Segment, kind: int, payload: bytes) -> None:
        try:
            segment.append(kind, payload)
            self._dirty = True
        except OSError as error:
            self._degrade(error)
            self._keep(kind, payload)
        except FrameError as error:
            self.drops.count("too_large", kind)
            self._complain(str(error))
        if segment.size > ROTATE_BYTES:
            self.rotate()

    def _append_with_care(self, kind: int, payload: bytes) -> None:
        """Write where there is little room, power may fail, or nobody tends the journal."""
        if not self._tended and time.monotonic() >= self._sync_at:
            self._sync_at = time.monotonic() + SYNC_SECONDS
            self._heed_quota()
            self._sync()
        if kind in self._refused:
            self.drops.count("cap", kind)
        elif self._segment is None or self._degraded:
            self._append_with_trouble(kind, payload)
        else:
            self._write(self._segment, kind, payload)
            if self.durable:
                self._sync()

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
            self._written += self._segment.size
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
            self._keep(kind, payload)

    def _keep(self, kind: int, payload: bytes) -> None:
        if not self._ring.keep(kind, payload):
            self.drops.count("disk_full", kind)

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
        """Tell what was dropped, each record once."""
        self._tell_at = time.monotonic() + TELL_SECONDS
        for why, said in self.drops.untold():
            self._put(FrameType.DROPPED, _json({"t": time.time_ns() // 1_000_000, **said}))
            self.drops.told(why)

    def _heed_quota(self) -> None:
        """Refuse what there is no room for, or take it again."""
        if self.quota is None:
            return
        written = self._written + (self._segment.size if self._segment else 0)
        try:
            refused = self.quota.heed(written)
        except OSError:  # no room to look at: writing will tell
            return
        with self.lock:
            if FrameType.METRICS in refused - self._refused:
                self._complain(f"the buffer of {self.stream.path} is full: new points are dropped")
                self._renewed()
            self._refused = refused
            self._guarded = self.durable or not self._tended or bool(refused)

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
        errors = [_finish(old) for old in retired]
        if dirty and segment:
            errors.append(_flush(segment))
            if errors[-1]:
                self._abandon(segment)
        if new_names:
            errors.append(self._flush_names())
        for error in list(filter(None, errors))[:1]:
            self._say(f"could not sync {self.stream.path}: {error.strerror}")

    def _abandon(self, segment: Segment) -> None:
        """Go on elsewhere: what could not be flushed once never can, whatever is said later."""
        with self.lock:
            self.rotate()
            if segment in self._retired:
                self._retired.remove(segment)
                segment.close()

    def _flush_names(self) -> OSError | None:
        try:
            for place in (self.stream.path, self.stream.path.parent, self.folder.path):
                fsync_directory(place)
        except OSError as error:
            return error
        return None

    def tend(self) -> None:
        """Do what is due: called each second by the run's thread."""
        self.sync()
        self._heed_quota()
        with self.lock:
            if self._busy or self.closed:
                return
            if self._degraded and self._recover():
                self._say("writing again")
            elif self._segment and self._age() > ROTATE_SECONDS:
                self.rotate()
            elif self.drops and self._segment and time.monotonic() >= self._tell_at:
                self._tell_drops()

    def _tell_drops(self) -> None:
        try:
            self._put_drops()
        except OSError as error:
            self._degrade(error)

    def _age(self) -> float:
        return time.monotonic() - self._segment.opened_at if self._segment else 0.0

    def ballast(self) -> None:
        """Set 64 KiB aside, so that the end of the run can be told on a full disk."""
        self._ballast.take_in()

    def close(self, finish: Callable[[Counter[str]], dict[str, Any]]) -> None:
        """End the stream with a FINISH record, whose payload `finish(dropped)` returns."""
        with self.lock:
            if self.closed:
                return
            if self._degraded and not self._recover():
                self._sacrifice()
            self._ballast.give_up()
            self._put_end(finish)
            self.closed = True
        self.sync()
        with self.lock, self._syncing:
            self._following = self.seq
            self._drop_files()
            self._segment, self._retired = None, []

    def _sacrifice(self) -> None:
        """Give up the points that wait, and use the ballast for what describes the run."""
        self._ballast.give_up()
        for kind, number in self._ring.give_up_points().items():
            self.drops.count("disk_full", kind, number)
        lost = self.drops.total["disk_full"]
        if not self._recover():
            self._say(f"{lost} records found no room on the disk and are lost")

    def _put_end(self, finish: Callable[[Counter[str]], dict[str, Any]]) -> None:
        try:
            self._put_drops()
            self._put(FrameType.FINISH, _json(finish(self.drops.total)))
        except OSError as error:
            self._say(f"the end of the run could not be written: {error.strerror}")

    def _after_fork_in_child(self) -> None:
        """Keep nothing of the parent's: its stream, its lock and its ring go on without us."""
        self._drop_files()
        was_closed = self.closed
        self._reset(tended=False)
        self.closed = was_closed
        self._renewed()


def _flush(segment: Segment) -> OSError | None:
    """Make a segment durable; return why that was not possible."""
    try:
        segment.sync()
    except OSError as error:
        return error
    return None


def _finish(segment: Segment) -> OSError | None:
    error = _flush(segment)
    segment.close()
    return error


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _forget_in_child() -> None:
    for journal in list(_journals):
        journal._after_fork_in_child()


os.register_at_fork(after_in_child=_forget_in_child)
