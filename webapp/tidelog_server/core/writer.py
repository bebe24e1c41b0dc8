"""Write transactions, taken from where they arise to where they may run.

SQLite has one writer, so one thread writes, and whatever waited while it committed shares the
next commit: a disk flush is paid once for all of them. Postgres gets a small pool instead.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeVar

from django.db import connection, transaction

T = TypeVar("T")
POSTGRES_THREADS = 4
LARGEST_GROUP = 32


class Writer:
    """Runs functions in write transactions; a future tells when theirs is committed."""

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Run `work` in a transaction. The future's result is there after the commit."""
        raise NotImplementedError

    def stop(self) -> None:
        """Finish what was submitted and let go of the database."""
        raise NotImplementedError


class PoolWriter(Writer):
    """A transaction for each function, a few at a time."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="writer")

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        return self._pool.submit(_alone, work)

    def stop(self) -> None:
        # The connections are the threads' own and end with them.
        self._pool.shutdown()


class _Job:
    """A function that waits, and the future that its sender waits for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.outcome: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run in a savepoint, so that what fails here undoes nothing of the others."""
        try:
            with transaction.atomic():
                self.outcome = self.work()
        except Exception as error:  # noqa: BLE001  it belongs to the sender, who gets it
            self.error = error

    def settle(self, failure: BaseException | None) -> None:
        """Tell the sender; `failure` is what became of the whole group."""
        error = self.error or failure
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(self.outcome)


class GroupWriter(Writer):
    """One thread, one transaction for all that waits, a savepoint for each."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        job = _Job(work)
        self._jobs.put(job)
        return job.future

    def stop(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        # No group is kept while waiting for the next one: a body can be 16 MiB.
        while self._write(self._waiting()):
            pass
        connection.close()

    def _waiting(self) -> "list[_Job | None]":
        group = [self._jobs.get()]
        while len(group) < LARGEST_GROUP and not self._jobs.empty():
            group.append(self._jobs.get())
        return group

    def _write(self, group: "list[_Job | None]") -> bool:
        jobs = [job for job in group if job is not None]
        if jobs:
            _together(jobs)
        return len(jobs) == len(group)


def _together(group: list[_Job]) -> None:
    failure: BaseException | None = None
    try:
        _alone(partial(_run_each, group))
    except Exception as error:  # noqa: BLE001  whatever it was, nothing was committed: all are told
        failure = error
    for job in group:
        job.settle(failure)


def _run_each(group: list[_Job]) -> None:
    for job in group:
        job.run()


def _alone(work: Callable[[], T]) -> T:
    # The thread's connection outlives requests, so nobody else checks whether it still works.
    connection.health_check_done = False  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            return work()
    except Exception:
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
        raise


@cache
def writer() -> Writer:
    """Return this process' writer; after `stop_writer` a new one."""
    if connection.vendor == "sqlite":
        return GroupWriter()
    return PoolWriter(POSTGRES_THREADS)


def stop_writer() -> None:
    """Finish what was submitted to this process' writer, if there is one."""
    if writer.cache_info().currsize:
        writer().stop()
        writer.cache_clear()
