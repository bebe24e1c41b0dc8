"""The common grid of a chart's buckets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidelog_server.metrics.columns import Vector

WIDEST = math.ldexp(1.0, 1023)
NARROWEST = math.ldexp(1.0, -1074)


@dataclass(frozen=True, slots=True)
class Grid:
    """Buckets [(first + i) * dx, (first + i + 1) * dx) for i in 0 ... n - 1.

    `dx` is a power of two and the edges are its multiples. So a curve that grows keeps its
    buckets until they double, the arithmetic is exact, and the edges fall between the aggregates
    of a series that was logged at every step.
    """

    dx: float
    first: float
    n: int

    @classmethod
    def over(cls, lower: float, upper: float, limit: int) -> Grid:
        """Return the finest grid that covers [lower, upper] with at most `limit` >= 2 buckets."""
        ideal = upper / limit - lower / limit
        dx = math.ldexp(1.0, min(math.frexp(ideal)[1] - 1, 1023)) if ideal > 0 else 1.0
        dx = max(dx, NARROWEST)
        while _count(lower, upper, dx) > limit and dx < WIDEST:
            dx *= 2
        return cls(dx=dx, first=float(math.floor(lower / dx)), n=_count(lower, upper, dx))

    @property
    def x0(self) -> float:
        return self.first * self.dx

    def index(self, x: Vector) -> npt.NDArray[np.int64]:
        """Return the bucket of each x, all of them within the grid."""
        return (np.floor(x / self.dx) - self.first).astype(np.int64)


def _count(lower: float, upper: float, dx: float) -> int:
    return int(math.floor(upper / dx) - math.floor(lower / dx)) + 1
