"""Sending one stream: read, cut a batch, post it, do what the answer means."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections import deque
from typing import Any

from tidelog import retention
from tidelog.answers import Meaning, Verdict, meaning
from tidelog.batches import POINTS, Batch, BatchBuilder
from tidelog.buffer import Lock, StreamFolder, append_lines
from tidelog.packing import Unpacker, Unreadable
from tidelog.reader import Gap, StreamReader
from tidelog.session import RunSession, sentence
from tidelog.transport import Unreachable, records_path
from tidelog.wire.batch import MAX_RECORDS
from tidelog.wire.frames import Frame, FrameType

LINGER = 1.0
LINGER_WATCHED = 0.2
HEARTBEAT = 30.0
LIFE_CHECK = 1.0
LONGEST_PAUSE = 60.0
MISSING_SECONDS = 15 * 60.0
STOPS: tuple[Verdict, ...] = ("auth", "deleted", "upgrade")
POLL = 0.05


class StreamSender:
    """Brings one stream to the server, exactly once.

    Positions come from the server: `ack.json` is only a note for others. One request is under
    way at a time. `step` does at most one exchange and says in `due` when to come back.

    done      whether nothing will ever come of this stream any more
    position  how far the server has it; None until it was asked
    sent      records that were acknowledged in this session
    """

    def __init__(self, session: RunSession, folder: StreamFolder) -> None:  # noqa: D107
        self.session = session
        self.folder = folder
        self.reader = StreamReader(folder, session.folder.quarantine)
        self.position: int | None = None
        self.due = 0.0
        self.done = False
        self.sent = 0
        self.rejected = 0
        self.damaged = 0
        self.failures = 0
        self.alive = True
        self._pending: deque[Frame | Gap] = deque()
        self._unpacker = Unpacker()
        self._lost_layouts: set[object] = set()
        self._refused: dict[int, str] = {}
        self._limit = MAX_RECORDS
        self._introduced = False
        self._finished = False
        self._linger = LINGER
        self._heard_at = 0.0
        self._looked_at = 0.0
        self._resting = False
        self._asks_again = False
        self._lock = Lock(folder.sync_lock)

    @property
    def is_up_to_date(self) -> bool:
        """Whether the last look found nothing more to send, of a writer that lives."""
        return self.alive and self._resting

    def start_over(self) -> None:
        """Ask the server again where it is, before anything else."""
        self._asks_again = True
        self.done = False
        self.due = 0.0

    def step(self) -> None:
        """Do what is due."""
        if self._asks_again:
            self._asks_again, self.position = False, None
        try:
            if self.position is None and not self._begin():
                return
            self._exchange()
        except Unreachable as error:
            self._obey(Meaning("retry", message=str(error)), None)
        except FileNotFoundError:  # somebody removed the run while we read it
            self.done = not self.folder.path.exists()
            self._later(LINGER)
        except OSError as error:
            self._retry(Meaning("retry", message=f"{self.folder.path}: {error.strerror}"))

    def _begin(self) -> bool:
        self._lock.take()
        if self.session.known is None:
            found = self.session.ask()
            if found.verdict != "ok":
                self._obey(found, None)
                return False
        known = (self.session.known or {}).get(self.folder.id, 0)
        self._go_to(known if isinstance(known, int) else 0)
        return True

    def _go_to(self, position: int) -> None:
        self.position = position
        self._pending.clear()
        self.reader.rewind(position)

    # --- one exchange --------------------------------------------------------------------

    def _exchange(self) -> None:
        self._look_for_life()
        self._resting = False
        batch = self._next_batch()
        if batch is None:
            self._rest()
            return
        answer = self.session.transport.post(
            records_path(self.session.folder.id, self.folder.id), self.session.params, batch.body
        )
        following = answer.json().get("next")
        end = batch.end
        if isinstance(following, int) and following > end:  # another sync was faster
            end = self.reader.held_end()
        self._obey(meaning(answer, stream=self.folder.id, start=batch.start, end=end), batch)

    def has_ended(self) -> bool:
        """Whether the writer has just let go: there is nothing to linger for any more."""
        if self.alive and not self.failures and not self.folder.is_alive():
            self.alive = False
            return True
        return False

    def _look_for_life(self) -> None:
        """Ask before reading: what a dead writer left is all there when we read."""
        now = time.monotonic()
        if now - self._looked_at >= LIFE_CHECK:
            self._looked_at = now
            self.alive = self.folder.is_alive()

    def _next_batch(self) -> Batch | None:
        start = self.position or 0
        builder = self._builder(start)
        while self._fill() and builder.add(self._pending[0]):
            self._pending.popleft()
        self.damaged += builder.damaged
        if builder.count:
            return builder.build(self._introduction())
        if self.alive:
            due = time.monotonic() - self._heard_at >= HEARTBEAT
            return builder.build({}) if due and self._introduced else None
        return self._farewell(builder)

    def _builder(self, start: int) -> BatchBuilder:
        return BatchBuilder(
            start,
            unpacker=self._unpacker,
            layouts=self._find_layouts,
            refused=self._refused,
            limit=self._limit,
        )

    def _fill(self) -> bool:
        if not self._pending:
            self._pending.extend(self.reader.read())
        return bool(self._pending)

    def _introduction(self) -> dict[str, Any]:
        return {} if self._introduced else {"run": self.session.description}

    def _find_layouts(self, number: object) -> None:
        """Read the whole stream for a layout whose record is damaged or was sent long ago."""
        if number in self._lost_layouts:
            return
        for frame in self.reader.frames_from_the_start():
            if frame.type in POINTS and b'"d":' in frame.payload:
                with contextlib.suppress(Unreadable):
                    self._unpacker.read(frame.payload)
        if number not in self._unpacker.layouts:
            self._lost_layouts.add(number)

    def _farewell(self, builder: BatchBuilder) -> Batch | None:
        """Tell that the writer died without FINISH, unless the run goes on elsewhere here."""
        if not self._finished:
            last = self.reader.last()
            self._finished = last is not None and last.type == FrameType.FINISH
        elsewhere = any(stream.is_alive() for stream in self.session.folder.streams())
        told = self.session.has_told(self.folder.ack())
        if self._finished or elsewhere or told or not self.position:
            return None
        return builder.build({"writer": "gone"})

    def _rest(self) -> None:
        """Nothing to send."""
        if self.alive:
            self._resting = True
            self._later(POLL)
            return
        self.done = True
        if self.position:
            self._note_ack(done=True)
        self._lock.release()

    # --- answers -------------------------------------------------------------------------

    def _obey(self, found: Meaning, batch: Batch | None) -> None:
        self.session.hear(found)
        if found.verdict == "ok" and batch is not None:
            self._stored(found, batch)
        elif found.verdict == "rewind":
            self.failures += 1
            self._go_to(found.next)
            self._later(0 if self.failures < 3 else self._pause(None))
        elif found.verdict in ("halve", "bisect") and batch is not None and batch.count:
            self._narrow(found, batch)
        elif found.verdict in STOPS or self._is_missing_for_good(found):
            self._stop(found)
        else:
            self._retry(found)

    def _stored(self, found: Meaning, batch: Batch) -> None:
        self.failures = 0
        self.sent += batch.count
        self._introduced = True
        self._heard_at = time.monotonic()
        self._limit = min(2 * self._limit, MAX_RECORDS)
        self._finished = self._finished or batch.finished
        self._linger = LINGER_WATCHED if found.content.get("watched") is True else LINGER
        self._write_rejects(found.content.get("rejected"))
        self.session.identify(found.content)
        if found.next != batch.end:
            self._go_to(found.next)
        self.position = found.next
        gone = not batch.count and not self.alive
        self._note_ack(done=gone)
        self.done = gone
        retention.trim(self.folder, found.next)
        self.session.tell("ok", path=found.content.get("url"))
        self._later(0 if self._pending or not self.alive else self._linger)

    def _note_ack(self, *, done: bool) -> None:
        previous = self.folder.ack()
        note = {
            "next": self.position,
            "server": self.session.server,
            "epoch": self.session.epoch,
            "team": self.session.description.get("team"),
            "done": done,
            "at": previous.get("at") if previous.get("done") else time.time(),
        }
        with contextlib.suppress(OSError):  # only a note: the server knows its position
            self.folder.acknowledge(note)

    def _narrow(self, found: Meaning, batch: Batch) -> None:
        """Send half of it; a single record that is refused becomes a gap."""
        why = "too_large" if found.verdict == "halve" else "rejected"
        self._go_to(batch.start)
        if batch.count > 1:
            self._limit = max(1, batch.count // 2)
            self._later(0)
        elif batch.start in self._refused:
            self._retry(found)
        else:
            self._refused[batch.start] = why
            self._write_rejects([{"seq": batch.start, "code": why, "message": found.message}])
            self._later(0)

    def _write_rejects(self, rejected: object) -> None:
        if not isinstance(rejected, list) or not rejected:
            return
        self.rejected += len(rejected)
        lines = [json.dumps({"stream": self.folder.id, "answer": item}) for item in rejected]
        with contextlib.suppress(OSError):  # no room: the answer is lost, the record is not
            append_lines(self.session.folder.rejects, lines)

    def _is_missing_for_good(self, found: Meaning) -> bool:
        """Whether a 404 is no deployment or proxy that will be over in a while."""
        return found.verdict == "missing" and self.session.missing_for >= MISSING_SECONDS

    def _stop(self, found: Meaning) -> None:
        if self.position is not None:
            self._go_to(self.position)
        self.session.stop(found)
        self._later(0)  # once the session goes on

    def _retry(self, found: Meaning) -> None:
        if self.position is not None:
            self._go_to(self.position)
        self.failures += 1
        if self.failures > 1:
            self.session.tell("retrying", f"{sentence(found)}; everything is on disk, trying again")
        self._later(self._pause(found.after))

    def _pause(self, after: float | None) -> float:
        if after is not None:
            return after
        return random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2 ** min(self.failures, 10)))

    def _later(self, seconds: float) -> None:
        self.due = time.monotonic() + seconds
