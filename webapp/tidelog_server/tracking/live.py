"""Frames of what was just stored, for whoever watches; published after the commit."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from tidelog.wire.batch import encode
from tidelog.wire.runs import jsonable
from tidelog.wire.topics import project_topic, run_topic
from tidelog_server.core import bus
from tidelog_server.metrics.columns import Columns
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.rows import RunRow, run_row


def is_watched(project: UUID, run: UUID) -> bool:
    """Whether a page is open on the run or its project."""
    return bus.watched(run_topic(run)) or bus.watched(project_topic(project))


def show_run_after_commit(run: Run) -> None:
    """Send a run's row to those who watch it or its project."""
    transaction.on_commit(partial(show_run, run), robust=True)


def show_gone_after_commit(run: Run) -> None:
    """Tell those who watch that a run was deleted."""
    frame = encode({"kind": "gone", "run": run.run_id, "rev": run.rev}, (), ())
    transaction.on_commit(partial(bus.publish, _topics(run), frame), robust=True)


def show_points_after_commit(run: Run, columns: Columns, totals: Mapping[str, int]) -> None:
    """Send the points that were just stored.

    totals  points of each series once these are stored
    """
    transaction.on_commit(partial(show_points, run, columns, totals), robust=True)


def show_run(run: Run) -> None:
    """Send a run's row, as it was committed, to those who watch."""
    if is_watched(run.project_id, run.pk):
        bus.publish(_topics(run), run_frame(run_row(run, gaps=run.gaps.count())))


def show_points(run: Run, columns: Columns, totals: Mapping[str, int]) -> None:
    """Send points that were committed to those who watch."""
    if columns.n and is_watched(run.project_id, run.pk):
        bus.publish(_topics(run), points_frame(run.run_id, columns, totals))


def run_frame(row: RunRow) -> bytes:
    """Return the frame that shows a run's row."""
    return encode({"kind": "run", "run": jsonable(row)}, (), ())


def points_frame(run_id: str, columns: Columns, totals: Mapping[str, int]) -> bytes:
    """Return the frame that carries points: the columns as they were stored."""
    header: dict[str, Any] = {
        "kind": "points",
        "run": run_id,
        "axes": [len(axis.steps) for axis in columns.axes],
        "series": [
            {"key": s.key, "axis": s.axis, "n": len(s.values), "total": totals[s.key]}
            for s in columns.series
        ],
    }
    axes = [(axis.steps.tobytes(), axis.times.tobytes()) for axis in columns.axes]
    return encode(header, axes, [s.values.tobytes() for s in columns.series])


def _topics(run: Run) -> Sequence[str]:
    return (project_topic(run.project_id), run_topic(run.pk))
