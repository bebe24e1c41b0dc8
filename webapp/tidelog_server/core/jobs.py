"""Jobs by name. The row is the job, the message is a doorbell.

The server never imports a task: it rings by name, and a test checks that every name has its task
and every task its name. A lost ring costs the time to the next tick, which finds the row.
"""

import logging
import queue
import threading
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING

from django.db import transaction

from tidelog_server.core import broker

if TYPE_CHECKING:
    from celery import Celery

logger = logging.getLogger(__name__)
WAITING_RINGS = 1000


class Job(StrEnum):
    """What can be asked for. A name is `queue.task`."""

    REAP_SILENT_RUNS = "control.reap_silent_runs"
    COMPACT_DUE_RUNS = "io.compact_due_runs"
    COMPACT_RUN = "io.compact_run"
    COLLECT_GARBAGE = "io.collect_garbage"

    @property
    def queue(self) -> str:
        return self.partition(".")[0]


def ring(job: Job, **arguments: str | int) -> None:
    """Ask for `job` once the current transaction commits. Never waits, never raises."""
    transaction.on_commit(partial(_ask, job, arguments))


def _ask(job: Job, arguments: dict[str, str | int]) -> None:
    try:
        _bells().put_nowait((job, arguments))
    except queue.Full:
        logger.warning("too many jobs wait for the broker: %s is left to the next tick", job)


@cache
def _bells() -> "queue.Queue[tuple[Job, dict[str, str | int]]]":
    """The rings on their way to the broker, and the thread that takes them there.

    A thread, because a broker that is slow or away must not delay the request that rings.
    """
    bells: queue.Queue[tuple[Job, dict[str, str | int]]] = queue.Queue(WAITING_RINGS)
    threading.Thread(target=_ring_bells, args=(bells,), name="jobs-bell", daemon=True).start()
    return bells


def _ring_bells(bells: "queue.Queue[tuple[Job, dict[str, str | int]]]") -> None:
    while True:
        job, arguments = bells.get()
        try:
            _app().send_task(job.value, kwargs=arguments, queue=job.queue, retry=False)
        except Exception as error:  # noqa: BLE001  any broker, any error: the next tick finds the row
            logger.warning("the broker did not take %s (%s): left to the next tick", job, error)
        bells.task_done()


@cache
def _app() -> "Celery":
    # Celery costs 100 ms and 15 MB to import: a web process that never rings does not pay.
    from celery import Celery

    app = Celery("tidelog", set_as_current=False)
    app.conf.update(broker.settings_for_celery())
    return app
