"""What workers near the database do. A task finds its work in the database, so it may run twice."""

from collections.abc import Callable
from typing import ParamSpec, cast
from uuid import UUID

from celery import shared_task

from tidelog_server.core.jobs import Job, ring
from tidelog_server.metrics.store import store
from tidelog_server.tracking import services

P = ParamSpec("P")


def does(job: Job) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function the task that `job` names."""
    return cast("Callable[[Callable[P, None]], Callable[P, None]]", shared_task(name=job.value))


@does(Job.REAP_SILENT_RUNS)
def reap_silent_runs() -> None:
    services.reap_silent_runs()


@does(Job.COMPACT_DUE_RUNS)
def compact_due_runs() -> None:
    for run_id in store.runs_to_compact():
        ring(Job.COMPACT_RUN, run_id=str(run_id))


@does(Job.COMPACT_RUN)
def compact_run(run_id: str) -> None:
    store.compact(UUID(run_id))


@does(Job.COLLECT_GARBAGE)
def collect_garbage() -> None:
    store.collect_garbage()
