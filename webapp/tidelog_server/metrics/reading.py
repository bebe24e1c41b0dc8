"""Read: what a chart or an export needs, from the coarsest level that shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics import blocks, curves, fetching
from tidelog_server.metrics.aggregates import Row
from tidelog_server.metrics.blocks import DIRECTORY, FINE, POINTS, Directory
from tidelog_server.metrics.codec import Matrix
from tidelog_server.metrics.curves import LATEST, Gathered, bucket_limit, span_of, within
from tidelog_server.metrics.fetching import Home
from tidelog_server.metrics.models import number_of
from tidelog_server.metrics.tails import joined, sort
from tidelog_server.metrics.values import Chart, Points, RunAxis, SeriesTotal, Window, X

SHOWN = (Row.LAST, Row.MIN, Row.MAX, Row.SUM, Row.N, Row.NANS)

Flags = npt.NDArray[np.bool_]
Totals = Mapping[UUID, SeriesTotal]


@dataclass(frozen=True, slots=True)
class _View:
    """What a chart shows of every run.

    number   of the key
    buckets  on its grid
    limit    of points that are shown as they are
    """

    number: int
    x: X
    window: Window
    buckets: int
    limit: int

    @property
    def rows(self) -> Collection[Row]:
        """The rows of aggregates that the chart is made of."""
        times = () if self.x is X.STEP else (Row.TIME_MIN, Row.TIME_MAX)
        return {Row.STEP_FIRST, Row.STEP_LAST, *times, *SHOWN}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of one run's chunks is read, and how.

    chunks  the directories of its blocks side by side, CHUNK being the place in that order
    homes   where each of them lies
    whole   those that lie wholly within the window, and are read as aggregates
    cut     those that are read as points
    level   of the aggregates
    """

    run: RunAxis
    chunks: Matrix
    homes: list[Home]
    whole: Flags
    cut: Flags
    level: int


def chart(
    *, totals: Totals, key: str, runs: Sequence[RunAxis], x: X, window: Window, width: int
) -> Chart:
    """Return the curves of a key. `totals` says what of it the runs have, those that have it."""
    limit = bucket_limit(width)
    gathered = {run.run_id: Gathered(run, _count(totals, run)) for run in runs}
    present = [run for run in runs if run.run_id in totals]
    grid = curves.common_grid([(run, totals[run.run_id]) for run in present], x, window, limit)
    if grid is not None:
        view = _View(number_of(key), x, window, buckets=grid.n, limit=limit)
        _gather({run.run_id: gathered[run.run_id] for run in present}, view)
    return curves.chart_of([gathered[run.run_id] for run in runs], x, grid, limit)


def _count(totals: Totals, run: RunAxis) -> int:
    return totals[run.run_id].n if run.run_id in totals else 0


def _gather(gathered: Mapping[UUID, Gathered], view: _View) -> None:
    """Read what the chart needs of these runs."""
    found = fetching.directories(list(gathered), view.number)
    plans = [_plan(into.run, found[run_id], view) for run_id, into in gathered.items()]
    fine = fetching.fine_rows(
        {plan.run.run_id: _fine_blocks(plan) for plan in plans}, view.number, view.rows
    )
    cut = {plan.run.run_id: [plan.homes[i] for i in np.flatnonzero(plan.cut)] for plan in plans}
    stored = fetching.chunk_points(cut, view.number, with_times=view.x is not X.STEP)
    compacted = {run_id: blocks.count(directories) for run_id, directories in found.items()}
    tails = fetching.tails(
        {run_id: n for run_id, n in compacted.items() if n < gathered[run_id].total}, view.number
    )
    for plan in plans:
        run_id = plan.run.run_id
        if plan.level == DIRECTORY:
            gathered[run_id].aggregates = plan.chunks[:, plan.whole]
        elif plan.level == FINE:
            gathered[run_id].aggregates = _fine_aggregates(plan, fine)
        pieces = _pieces(plan, stored, view)
        if run_id in tails:
            pieces.append((LATEST, within(tails[run_id], view.x, plan.run, view.window)))
        gathered[run_id].points = pieces


