"""A run as the API, the pages and the sockets show it."""

from datetime import datetime
from typing import Any, TypedDict

from django.utils.timezone import now

from tidelog_server.tracking.models import Run


class RunRow(TypedDict):
    """One row of the run table; times in ISO 8601 UTC, keys of config and summary flat."""

    id: str
    name: str
    number: int
    state: str
    color: int
    tags: list[str]
    group: str
    job_type: str
    notes: str
    author: str | None
    host: str
    created_at: str | None
    started_at: str | None
    heard_at: str | None
    ended_at: str | None
    duration: float
    config: dict[str, Any]
    summary: dict[str, Any]
    exit_code: int | None
    dropped: dict[str, int]
    gaps: int
    rev: int


class RunDetail(RunRow):
    """A run on its own page."""

    command: str
    environment: dict[str, Any]


def run_row(run: Run, *, gaps: int) -> RunRow:
    """Return a run's row.

    gaps  how many stretches of records were lost (`RunQuerySet.with_gaps` counts them)
    """
    return RunRow(
        id=run.run_id,
        name=run.name,
        number=run.number,
        state=run.state,
        color=run.color,
        tags=run.tags,
        group=run.group,
        job_type=run.job_type,
        notes=run.notes,
        author=run.author.get_full_name() if run.author else None,
        host=run.host,
        created_at=iso(run.created_at),
        started_at=iso(run.started_at),
        heard_at=iso(run.heard_at),
        ended_at=iso(run.ended_at),
        duration=duration(run),
        config=run.config,
        summary=run.summary,
        exit_code=run.exit_code,
        dropped=run.dropped,
        gaps=gaps,
        rev=run.rev,
    )


def run_detail(run: Run, *, gaps: int) -> RunDetail:
    """Return a run's row and what only its own page shows."""
    return RunDetail(**run_row(run, gaps=gaps), command=run.command, environment=run.environment)


def duration(run: Run) -> float:
    """Return how long a run has trained, in seconds; clocks that jump never make it negative."""
    begin = run.started_at or run.created_at
    return max(0.0, ((run.ended_at or now()) - begin).total_seconds())


def iso(moment: datetime | None) -> str | None:
    """Return a time as the API writes it."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
