"""The queries behind reading: one for each kind of row, whatever the number of runs."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection

from tidelog_server.metrics import codec
from tidelog_server.metrics.aggregates import Row
from tidelog_server.metrics.blocks import DIRECTORY, FINE, POINTS, Directory
from tidelog_server.metrics.codec import Matrix
from tidelog_server.metrics.models import Chunk
from tidelog_server.metrics.tails import Arrival, Tail, in_order
from tidelog_server.metrics.values import Points

BEGIN = {
    "sqlite": "BEGIN DEFERRED",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}
# SQLite takes 32,766 parameters a statement.
ROWS_AT_ONCE = 2_000

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
    found: dict[UUID, list[Directory]] = {run_id: [] for run_id in run_ids}
    rows = _select(
        "SELECT {run_id}, block, payload FROM metrics_chunk"
        " WHERE run_id IN ({runs}) AND series = %s AND level = %s",
        run_ids,
        [number, DIRECTORY],
    )
    for run_id, block, payload in rows:
        found[run_id].append(Directory(block, codec.decode(payload)))
    for each in found.values():
        each.sort(key=lambda directory: directory.block)
    return found


def fine_rows(
    blocks: Mapping[UUID, Collection[int]], number: int, only: Container[int]
) -> dict[tuple[UUID, int], Matrix]:
    """Return the aggregates of 64 points of these blocks of each run, the rows in `only`."""
    homes = {run_id: [(block, 0) for block in known] for run_id, known in blocks.items()}
    return {
        (run_id, block): codec.decode(payload, only)
        for run_id, block, _, payload in _chunks(homes, number, FINE)
    }


def chunk_points(
    homes: Homes, number: int, *, with_times: bool = True
) -> dict[tuple[UUID, Home], Points]:
    """Return the points of the chunks at these (block, index) of each run.

    with_times  or 0 instead: who does not need them saves a third of the work
    """
    only = None if with_times else (0, 2)
    return {
        (run_id, (block, index)): Points(*codec.decode(payload, only))
        for run_id, block, index, payload in _chunks(homes, number, POINTS)
    }


def _chunks(homes: Homes, number: int, level: int) -> Iterator[tuple[UUID, int, int, memoryview]]:
    """Yield (run, block, index, payload) of rows of a level at these (block, index)."""
    wanted = [(run_id, *home) for run_id, known in homes.items() for home in known]
    for start in range(0, len(wanted), ROWS_AT_ONCE):
        some = wanted[start : start + ROWS_AT_ONCE]
        places = ", ".join(["(%s, %s, %s)"] * len(some))
        rows = _select(
            'SELECT {run_id}, block, "index", payload FROM metrics_chunk'
            " WHERE run_id IN ({runs}) AND series = %s AND level = %s"
            f' AND (run_id, block, "index") IN (VALUES {places})',
            {run_id for run_id, *_ in some},
            [
                number,
                level,
                *(value for run_id, *home in some for value in (_value(run_id), *home)),
            ],
        )
        yield from rows


def tails(compacted: Mapping[UUID, int], number: int) -> dict[UUID, Points]:
    """Return the points of a series in each run that are not in chunks yet, in order.

    compacted  how many points are
    """
    arrivals: dict[UUID, list[Arrival]] = {run_id: [] for run_id in compacted}
    if arrivals:
        query = "SELECT {run_id}, payload FROM metrics_batch WHERE run_id IN ({runs})"
        for run_id, payload in _select(query, compacted, []):
            arrivals[run_id] += Tail(payload).of(number)
    return {run_id: in_order(found, since=compacted[run_id]) for run_id, found in arrivals.items()}


def _select(query: str, run_ids: Collection[UUID], more: Sequence[Any]) -> Iterator[Any]:
    """Yield the rows of a query whose first column is a run, {run_id}, one of {runs}.

    Plain SQL: building a queryset and a UUID for each row costs as much as the query itself.
    """
    postgres = connection.vendor == "postgresql"
    runs = {str(run_id) if postgres else run_id.hex: run_id for run_id in run_ids}
    sql = query.format(
        run_id="run_id::text" if postgres else "run_id", runs=", ".join(["%s"] * len(runs))
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*map(_value, runs.values()), *more])
        for run_id, *row in cursor.fetchall():
            yield (runs[run_id], *row)


def _value(run_id: UUID) -> Any:
    return Chunk._meta.get_field("run_id").get_db_prep_value(run_id, connection)


def homes_of(found: Sequence[Directory]) -> list[Home]:
    """Return (block, index) of each chunk, in order."""
    return [(each.block, int(index)) for each in found for index in each.chunks[Row.CHUNK].tolist()]
