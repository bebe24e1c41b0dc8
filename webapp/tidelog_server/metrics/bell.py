"""Rings for the compaction of a run that this process has brought much of."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from tidelog_server.core.jobs import Job, ring
from tidelog_server.metrics import compaction

# A run is rung for once in so many seconds at most; what that misses is found by the tick.
PAUSE = 5.0
RUNS_REMEMBERED = 10_000


@dataclass(slots=True)
class _Heard:
    """What came of a run since it was last rung for, at the time `rung`."""

    batches: int = 0
    points: int = 0
    rung: float = -PAUSE


_heard: OrderedDict[UUID, _Heard] = OrderedDict()
_lock = Lock()


def ring_when_due(run_id: UUID, points: int) -> None:
    """Count a batch; if the run is due, ask for its compaction once the transaction commits."""
    if _count(run_id, points):
        ring(Job.COMPACT_RUN, run_id=str(run_id))


def _count(run_id: UUID, points: int) -> bool:
    with _lock:
        heard = _heard.pop(run_id, None) or _Heard()
        _heard[run_id] = heard
        while len(_heard) > RUNS_REMEMBERED:
            _heard.popitem(last=False)
        heard.batches += 1
        heard.points += points
        many = heard.batches >= compaction.DUE_BATCHES or heard.points >= compaction.DUE_POINTS
        moment = time.monotonic()
        if not many or moment - heard.rung < PAUSE:
            return False
        heard.batches, heard.points, heard.rung = 0, 0, moment
        return True
