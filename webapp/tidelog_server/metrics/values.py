"""What the store is asked for and what it answers."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from uuid import UUID

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics.columns import Vector
from tidelog_server.metrics.grid import Grid


@dataclass(frozen=True, slots=True)
class SeriesTotal:
    """What is known of a series without reading its points.

    n           points stored, counting repeated steps
    first_step, last_step, first_time, last_time   the least and the greatest
    last        value at the greatest step, the latest to arrive there; may be NaN
    min, max    of the values that are not NaN, infinities counted; NaN if there is none
    """

    key: str
    n: int
    first_step: float
    last_step: float
    first_time: float
    last_time: float
    last: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Points:
    """Points in order of step, and of arrival among equal steps."""

    steps: Vector
    times: Vector
    values: Vector

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: object) -> Points:
        return Points(self.steps[index], self.times[index], self.values[index])  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of an axis that is asked for, both ends included."""

    lower: float = -math.inf
    upper: float = math.inf


EVERYTHING = Window()


@dataclass(frozen=True, slots=True)
class RunAxis:
    """A run of a chart, and the moment (seconds since the epoch) its relative time counts from."""

    run_id: UUID
    origin: float = 0.0


class X(StrEnum):
    """What a chart's x axis counts."""

    STEP = "step"
    RELATIVE = "relative"
    WALL = "wall"


@dataclass(frozen=True, slots=True)
class Curve:
    """One run's line in a chart.

    total    points stored in the series
    range    points within the chart's window, each counted
    columns  by name: "value" at each x, or "mean", "min", "max", "first", "last" and "count" of
             each bucket (the least step is first, the greatest last); NaN where there is nothing
    nan      where a NaN was logged
    """

    run_id: UUID
    total: int
    range: int
    columns: dict[str, Vector]
    nan: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves on one x axis: the points themselves while they are few, else buckets.

    x     of each point, rising, as often as it comes in the curve where it comes most; None if
          these are buckets
    grid  of the buckets; None if these are points
    """

    curves: list[Curve]
    x: Vector | None = None
    grid: Grid | None = None

    @property
    def n(self) -> int:
        """How long the columns are."""
        if self.grid is not None:
            return self.grid.n
        return 0 if self.x is None else len(self.x)


@dataclass(frozen=True, slots=True)
class Collected:
    """What garbage collection removed: runs that are gone for good, and rows."""

    runs: int = 0
    batches: int = 0
    chunks: int = 0

    def __add__(self, other: Collected) -> Collected:
        return Collected(
            self.runs + other.runs, self.batches + other.batches, self.chunks + other.chunks
        )

    def as_dict(self) -> dict[str, int]:
        return asdict(self)
