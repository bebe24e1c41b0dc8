"""The queries behind reading: one for each kind of row, whatever the number of runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db import connection
from django.db.models import Q

from tidelog_server.metrics import codec
from tidelog_server.metrics.aggregates import Row
from tidelog_server.metrics.blocks import DIRECTORY, FINE, POINTS, Directory
from tidelog_server.metrics.codec import Matrix
from tidelog_server.metrics.models import Batch, Chunk
from tidelog_server.metrics.tails import Arrival, Tail, in_order
from tidelog_server.metrics.values import Points

BEGIN = {
    "sqlite": "BEGIN DEFERRED",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}
# SQLite refuses an expression of 1,000 terms.
BLOCKS_AT_ONCE = 200

Home = tuple[int, int]
Homes = Mapping[UUID, Collection[Home]]


@contextmanager
def snapshot() -> Iterator[None]:
    """Let several queries see one state of the store, without a lock.

    Without it a compaction between two of them would hide points or show them twice. `atomic`
    will not do: it takes SQLite's write lock, and on Postgres it sees new commits.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(BEGIN[connection.vendor])
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def directories(run_ids: Collection[UUID], number: int) -> dict[UUID, list[Directory]]:
    """Return the directories of a series' blocks in each run, in order."""
    rows = Chunk.objects.filter(run_id__in=run_ids, series=number, level=DIRECTORY)
    found: dict[UUID, list[Directory]] = {run_id: [] for run_id in run_ids}
    for run_id, block, payload in rows.values_list("run_id", "block", "payload"):
        found[run_id].append(Directory(block, codec.decode(payload)))
    for each in found.values():
        each.sort(key=lambda directory: directory.block)
    return found


def fine_rows(
    blocks: Mapping[UUID, Collection[int]], number: int, only: Container[int]
) -> dict[tuple[UUID, int], Matrix]:
    """Return the aggregates of 64 points of these blocks of each run, the rows in `only`."""
    wanted = [block for known in blocks.values() for block in known]
    if not wanted:
        return {}
    rows = Chunk.objects.filter(
        run_id__in=[run_id for run_id, known in blocks.items() if known],
        series=number,
        level=FINE,
        block__range=(min(wanted), max(wanted)),
    )
    return {
        (run_id, block): codec.decode(payload, only)
        for run_id, block, payload in rows.values_list("run_id", "block", "payload")
        if block in blocks[run_id]
    }


def chunk_points(
    homes: Homes, number: int, *, with_times: bool = True
) -> dict[tuple[UUID, Home], Points]:
    """Return the points of the chunks at these (block, index) of each run.

    with_times  or 0 instead: who does not need them saves a third of the work
    """
    only = None if with_times else (0, 2)
    indexes: dict[tuple[UUID, int], list[int]] = defaultdict(list)
    for run_id, known in homes.items():
        for block, index in known:
            indexes[run_id, block].append(index)
    conditions = [
        Q(run_id=run_id, block=block, index__in=known) for (run_id, block), known in indexes.items()
    ]
    found = {}
    for start in range(0, len(conditions), BLOCKS_AT_ONCE):
        some = Q(*conditions[start : start + BLOCKS_AT_ONCE], _connector=Q.OR)
        rows = Chunk.objects.filter(some, series=number, level=POINTS)
        for run_id, block, index, payload in rows.values_list(
            "run_id", "block", "index", "payload"
        ):
            found[run_id, (block, index)] = Points(*codec.decode(payload, only))
    return found


def tails(compacted: Mapping[UUID, int], number: int) -> dict[UUID, Points]:
    """Return the points of a series in each run that are not in chunks yet, in order.

    compacted  how many points are
    """
    arrivals: dict[UUID, list[Arrival]] = {run_id: [] for run_id in compacted}
    if arrivals:
        rows = Batch.objects.filter(run_id__in=list(compacted)).values_list("run_id", "payload")
        for run_id, payload in rows:
            arrivals[run_id] += Tail(payload).of(number)
    return {run_id: in_order(found, since=compacted[run_id]) for run_id, found in arrivals.items()}


def homes_of(found: Sequence[Directory]) -> list[Home]:
    """Return (block, index) of each chunk, in order."""
    return [(each.block, int(index)) for each in found for index in each.chunks[Row.CHUNK].tolist()]