def _pieces(
    plan: _Plan, stored: Mapping[tuple[UUID, Home], Points], view: _View
) -> list[tuple[float, Points]]:
    """Return what of the chunks lies in the window, each with its place in their order."""
    pieces = [
        (float(i), within(stored[plan.run.run_id, plan.homes[i]], view.x, plan.run, view.window))
        for i in np.flatnonzero(plan.cut).tolist()
    ]
    if plan.level == POINTS and pieces:
        return [(0.0, joined([piece for _, piece in pieces]))]
    return pieces


def _plan(run: RunAxis, found: Sequence[Directory], view: _View) -> _Plan:
    """Choose the coarsest level with at least one aggregate for each bucket, else the points.

    Chunks that reach beyond the window are read as points in any case, so that it is exact.
    """
    chunks = blocks.directory_of(found)
    homes = fetching.homes_of(found)
    chunks[Row.CHUNK] = np.arange(chunks.shape[1])
    low, high = span_of(chunks, view.x, run)
    lower, upper = view.window.lower, view.window.upper
    seen = (high >= lower) & (low <= upper)
    whole = (low >= lower) & (high <= upper)
    level = _level(chunks[Row.N, seen], view.buckets, view.limit)
    if level == POINTS:
        whole = np.zeros_like(whole)
    return _Plan(run, chunks, homes, whole, seen & ~whole, level)


def _level(counts: npt.NDArray[np.float64], buckets: int, limit: int) -> int:
    if counts.sum() <= limit:
        return POINTS
    if len(counts) >= buckets:
        return DIRECTORY
    return FINE if np.ceil(counts / blocks.FINE_POINTS).sum() >= buckets else POINTS


def _fine_blocks(plan: _Plan) -> set[int]:
    if plan.level != FINE:
        return set()
    return {plan.homes[i][0] for i in np.flatnonzero(plan.whole).tolist()}


def _fine_aggregates(plan: _Plan, fine: Mapping[tuple[UUID, int], Matrix]) -> Matrix:
    """Return the aggregates of 64 points of all whole chunks, CHUNK being the chunk's place."""
    block_of = np.array([block for block, _ in plan.homes])
    lengths = np.ceil(plan.chunks[Row.N] / blocks.FINE_POINTS).astype(int)
    parts = [plan.chunks[:, :0]]
    for block in sorted(_fine_blocks(plan)):
        inside = np.flatnonzero(block_of == block)
        places = np.repeat(inside, lengths[inside])
        matrix = fine[plan.run.run_id, block]
        matrix[Row.CHUNK] = places
        parts.append(matrix[:, plan.whole[places]])
    return np.concatenate(parts, axis=1)


def points(*, run_id: UUID, key: str, after: int, limit: int) -> Points:
    """Return points [after, after + limit) of a series in order of step and arrival."""
    number = number_of(key)
    found = fetching.directories([run_id], number)[run_id]
    tail = fetching.tails({run_id: blocks.count(found)}, number)[run_id]
    if not found:
        return tail[after : after + limit]
    homes = fetching.homes_of(found)
    landing = _landing_by_place(found, tail)
    sizes = blocks.directory_of(found)[Row.N].astype(int)
    for place, arrived in landing.items():
        sizes[place] += len(arrived)
    ends = np.cumsum(sizes)
    wanted = np.flatnonzero((ends > after) & (ends - sizes < after + limit)).tolist()
    stored = fetching.chunk_points({run_id: [homes[place] for place in wanted]}, number)
    parts = [
        sort(joined([stored[run_id, homes[place]], *_known(landing, place)])) for place in wanted
    ]
    skipped = int(ends[wanted[0]] - sizes[wanted[0]]) if wanted else 0
    return joined(parts)[after - skipped : after - skipped + limit]


def _known(landing: Mapping[int, Points], place: int) -> list[Points]:
    return [landing[place]] if place in landing else []


def _landing_by_place(found: Sequence[Directory], tail: Points) -> dict[int, Points]:
    """Return which points of the tail fall into which chunk, by the chunk's place in order."""
    first = np.cumsum([0, *(directory.chunks.shape[1] for directory in found)])
    return {
        int(first[block]) + place: arrived
        for block, chunks in blocks.landings(found, tail).items()
        for place, arrived in chunks.items()
    }
