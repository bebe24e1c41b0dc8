"""What is kept of neighbouring points when they are too many to show: a column of numbers.

Aggregates are columns of a matrix whose rows `Row` names. They are exact: two neighbours fold
into what their points would have given.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics.codec import Matrix
from tidelog_server.metrics.columns import Vector
from tidelog_server.metrics.values import Points

Integers = npt.NDArray[np.intp]


class Row(IntEnum):
    """The rows of a matrix of aggregates.

    FIRST, LAST       the values at the ends, NaN if a NaN lies there
    MIN, MAX, SUM     of the values that are not NaN, infinities counted; MIN and MAX are NaN and
                      SUM is 0 if there is none
    N, NANS           how many points, and how many of them are NaN
    CHUNK             the level-0 chunk they lie in, as `blocks` names it
    """

    STEP_FIRST = 0
    STEP_LAST = 1
    TIME_MIN = 2
    TIME_MAX = 3
    FIRST = 4
    LAST = 5
    MIN = 6
    MAX = 7
    SUM = 8
    N = 9
    NANS = 10
    CHUNK = 11


def no_aggregates() -> Matrix:
    return np.empty((len(Row), 0))


def summarise(points: Points, starts: Integers) -> Matrix:
    """Return one aggregate for each group of neighbouring points; a group begins at each start.

    starts  rising, the first is 0
    """
    out = np.empty((len(Row), len(starts)))
    ends = np.append(starts[1:], len(points)) - 1
    values, nan = points.values, np.isnan(points.values)
    with np.errstate(invalid="ignore", over="ignore"):
        out[Row.STEP_FIRST], out[Row.STEP_LAST] = points.steps[starts], points.steps[ends]
        out[Row.TIME_MIN] = np.minimum.reduceat(points.times, starts)
        out[Row.TIME_MAX] = np.maximum.reduceat(points.times, starts)
        out[Row.FIRST], out[Row.LAST] = values[starts], values[ends]
        out[Row.MIN] = np.fmin.reduceat(values, starts)
        out[Row.MAX] = np.fmax.reduceat(values, starts)
        out[Row.SUM] = np.add.reduceat(np.where(nan, 0.0, values), starts)
        out[Row.N] = ends - starts + 1
        out[Row.NANS] = np.add.reduceat(nan, starts, dtype=float)
        out[Row.CHUNK] = 0
    return out


def fold(parts: Matrix, starts: Integers) -> Matrix:
    """Return one aggregate for each group of neighbouring aggregates, as `summarise` does.

    parts  in order of step within each group
    """
    out = np.empty((len(Row), len(starts)))
    ends = np.append(starts[1:], parts.shape[1]) - 1
    for row in (Row.STEP_FIRST, Row.FIRST, Row.CHUNK):
        out[row] = parts[row, starts]
    for row in (Row.STEP_LAST, Row.LAST):
        out[row] = parts[row, ends]
    with np.errstate(invalid="ignore", over="ignore"):
        for row in (Row.TIME_MIN, Row.MIN):
            out[row] = np.fmin.reduceat(parts[row], starts)
        for row in (Row.TIME_MAX, Row.MAX):
            out[row] = np.fmax.reduceat(parts[row], starts)
        for row in (Row.SUM, Row.N, Row.NANS):
            out[row] = np.add.reduceat(parts[row], starts)
    return out


def group_starts(groups: npt.NDArray[np.int64] | Vector) -> Integers:
    """Return where each run of equal numbers begins."""
    if not len(groups):
        return np.empty(0, np.intp)
    return np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))


def every(n: int, size: int) -> Integers:
    """Return the starts of groups of `size` among `n`."""
    return np.arange(0, n, size, dtype=np.intp)


def mean(aggregates: Matrix) -> Vector:
    """Return the mean of the values that are not NaN, and NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Vector = aggregates[Row.SUM] / (aggregates[Row.N] - aggregates[Row.NANS])
    return means
