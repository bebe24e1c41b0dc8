"""What the store is asked for and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from uuid import UUID

from tidelog_server.metrics.columns import Vector


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


@dataclass(frozen=True, slots=True)
class RunAxis:
    """A run of a chart, and the moment (seconds since the epoch) its relative time counts from."""

    run_id: UUID
    origin: float = 0.0
