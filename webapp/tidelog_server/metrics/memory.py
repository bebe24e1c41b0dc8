"""The metric store in a process' memory: the contract in its simplest form, for tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from uuid import UUID

import numpy as np

from tidelog_server.metrics import curves
from tidelog_server.metrics.columns import Columns
from tidelog_server.metrics.curves import Gathered
from tidelog_server.metrics.tails import joined, sort
from tidelog_server.metrics.values import (
    EVERYTHING,
    Chart,
    Collected,
    Points,
    RunAxis,
    SeriesTotal,
    Window,
    X,
)


class MemoryStore:
    """See `store.MetricStore`. Every series is one piece, sorted when it is asked for."""

    def __init__(self) -> None:
        self._arrived: dict[UUID, dict[str, list[Points]]] = defaultdict(lambda: defaultdict(list))

    def append(
        self, *, run_id: UUID, stream: str, start: int, end: int, columns: Columns
    ) -> list[SeriesTotal]:
        for column in columns.series:
            axis = columns.axes[column.axis]
            piece = Points(axis.steps.copy(), axis.times.copy(), column.values.copy())
            self._arrived[run_id][column.key].append(piece)
        return [self._total(run_id, column.key) for column in columns.series]

    def series(
        self, run_ids: Sequence[UUID], keys: Sequence[str] | None = None
    ) -> dict[UUID, list[SeriesTotal]]:
        return {
            run_id: [
                self._total(run_id, key)
                for key in sorted(self._arrived.get(run_id, {}))
                if keys is None or key in keys
            ]
            for run_id in run_ids
        }

    def keys(self, run_ids: Sequence[UUID]) -> dict[str, int]:
        counts = Counter(key for run_id in run_ids for key in self._arrived.get(run_id, {}))
        return dict(sorted(counts.items()))

    def chart(
        self,
        *,
        key: str,
        runs: Sequence[RunAxis],
        x: X = X.STEP,
        window: Window = EVERYTHING,
        width: int,
    ) -> Chart:
        gathered = [Gathered(run) for run in runs]
        present = [each for each in gathered if key in self._arrived.get(each.run.run_id, {})]
        for each in present:
            points = self._sorted(each.run.run_id, key)
            each.total = len(points)
            each.points.append((0.0, curves.within(points, x, each.run, window)))
        limit = curves.bucket_limit(width)
        totals = [(each.run, self._total(each.run.run_id, key)) for each in present]
        grid = curves.common_grid(totals, x, window, limit)
        return curves.chart_of(gathered, x, grid, limit)

    def points(self, *, run_id: UUID, key: str, after: int = 0, limit: int) -> Points:
        return self._sorted(run_id, key)[after : after + limit]

    def runs_to_compact(self) -> list[UUID]:
        return []

    def compact(self, run_id: UUID, *, force: bool = False) -> int:
        return 0

    def delete(self, run_id: UUID) -> None:
        self._arrived.pop(run_id, None)

    def collect_garbage(self) -> Collected:
        return Collected()

    def _sorted(self, run_id: UUID, key: str) -> Points:
        return sort(joined(self._arrived.get(run_id, {}).get(key, [])))

    def _total(self, run_id: UUID, key: str) -> SeriesTotal:
        points = self._sorted(run_id, key)
        return SeriesTotal(
            key=key,
            n=len(points),
            first_step=float(points.steps[0]),
            last_step=float(points.steps[-1]),
            first_time=float(points.times.min()),
            last_time=float(points.times.max()),
            last=float(points.values[-1]),
            min=float(np.fmin.reduce(points.values)),
            max=float(np.fmax.reduce(points.values)),
        )
