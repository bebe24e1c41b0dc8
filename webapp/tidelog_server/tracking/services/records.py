"""What the records of a stream tell about a run, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.utils.timezone import now

from tidelog.wire.batch import is_count
from tidelog.wire.frames import FrameType
from tidelog.wire.runs import number
from tidelog_server.metrics.columns import Columns
from tidelog_server.metrics.store import store
from tidelog_server.tracking import console
from tidelog_server.tracking.attributes import apply_set
from tidelog_server.tracking.batches import Record
from tidelog_server.tracking.models import ConsoleChunk, LooseRecord, Run, Stream
from tidelog_server.tracking.services.runs import moment

ENDS = frozenset({Run.State.FINISHED, Run.State.FAILED, Run.State.KILLED})


class Story:
    """A run and a stream, changed in memory by records in order; the caller saves both.

    Records are told once each, in the order of their stream. Whoever opened last among the
    primary streams speaks for the run's state, however late an older stream is synced.
    """

    def __init__(self, run: Run, stream: Stream, columns: Columns | None = None) -> None:
        self.run = run
        self.stream = stream
        self.columns = columns or Columns()
        self.changed = False
        self._finished = False
        self._lines: list[console.Line] = []
        self._loose: list[LooseRecord] = []

    def tell(self, records: Sequence[Record]) -> list[Mapping[str, Any]]:
        """Apply records; returns those that cannot be, as the ingest answer names them."""
        rejected: list[Mapping[str, Any]] = []
        for record in records:
            code = self._readers.get(record.type, Story._keep)(self, record)
            if code:
                rejected.append({"seq": record.seq, "code": code})
        self._write_lines()
        LooseRecord.objects.bulk_create(self._loose)
        return rejected

    def hear(self, *, gone: bool) -> None:
        """Note that the writer was just heard of, or that it died without saying FINISH."""
        if gone and self.run.state == Run.State.RUNNING and self._speaks_for_the_run():
            self._end(Run.State.CRASHED, self._latest())
        elif not gone and self.run.state == Run.State.CRASHED and not self._finished:
            self._run_again()

    def _open(self, record: Record) -> str:
        said = record.payload
        self.stream.primary = said.get("primary") is True
        self.stream.rank = _small(said.get("rank")) or 0
        self.stream.host = str(said.get("host") or "")[:255]
        self.stream.pid = _small(said.get("pid"))
        self.stream.opened_at = _wall(said.get("wall")) or now()
        if self._speaks_for_the_run():
            self.run.host = self.stream.host
            self._begin(self.stream.opened_at)
        return ""

    def _begin(self, opened: datetime) -> None:
        """A process began (or resumed) the run."""
        if not self.run.streams.filter(primary=True).exclude(pk=self.stream.pk).exists():
            self.run.started_at = opened
        if self.run.state != Run.State.RUNNING:
            self._run_again()

    def _finish(self, record: Record) -> str:
        said = record.payload
        self._write_remaining()
        for why, count in _counts(said.get("dropped")).items():
            # The total of what DROPPED records counted before, not more of it.
            self.run.dropped[why] = max(self.run.dropped.get(why, 0), count)
        if self._speaks_for_the_run():
            self._finished = True
            self.run.exit_code = _small(said.get("exit"))
            state = said.get("state")
            self._end(
                Run.State(state) if state in ENDS else Run.State.FINISHED,
                _wall(said.get("t")) or self._latest(),
            )
        return ""

    def _set(self, record: Record) -> str:
        return apply_set(self.run, record.payload, stream=self.stream.stream_id, seq=record.seq)

    def _print(self, record: Record) -> str:
        text, fd = record.payload.get("x"), record.payload.get("f")
        if not isinstance(text, str) or fd not in (1, 2):
            return "bad_record"
        wall = _wall(record.payload.get("t")) or now()
        lines, self.stream.partial = console.cut(
            self.stream.partial, fd=fd, time=wall.timestamp(), text=text
        )
        self._lines += lines
        return ""

    def _drop(self, record: Record) -> str:
        why, count = str(record.payload.get("why"))[:32], record.payload.get("n")
        if not is_count(count):
            return "bad_record"
        self.run.dropped[why] = min(self.run.dropped.get(why, 0) + count, 2**53)
        return ""

    def _keep(self, record: Record) -> str:
        self._loose.append(
            LooseRecord(
                run=self.run,
                stream=self.stream,
                seq=record.seq,
                type=record.type,
                payload=record.payload,
            )
        )
        return ""

    _readers: ClassVar[Mapping[int, Callable[["Story", Record], str]]] = {
        FrameType.OPEN: _open,
        FrameType.SET: _set,
        FrameType.CONSOLE: _print,
        FrameType.FINISH: _finish,
        FrameType.DROPPED: _drop,
    }

    def _speaks_for_the_run(self) -> bool:
        if not self.stream.primary:
            return False
        others = self.run.streams.filter(primary=True).exclude(pk=self.stream.pk)
        return not others.filter(opened_at__gt=self.stream.opened_at).exists()

    def _end(self, state: Run.State, at: datetime) -> None:
        self.run.state = state
        self.run.ended_at = max(at, self.run.started_at or at)
        self.changed = True

    def _run_again(self) -> None:
        self.run.state, self.run.ended_at, self.run.exit_code = Run.State.RUNNING, None, None
        self.changed = True

    def _latest(self) -> datetime:
        """Return when the run was last seen to train: an offline run is synced days later."""
        times = [float(axis.times.max()) for axis in self.columns.axes if len(axis.times)]
        times += [at for at, _, _ in self._lines[-1:]]
        times = times or [total.last_time for total in store.series([self.run.pk])[self.run.pk]]
        seen = moment(max(times)) if times else None
        return seen or now()

    def _write_remaining(self) -> None:
        self._lines += console.remaining(self.stream.partial)
        self.stream.partial = {}

    def _write_lines(self) -> None:
        if not self._lines:
            return
        last = ConsoleChunk.objects.filter(run=self.run).order_by("-first").first()
        first = last.first + last.n if last else 0
        ConsoleChunk.objects.create(
            run=self.run, first=first, n=len(self._lines), payload=console.pack(self._lines)
        )


def _wall(milliseconds: Any) -> datetime | None:
    value = number(milliseconds)
    return None if value is None else moment(value / 1000)


def _small(value: Any) -> int | None:
    return value if isinstance(value, int) and abs(value) < 2**31 else None


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    return {why[:32]: min(n, 2**53) for why, n in value.items() if is_count(n)}
