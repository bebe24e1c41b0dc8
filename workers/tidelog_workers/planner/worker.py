"""The worker process: all queues, a few threads, and the clock that ticks."""

import signal
import warnings
from types import FrameType

from celery.beat import EmbeddedService
from celery.exceptions import SecurityWarning
from celery.signals import worker_ready
from celery.worker import state

from tidelog_server.core.jobs import ring
from tidelog_workers.app import TICKS, app

QUEUES = ("control", "io")


def serve(*, threads: int = 2) -> int:
    """Work until told to stop, and return the exit code.

    threads  tasks at a time; compaction spends its time in numpy and zstd, which let go of the GIL
    """
    # Root is usual in a container, and nothing here is pickled, which is what Celery fears.
    warnings.simplefilter("ignore", SecurityWarning)
    worker_ready.connect(_begin)
    worker = app.Worker(
        pool="threads",
        concurrency=threads,
        queues=QUEUES,
        quiet=True,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _begin(**_: object) -> None:
    """Tick in every worker, in a thread: two ticks find the same work, and one of them nothing."""
    EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler).start()
    # What fell due while nobody worked need not wait for the first tick.
    for job in TICKS:
        ring(job)
    # Celery's own handlers do the same and talk about it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(_number: int, _frame: FrameType | None) -> None:
    state.should_stop = 0
