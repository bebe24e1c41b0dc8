"""Read: what a chart or an export needs, from the coarsest level that shows it exactly.

Over steps a chart's buckets are those of the plain list of points, whatever the history: an
aggregate that lies in two buckets is never used, its points are read instead, and `cells` keeps
that rare. Over time aggregates have no edges to go by, so it is not rare. Up to a million points
in the window are read as points and are exact; beyond, an aggregate of about 64 points goes whole
into the bucket of its least time, at most that much too early.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics import blocks, cells, curves, fetching
from tidelog_server.metrics.aggregates import Row, group_starts
from tidelog_server.metrics.blocks import Directory
from tidelog_server.metrics.codec import Matrix
from tidelog_server.metrics.columns import Vector
from tidelog_server.metrics.curves import LATEST, Gathered, bucket_limit, span_of, within
from tidelog_server.metrics.fetching import Home
from tidelog_server.metrics.grid import Grid
from tidelog_server.metrics.models import number_of
from tidelog_server.metrics.tails import joined, sort
from tidelog_server.metrics.values import Chart, Points, RunAxis, SeriesTotal, Window, X

SHOWN = (Row.FIRST, Row.LAST, Row.MIN, Row.MAX, Row.SUM, Row.N, Row.NANS)

# Chunks of one run that are read as points because their aggregates lie in two buckets of time.
EXACT_TIME_CHUNKS = 256

Flags = npt.NDArray[np.bool_]
Totals = Mapping[UUID, SeriesTotal]
Stored = Mapping[tuple[UUID, Home], Points]


@dataclass(frozen=True, slots=True)
class _View:
    """What a chart shows of every run.

    number  of the key
    limit   of points that are shown as they are
    """

    number: int
    x: X
    window: Window
    grid: Grid
    limit: int

    @property
    def rows(self) -> Collection[Row]:
        """The rows of aggregates that the chart is made of."""
        times = () if self.x is X.STEP else (Row.TIME_MIN, Row.TIME_MAX)
        return {Row.STEP_FIRST, Row.STEP_LAST, Row.CHUNK, *times, *SHOWN}

    def in_one_bucket(self, aggregates: Matrix, run: RunAxis) -> Flags:
        low, high = span_of(aggregates, self.x, run)
        same: Flags = self.grid.index(low) == self.grid.index(high)
        return same


@dataclass(slots=True)
class _Plan:
    """What of one run's chunks is read, and how.

    chunks   the directories of its blocks side by side, CHUNK being the place in that order
    homes    where each of them lies
    whole    those whose aggregate lies in one bucket
    fine     those of whom the aggregates of level 1 do
    points   those that are read as points
    """

    run: RunAxis
    chunks: Matrix
    homes: list[Home]
    whole: Flags
    fine: Flags
    points: Flags

    def homes_to(self, read: Flags) -> list[Home]:
        return [self.homes[place] for place in np.flatnonzero(read).tolist()]


def chart(
    *, totals: Totals, key: str, runs: Sequence[RunAxis], x: X, window: Window, width: int
) -> Chart:
    """Return the curves of a key. `totals` says what of it the runs have, those that have it."""
    limit = bucket_limit(width)
    gathered = {run.run_id: Gathered(run, _count(totals, run)) for run in runs}
    present = [run for run in runs if run.run_id in totals]
    grid = curves.common_grid([(run, totals[run.run_id]) for run in present], x, window, limit)
    if grid is not None:
        view = _View(number_of(key), x, window, grid, limit)
        _gather({run.run_id: gathered[run.run_id] for run in present}, view)
    return curves.chart_of([gathered[run.run_id] for run in runs], x, grid, limit)


def _count(totals: Totals, run: RunAxis) -> int:
    return totals[run.run_id].n if run.run_id in totals else 0


def _gather(gathered: Mapping[UUID, Gathered], view: _View) -> None:
    """Read what the chart needs of these runs."""
    found = fetching.directories(list(gathered), view.number)
    plans = [_plan(into.run, found[run_id], view) for run_id, into in gathered.items()]
    fine = _read_fine(plans, view)
    stored = fetching.chunk_points(
        {plan.run.run_id: plan.homes_to(plan.points) for plan in plans},
        view.number,
        with_times=view.x is not X.STEP,
    )
    compacted = {run_id: blocks.count(directories) for run_id, directories in found.items()}
    tails = fetching.tails(
        {run_id: n for run_id, n in compacted.items() if n < gathered[run_id].total}, view.number
    )
    for plan, aggregates in zip(plans, fine, strict=True):
        run_id = plan.run.run_id
        if plan.whole.any() or plan.fine.any():
            parts = [plan.chunks[:, plan.whole], *aggregates]
            gathered[run_id].aggregates = np.concatenate(parts, axis=1)
        pieces = _pieces(plan, stored, view)
        if run_id in tails:
            pieces.append((LATEST, within(tails[run_id], view.x, plan.run, view.window)))
        gathered[run_id].points = pieces


def _pieces(plan: _Plan, stored: Stored, view: _View) -> list[tuple[float, Points]]:
    """Return what of the chunks lies in the window, each with its place in their order."""
    pieces = [
        (float(i), within(stored[plan.run.run_id, plan.homes[i]], view.x, plan.run, view.window))
        for i in np.flatnonzero(plan.points).tolist()
    ]
    if pieces and not (plan.whole.any() or plan.fine.any()):
        return [(0.0, joined([piece for _, piece in pieces]))]
    return pieces


def _plan(run: RunAxis, found: Sequence[Directory], view: _View) -> _Plan:
    """Choose for each chunk the coarsest level whose aggregates lie in one bucket each.

    What the window cuts is read as points, and so is everything while it may be shown as such.
    """
    chunks = blocks.directory_of(found)
    homes = fetching.homes_of(found)
    chunks[Row.CHUNK] = np.arange(chunks.shape[1])
    low, high = span_of(chunks, view.x, run)
    lower, upper = view.window.lower, view.window.upper
    seen = (high >= lower) & (low <= upper)
    inside = seen & (low >= lower) & (high <= upper)
    if chunks[Row.N, inside].sum() <= view.limit:
        inside[:] = False
    whole = inside.copy()
    whole[inside] = view.in_one_bucket(chunks[:, inside], run)
    fine = inside & ~whole
    if view.x is X.STEP:
        fine &= _fine_width(chunks) <= view.grid.dx
    elif fine.sum() <= EXACT_TIME_CHUNKS:
        fine[:] = False
    # The series' last chunk has no aggregates of level 1.
    fine[-1:] = False
    return _Plan(run, chunks, homes, whole, fine, points=seen & ~whole & ~fine)


def _fine_width(chunks: Matrix) -> Vector:
    ends = chunks[Row.STEP_FIRST], chunks[Row.STEP_LAST]
    return cells.width_of(chunks[Row.N], *ends, blocks.FINE_POINTS)


def _read_fine(plans: Sequence[_Plan], view: _View) -> list[list[Matrix]]:
    """Return the aggregates of level 1 that each plan wants, CHUNK being the chunk's place.

    On the step axis a chunk of which one lies in two buckets is left to be read as points.
    """
    wanted = {plan.run.run_id: {block for block, _ in plan.homes_to(plan.fine)} for plan in plans}
    rows = fetching.fine_rows(wanted, view.number, view.rows)
    return [
        [
            _fine_of(plan, block, rows[plan.run.run_id, block], view)
            for block in sorted(wanted[plan.run.run_id])
        ]
        for plan in plans
    ]


def _fine_of(plan: _Plan, block: int, row: Matrix, view: _View) -> Matrix:
    """Return what the plan wants of a block's aggregates of level 1."""
    place_of = {name: place for place, (own, name) in enumerate(plan.homes) if own == block}
    starts = group_starts(row[Row.CHUNK])
    places = [place_of[name] for name in row[Row.CHUNK, starts].astype(int).tolist()]
    row[Row.CHUNK] = np.repeat(places, np.diff(starts, append=row.shape[1]))
    row = _wanted(plan, row)
    if view.x is X.STEP:
        torn = row[Row.CHUNK, ~view.in_one_bucket(row, plan.run)].astype(int)
        if len(torn):
            plan.fine[torn], plan.points[torn] = False, True
            row = _wanted(plan, row)
    return row


def _wanted(plan: _Plan, fine: Matrix) -> Matrix:
    return fine[:, plan.fine[fine[Row.CHUNK].astype(int)]]


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
