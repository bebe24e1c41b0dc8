"""The process that sends what training wrote; `launcher` starts it.

There is one for a buffer directory, a server and a key. It leaves its parent at once, so it
outlives the training and can say that it died. It is only an economy: positions come from the
server, so anything else may take over at any time.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tidelog import retention
from tidelog.buffer import Buffer, Lock, RunFolder
from tidelog.sender import StreamSender
from tidelog.session import RunSession
from tidelog.settings import Credentials, key_hint
from tidelog.transport import HttpTransport, Transport

TICK = 0.04
DISCOVER = 0.5
SETTLED = 2.0
AT_ONCE = 2
IDLE_SECONDS = 60.0
LONELY_SECONDS = 24 * 3600.0
KEY_SECONDS = 60.0


class Uploader:
    """Sends every stream of the runs that it may send, two at a time.

    wanted    whether a run is ours to send
    sessions  by run id
    senders   by run id and stream id
    """

    def __init__(  # noqa: D107
        self, buffer: Buffer, transport: Transport, *, wanted: Callable[[RunFolder], bool]
    ) -> None:
        self.buffer = buffer
        self.transport = transport
        self.sessions: dict[str, RunSession] = {}
        self.senders: dict[tuple[str, str], StreamSender] = {}
        self._wanted = wanted
        self._epoch: object = None
        self._strangers: set[str] = set()
        self._looked: dict[str, float] = {}
        self._working: dict[StreamSender, Future[None]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tidelog-send")

    def discover(self) -> None:
        """Find runs and streams that have come since."""
        for folder in self.buffer.runs(but=self._strangers):
            if folder.id not in self.sessions:
                if not self._wanted(folder):
                    self._strangers.add(folder.id)
                    continue
                self.sessions[folder.id] = RunSession(folder, self.transport)
            if self._has_changed(folder):
                self._find_streams(folder)

    def _find_streams(self, folder: RunFolder) -> None:
        for stream in folder.streams():
            key = (folder.id, stream.id)
            if key not in self.senders:
                self.senders[key] = StreamSender(self.sessions[folder.id], stream)

    def _has_changed(self, folder: RunFolder) -> bool:
        """Whether streams may have come since we looked; clocks of file systems are coarse."""
        changed = folder.changed_at()
        if self._looked.get(folder.id) == changed:
            return False
        if time.time() - changed > SETTLED:
            self._looked[folder.id] = changed
        return True

    def tick(self) -> None:
        """Set going what is due."""
        self._collect()
        now = time.monotonic()
        for sender in sorted(self.senders.values(), key=lambda each: each.due):
            if len(self._working) >= AT_ONCE:
                break
            if self._is_due(sender, now):
                self._working[sender] = self._pool.submit(sender.step)

    def _is_due(self, sender: StreamSender, now: float) -> bool:
        idle = sender not in self._working and not sender.done
        return idle and not sender.session.stopped and (sender.due <= now or sender.has_ended())

    def _collect(self) -> None:
        for sender, future in list(self._working.items()):
            if future.done():
                del self._working[sender]
                future.result()
                self._note_epoch(sender.session.epoch)

    def _note_epoch(self, epoch: object) -> None:
        """Begin anew when the server was restored: it may lack what it had confirmed."""
        if self._epoch is not None and epoch not in (None, self._epoch):
            for session in self.sessions.values():
                session.known = None
            for sender in self.senders.values():
                sender.start_over()
        self._epoch = epoch or self._epoch

    def resume(self) -> None:
        """Try those again that were stopped, other than for good."""
        for session in self.sessions.values():
            if session.stopped in ("auth", "missing"):
                session.resume()

    def is_busy(self) -> bool:
        """Whether a training runs, or something is left that can be sent."""
        return any(
            not sender.done and (not sender.session.stopped or sender.folder.is_alive())
            for sender in self.senders.values()
        )

    @property
    def is_working(self) -> bool:
        """Whether a request is under way."""
        return bool(self._working)

    @property
    def under_way(self) -> Collection[Future[None]]:
        """What is being sent just now."""
        return self._working.values()

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(wait=True)


def rest(uploaders: Sequence[Uploader]) -> None:
    """Wait a moment, or less if something that is under way ends: there may be more of it."""
    under_way = [future for uploader in uploaders for future in uploader.under_way]
    if under_way:
        wait(under_way, TICK, FIRST_COMPLETED)
    else:
        time.sleep(TICK)


class Service:
    """The uploader as a process: looks for work, renews its key, ends when nobody needs it."""

    def __init__(self, buffer: Buffer, url: str, key: str) -> None:  # noqa: D107
        self._buffer = buffer
        self._url = url
        self._key = self._key_in_use = key
        self._hint = key_hint(key)
        self._transport = HttpTransport(url, key)
        self._uploader = Uploader(buffer, self._transport, wanted=self._is_ours)
        self._busy_at = time.monotonic()
        self._sent = 0
        self._sent_at = time.monotonic()
        self._key_at = time.monotonic()

    def _is_ours(self, folder: RunFolder) -> bool:
        about = folder.description()
        return about.get("server") == self._url and about.get("key_hint") == self._hint

    def run(self) -> None:
        """Work until there has been nothing to do for a while."""
        for folder in list(self._buffer.runs()):
            retention.forget(folder)
        look_at = 0.0
        while self._is_needed():
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + self._look()
            self._uploader.tick()
            self._renew_key()
            rest([self._uploader])
        self._uploader.close()

    def _look(self) -> float:
        """Look for work, and return in how many seconds to look again: less often if it is dear."""
        began = time.monotonic()
        self._uploader.discover()
        self._note_work()
        return max(DISCOVER, 50 * (time.monotonic() - began))

    def _note_work(self) -> None:
        now = time.monotonic()
        if self._uploader.is_busy():
            self._busy_at = now
        sent = sum(sender.sent for sender in self._uploader.senders.values())
        alive = any(sender.alive and not sender.done for sender in self._uploader.senders.values())
        if sent != self._sent or alive:
            self._sent, self._sent_at = sent, now

    def _is_needed(self) -> bool:
        now = time.monotonic()
        return (
            self._buffer.path.exists()
            and now - self._busy_at < IDLE_SECONDS
            and now - self._sent_at < LONELY_SECONDS
        )

    def _renew_key(self) -> None:
        """Once a minute, try again what was refused."""
        if time.monotonic() - self._key_at < KEY_SECONDS:
            return
        self._key_at = time.monotonic()
        if self._is_refused():
            self._use_other_key()
        self._uploader.resume()

    def _use_other_key(self) -> None:
        """Try the one that `tidelog login` has left since, and ours again if that is no better."""
        known = Credentials().of(self._url).get("key")
        if self._key_in_use != self._key or not isinstance(known, str):
            known = self._key
        self._key_in_use = known
        self._transport.use_key(known)

    def _is_refused(self) -> bool:
        return any(session.stopped == "auth" for session in self._uploader.sessions.values())


def detach() -> None:
    """Leave the parent: its children are its own business, and its end is not ours.

    Where the system lets us, our waking up takes no processor from a training that has one.
    """
    if os.fork():
        os._exit(0)
    os.chdir("/")
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def start(argv: list[str]) -> None:
    """Be the uploader's process from here on."""
    detach()
    sys.exit(main(argv))


def main(argv: list[str]) -> int:
    """Run the uploader for [buffer, url], unless one is at work. The key is in the environment."""
    directory, url = argv
    key = os.environ.pop("TIDELOG_API_KEY", "")
    buffer = Buffer(Path(directory))
    lock = Lock(buffer.uploader_lock(url, key_hint(key) or ""))
    if not lock.take():
        return 0
    Service(buffer, url, key).run()
    lock.release()
    return 0
