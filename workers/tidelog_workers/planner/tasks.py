"""What workers near the database do. A task finds its work in the database, so it may run twice."""

from uuid import UUID

from celery import shared_task

from tidelog_server.core.jobs import Job, ring
from tidelog_server.metrics.store import store
from tidelog_server.tracking import services


@shared_task(name=Job.REAP_SILENT_RUNS.value)
def reap_silent_runs() -> None:
    services.reap_silent_runs()


@shared_task(name=Job.COMPACT_DUE_RUNS.value)
def compact_due_runs() -> None:
    for run_id in store.runs_to_compact():
        ring(Job.COMPACT_RUN, run_id=str(run_id))


@shared_task(name=Job.COMPACT_RUN.value)
def compact_run(run_id: str) -> None:
    store.compact(UUID(run_id))
