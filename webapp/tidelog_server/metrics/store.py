"""The metric store: points of runs, by the run's uuid and the metric's key.

`MetricStore` is what every back end does; `tests/contracts/metric_store.py` says how well.
`store` is the one in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from tidelog_server.metrics.columns import Columns
from tidelog_server.metrics.database import DatabaseStore
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


class MetricStore(Protocol):
    """Keeps every point: in order of step, and of arrival among equal steps."""

    def append(
        self, *, run_id: UUID, stream: str, start: int, end: int, columns: Columns
    ) -> list[SeriesTotal]:
        """Store the points of records [start, end) of a stream, in the caller's transaction.

        Returns the series they belong to, as they are now. Raises BatchError.
        """
        ...

    def series(
        self, run_ids: Sequence[UUID], keys: Sequence[str] | None = None
    ) -> dict[UUID, list[SeriesTotal]]:
        """Return the series of each run in order of key; all of them, or those named."""
        ...

    def keys(self, run_ids: Sequence[UUID]) -> dict[str, int]:
        """Return every key of these runs, and how many of them have it."""
        ...

    def chart(
        self,
        *,
        key: str,
        runs: Sequence[RunAxis],
        x: X = X.STEP,
        window: Window = EVERYTHING,
        width: int,
    ) -> Chart:
        """Return the curves of a key on one axis: points while few, else buckets on one grid.

        window  on that axis; for relative time, in seconds from each run's origin
        width   pixels; at most 1.5 points or buckets are returned for each (2 at least)

        Over steps a bucket shows exactly what the plain list of points gives, whatever the history.
        Over time so does it up to a million points of a run in the window; beyond, up to about 64
        neighbouring points may be shown one bucket early, yet no least and no greatest is lost.
        A run without the key has an empty curve.
        """
        ...

    def points(self, *, run_id: UUID, key: str, after: int = 0, limit: int) -> Points:
        """Return points [after, after + limit) of a series, in order of step and arrival."""
        ...

    def runs_to_compact(self) -> list[UUID]:
        """Return runs that have gathered enough batches, or none for a while."""
        ...

    def compact(self, run_id: UUID, *, force: bool = False) -> int:
        """Bring the run's batches into the form that is read fast, in transactions of its own.

        Does nothing while they are few, unless `force`, or while another worker does it. May be
        killed at any moment. Returns how many points were moved.
        """
        ...

    def delete(self, run_id: UUID) -> None:
        """Forget every point of a run, in the caller's transaction."""
        ...

    def collect_garbage(self) -> Collected:
        """Free the room that deleted runs take, in transactions of its own. Reports what it was."""
        ...


store: MetricStore = DatabaseStore()
