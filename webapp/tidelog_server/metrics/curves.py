"""From points and aggregates to the lines of a chart. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics.aggregates import Row, fold, group_starts, mean, summarise
from tidelog_server.metrics.codec import Matrix
from tidelog_server.metrics.columns import Vector
from tidelog_server.metrics.grid import Grid
from tidelog_server.metrics.tails import joined
from tidelog_server.metrics.values import Chart, Curve, Points, RunAxis, SeriesTotal, Window, X

POINTS_PER_PIXEL = 1.5
LATEST = np.inf


def bucket_limit(width: int) -> int:
    """Return how many points or buckets a chart `width` pixels wide shows at most."""
    return max(2, int(POINTS_PER_PIXEL * width))


def x_of(points: Points, x: X, run: RunAxis) -> Vector:
    """Return where the points lie on the axis."""
    match x:
        case X.STEP:
            return points.steps
        case X.RELATIVE:
            return points.times - run.origin
        case X.WALL:
            return points.times


def span_of(aggregates: Matrix, x: X, run: RunAxis) -> tuple[Vector, Vector]:
    """Return the least and the greatest x of each aggregate."""
    if x is X.STEP:
        return aggregates[Row.STEP_FIRST], aggregates[Row.STEP_LAST]
    origin = run.origin if x is X.RELATIVE else 0.0
    return aggregates[Row.TIME_MIN] - origin, aggregates[Row.TIME_MAX] - origin


def common_grid(
    present: Sequence[tuple[RunAxis, SeriesTotal]], x: X, window: Window, limit: int
) -> Grid | None:
    """Return the grid over what the runs have within the window; None if that is nothing."""
    spans = [_extent(total, x, run) for run, total in present]
    seen = [
        (max(lower, window.lower), min(upper, window.upper))
        for lower, upper in spans
        if lower <= window.upper and upper >= window.lower
    ]
    if not seen:
        return None
    return Grid.over(min(low for low, _ in seen), max(high for _, high in seen), limit)


def _extent(total: SeriesTotal, x: X, run: RunAxis) -> tuple[float, float]:
    if x is X.STEP:
        return total.first_step, total.last_step
    origin = run.origin if x is X.RELATIVE else 0.0
    return total.first_time - origin, total.last_time - origin


def within(points: Points, x: X, run: RunAxis, window: Window) -> Points:
    """Return the points that lie in the window."""
    place = x_of(points, x, run)
    inside = (place >= window.lower) & (place <= window.upper)
    return points if inside.all() else points[inside]


@dataclass(slots=True)
class Gathered:
    """What was read of one series within a window.

    points      pieces in order, each beside its place in that order; the tail has LATEST
    aggregates  of points that lie wholly within; their CHUNK row is their place
    """

    run: RunAxis
    total: int = 0
    points: list[tuple[float, Points]] = field(default_factory=list)
    aggregates: Matrix | None = None

    @property
    def range(self) -> int:
        count = sum(len(points) for _, points in self.points)
        return count + (0 if self.aggregates is None else int(self.aggregates[Row.N].sum()))


def chart_of(gathered: Sequence[Gathered], x: X, grid: Grid | None, limit: int) -> Chart:
    """Return the points if no more than `limit` places are needed to show them, else buckets."""
    if grid is None:
        return Chart(curves=[_nothing(each) for each in gathered], x=np.empty(0))
    if all(each.aggregates is None and each.range <= limit for each in gathered):
        lines = [_sorted_by_x(each, x) for each in gathered]
        places, union = _union(
            [x_of(line, x, g.run) for line, g in zip(lines, gathered, strict=True)]
        )
        if len(union) <= limit:
            curves = [
                _raw(g, line, place, len(union))
                for g, line, place in zip(gathered, lines, places, strict=True)
            ]
            return Chart(curves=curves, x=union)
    return Chart(curves=[_bucketed(each, x, grid) for each in gathered], grid=grid)


def _nothing(gathered: Gathered) -> Curve:
    empty = np.empty(0)
    return Curve(gathered.run.run_id, gathered.total, 0, {"value": empty}, np.empty(0, np.intp))


def _sorted_by_x(gathered: Gathered, x: X) -> Points:
    """Return the points by x, and by step and arrival among equal x."""
    points = joined([part for _, part in sorted(gathered.points, key=lambda part: part[0])])
    if len(points):
        points = points[np.argsort(points.steps, kind="stable")]
    if x is X.STEP:
        return points
    return points[np.argsort(x_of(points, x, gathered.run), kind="stable")]


Places = npt.NDArray[np.intp]


def _union(columns: Sequence[Vector]) -> tuple[list[Places], Vector]:
    """Return the union of sorted columns, and the place in it of each number of each column.

    A number is in it as often as in the column where it is most often.
    """
    first = columns[0]
    if all(np.array_equal(column, first) for column in columns[1:]):
        return [np.arange(len(first))] * len(columns), first
    # The second 3.0 of a column is 3+1j: complex numbers sort by their real part first.
    pairs = np.concatenate([column + 1j * _occurrence(column) for column in columns])
    union, places = np.unique(pairs, return_inverse=True)
    ends = np.cumsum([len(column) for column in columns])
    return np.split(places, ends[:-1]), union.real


def _occurrence(column: Vector) -> Places:
    """Return how many equal numbers stand before each number of a sorted column."""
    starts = group_starts(column)
    return np.arange(len(column)) - np.repeat(starts, np.diff(starts, append=len(column)))


def _raw(gathered: Gathered, line: Points, places: Places, n: int) -> Curve:
    values = np.full(n, np.nan)
    values[places] = line.values
    nan = places[np.isnan(line.values)]
    return Curve(gathered.run.run_id, gathered.total, gathered.range, {"value": values}, nan)


def _bucketed(gathered: Gathered, x: X, grid: Grid) -> Curve:
    buckets, found = bucket_aggregates(gathered, x, grid)
    whole = np.full((len(Row), grid.n), np.nan)
    whole[:, buckets] = found
    columns = {
        "mean": mean(whole),
        "min": whole[Row.MIN],
        "max": whole[Row.MAX],
        "first": whole[Row.FIRST],
        "last": whole[Row.LAST],
        "count": whole[Row.N],
    }
    nan = np.flatnonzero(whole[Row.NANS] > 0)
    return Curve(gathered.run.run_id, gathered.total, gathered.range, columns, nan)


def bucket_aggregates(gathered: Gathered, x: X, grid: Grid) -> tuple[Places, Matrix]:
    """Return the buckets that hold something, rising, and one aggregate for each.

    A stored aggregate goes whole into the bucket of its least x. First and last are by step, and
    by arrival among equal steps, on any axis.
    """
    parts = [
        _points_by_bucket(points, place, x, gathered.run, grid)
        for place, points in gathered.points
        if len(points)
    ]
    if gathered.aggregates is not None and gathered.aggregates.size:
        index = grid.index(span_of(gathered.aggregates, x, gathered.run)[0])
        parts.append(_grouped(index, gathered.aggregates))
    if not parts:
        return np.empty(0, np.intp), np.empty((len(Row), 0))
    if len(parts) == 1:
        return parts[0]
    return _combined(
        np.concatenate([index for index, _ in parts]),
        np.concatenate([part for _, part in parts], axis=1),
    )


def _points_by_bucket(
    points: Points, place: float, x: X, run: RunAxis, grid: Grid
) -> tuple[Places, Matrix]:
    index = grid.index(x_of(points, x, run))
    if (index[1:] < index[:-1]).any():
        order = np.argsort(index, kind="stable")
        index, points = index[order], points[order]
    starts = group_starts(index)
    part = summarise(points, starts)
    part[Row.CHUNK] = place
    return index[starts], part


def _grouped(index: Places, aggregates: Matrix) -> tuple[Places, Matrix]:
    if (index[1:] < index[:-1]).any():
        order = np.argsort(index, kind="stable")
        index, aggregates = index[order], aggregates[:, order]
    starts = group_starts(index)
    return index[starts], fold(aggregates, starts)


def _combined(index: Places, parts: Matrix) -> tuple[Places, Matrix]:
    """Fold parts that overlap: the last value is that of the greatest step, the latest of them."""
    order = np.lexsort((parts[Row.CHUNK], parts[Row.STEP_LAST], index))
    starts = group_starts(index[order])
    whole = fold(parts[:, order], starts)
    by_first = np.lexsort((parts[Row.CHUNK], parts[Row.STEP_FIRST], index))
    for row in (Row.STEP_FIRST, Row.FIRST):
        whole[row] = parts[row, by_first][starts]
    return index[order][starts], whole
