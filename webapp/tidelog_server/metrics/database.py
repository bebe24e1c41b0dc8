"""The metric store in the tables of `models`, on SQLite or Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count

from tidelog_server.metrics import appending, bell, compaction, fetching, garbage, reading
from tidelog_server.metrics.columns import Columns
from tidelog_server.metrics.models import Series, number_of
from tidelog_server.metrics.tails import joined
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


class DatabaseStore:
    """See `store.MetricStore`."""

    def append(
        self, *, run_id: UUID, stream: str, start: int, end: int, columns: Columns
    ) -> list[SeriesTotal]:
        bell.ring_when_due(run_id, columns.n)
        return appending.append(run_id=run_id, stream=stream, start=start, end=end, columns=columns)

    def series(
        self, run_ids: Sequence[UUID], keys: Sequence[str] | None = None
    ) -> dict[UUID, list[SeriesTotal]]:
        rows = Series.objects.filter(run_id__in=run_ids)
        if keys is not None:
            rows = rows.filter(number__in=[number_of(key) for key in keys])
        found: dict[UUID, list[SeriesTotal]] = {run_id: [] for run_id in run_ids}
        for run_id, _, *counters in rows.values_list(*appending.FIELDS):
            found[run_id].append(appending.total_of(counters))
        # Sorted here, where no database's collation has a say.
        return {run_id: sorted(totals, key=lambda t: t.key) for run_id, totals in found.items()}

    def keys(self, run_ids: Sequence[UUID]) -> dict[str, int]:
        rows = Series.objects.filter(run_id__in=run_ids).values_list("key")
        return dict(sorted(rows.annotate(runs=Count("run_id")).order_by()))

    def chart(
        self,
        *,
        key: str,
        runs: Sequence[RunAxis],
        x: X = X.STEP,
        window: Window = EVERYTHING,
        width: int,
    ) -> Chart:
        with fetching.snapshot():
            series = self.series([run.run_id for run in runs], [key])
            totals = {run_id: found[0] for run_id, found in series.items() if found}
            return reading.chart(totals=totals, key=key, runs=runs, x=x, window=window, width=width)

    def points(self, *, run_id: UUID, key: str, after: int = 0, limit: int) -> Points:
        with fetching.snapshot():
            if not self.series([run_id], [key])[run_id]:
                return joined([])
            return reading.points(run_id=run_id, key=key, after=after, limit=limit)

    def runs_to_compact(self) -> list[UUID]:
        return compaction.due()

    def compact(self, run_id: UUID, *, force: bool = False) -> int:
        return compaction.compact(run_id, force=force)

    def delete(self, run_id: UUID) -> None:
        garbage.delete(run_id)

    def collect_garbage(self) -> Collected:
        return garbage.collect()
