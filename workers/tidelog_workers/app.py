"""The Celery app: which tasks there are, when they tick, how their messages travel."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tidelog_server.settings")
# `manage check` and the tests run Django's checks; a worker need not at each start.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

from celery import Celery
from celery.schedules import schedule

from tidelog_server.core.broker import settings_for_celery
from tidelog_server.core.jobs import Job

# seconds between two rings; a tick only finds what is due in the database
TICKS = {Job.REAP_SILENT_RUNS: 30, Job.COMPACT_DUE_RUNS: 10, Job.COLLECT_GARBAGE: 60}


def _tick(job: Job, seconds: int) -> dict[str, object]:
    # A worker that was away must not find a heap of old ticks: they expire.
    options = {"queue": job.queue, "expires": seconds}
    return {"task": job.value, "schedule": schedule(seconds), "options": options}


app = Celery("tidelog")
app.conf.update(
    settings_for_celery(),
    imports=["tidelog_workers.planner.tasks"],
    result_serializer="json",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_queue="control",
    task_routes={job.value: {"queue": job.queue} for job in Job},
    worker_prefetch_multiplier=1,
    # The supervisor and the broker know who lives; workers need not chat about it.
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={job.value: _tick(job, seconds) for job, seconds in TICKS.items()},
)
