"""Compaction: a run's batches become chunks, beside appends and reads that go on.

Points of a series are numbered in order of arrival, and batches are merged in that order. So a
point lies in the chunks if its number is below the count of points in them, whatever batches are
still there: series can be merged a few at a time in short transactions, compaction can be killed
anywhere, and the batches are deleted last. Two compactions of a run never mix: `leases`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Manager, Max, Q, QuerySet, Sum
from django.utils.timezone import now

from tidelog_server.metrics import blocks, codec, leases
from tidelog_server.metrics.blocks import DIRECTORY, Address, Directory, Rewrite
from tidelog_server.metrics.leases import Lease
from tidelog_server.metrics.models import Batch, Chunk
from tidelog_server.metrics.rows import Key, load, parts, save
from tidelog_server.metrics.tails import Arrival, Tail, in_order

DUE_BATCHES = 64
DUE_POINTS = 65_536
QUIET = timedelta(minutes=5)

SERIES_AT_ONCE = 100
ADDRESSES_AT_ONCE = 100


def due(*, limit: int = 1_000) -> list[UUID]:
    """Return runs whose batches are many, or have waited long since the last one came."""
    return [row["run_id"] for row in _due(Batch.objects).order_by("newest")[:limit]]


def _due(batches: Manager[Batch] | QuerySet[Batch]) -> QuerySet[Any, Any]:
    tails = batches.values("run_id").annotate(
        batches=Count("*"), points=Sum("n"), newest=Max("arrived_at")
    )
    ready: QuerySet[Any, Any] = tails.filter(
        Q(batches__gte=DUE_BATCHES) | Q(points__gte=DUE_POINTS) | Q(newest__lt=now() - QUIET)
    )
    return ready


def compact(run_id: UUID, *, force: bool = False) -> int:
    """Merge the run's batches into chunks if they are due, or at once if `force`.

    Returns how many points were merged; none if another worker has the run.
    """
    waiting = Batch.objects.filter(run_id=run_id)
    if not (waiting if force else _due(waiting)).exists():
        return 0
    lease = leases.claim(run_id)
    if lease is None:
        return 0
    try:
        return _compact(lease)
    finally:
        lease.release()


def _compact(lease: Lease) -> int:
    batches, arrived = _read_batches(lease.run_id)
    merged = 0
    for part in parts(sorted(arrived), SERIES_AT_ONCE):
        with transaction.atomic():
            if not lease.hold():
                return merged
            merged += _merge(lease.run_id, {number: arrived[number] for number in part})
    with transaction.atomic():
        if lease.hold():
            _forget_batches(lease.run_id, batches)
    return merged


def _read_batches(run_id: UUID) -> tuple[list[tuple[str, int]], dict[int, list[Arrival]]]:
    """Return which batches wait, and what they hold of each series."""
    rows = Batch.objects.filter(run_id=run_id).values_list("stream", "start", "payload")
    batches: list[tuple[str, int]] = []
    arrived: dict[int, list[Arrival]] = defaultdict(list)
    for stream, start, payload in rows:
        batches.append((stream, start))
        for arrival in Tail(payload):
            arrived[arrival.number].append(arrival)
    return batches, arrived


def _merge(run_id: UUID, arrived: dict[int, list[Arrival]]) -> int:
    """Merge what these series do not have yet. Returns how many points that is."""
    stored = _directories(run_id, arrived)
    found = {
        number: in_order(arrivals, since=blocks.count(stored[number]))
        for number, arrivals in arrived.items()
    }
    points = {number: new for number, new in found.items() if len(new)}
    landings = {number: blocks.landings(stored[number], points[number]) for number in points}
    wanted = [
        (number, address)
        for number, landing in landings.items()
        for address in blocks.needed(stored[number], landing)
    ]
    loaded = dict(load(run_id, wanted))
    rewrites = {
        number: blocks.merge(
            stored[number], points[number], landings[number], _Source(run_id, number, loaded)
        )
        for number in points
    }
    _apply(run_id, rewrites)
    return sum(map(len, points.values()))


def _directories(run_id: UUID, numbers: Iterable[int]) -> dict[int, list[Directory]]:
    """Return the directories of these series' blocks, in order."""
    rows = Chunk.objects.filter(run_id=run_id, level=DIRECTORY, series__in=list(numbers))
    found: dict[int, list[Directory]] = {number: [] for number in numbers}
    for number, block, payload in rows.order_by("block").values_list("series", "block", "payload"):
        found[number].append(Directory(block, codec.decode(payload)))
    return found


class _Source:
    """The payloads of one series: those that were loaded, the others when they are asked for."""

    def __init__(self, run_id: UUID, number: int, loaded: dict[Key, bytes]) -> None:
        self.run_id, self.number, self.loaded = run_id, number, loaded

    def payload(self, address: Address) -> bytes:
        key = (self.number, address)
        if key not in self.loaded:
            self.loaded |= load(self.run_id, [key])
        return self.loaded[key]


def _apply(run_id: UUID, rewrites: dict[int, Rewrite]) -> None:
    gone = [
        (run_id, number, *address)
        for number, rewrite in rewrites.items()
        for address in rewrite.deletes
    ]
    for part in parts(gone, ADDRESSES_AT_ONCE):
        Chunk.objects.filter(pk__in=part).delete()
    for number, rewrite in rewrites.items():
        _renumber(run_id, number, rewrite.moves)
    written = [
        ((number, address), content)
        for number, rewrite in rewrites.items()
        for address, content in rewrite.writes.items()
    ]
    save(run_id, written)


def _renumber(run_id: UUID, number: int, moves: dict[int, int]) -> None:
    """Give blocks new numbers; through negative ones, so that none is taken twice meanwhile."""
    if not moves:
        return
    rows = Chunk.objects.filter(run_id=run_id, series=number)
    for old, new in moves.items():
        rows.filter(block=old).update(block=-1 - new)
    rows.filter(block__lt=0).update(block=-1 - F("block"))


def _forget_batches(run_id: UUID, batches: Iterable[tuple[str, int]]) -> None:
    starts: dict[str, list[int]] = defaultdict(list)
    for stream, start in batches:
        starts[stream].append(start)
    for stream, known in starts.items():
        for part in parts(known, SERIES_AT_ONCE):
            Batch.objects.filter(run_id=run_id, stream=stream, start__in=part).delete()
