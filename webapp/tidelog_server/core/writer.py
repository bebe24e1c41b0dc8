"""Write transactions, taken from where they arise to where they may run.

SQLite has one writer, so one thread writes, and whatever waited while it committed shares the
next commit: a disk flush is paid once for all of them. Postgres gets a few threads instead, and a
transaction for each.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction

from tidelog_server.core import measures

T = TypeVar("T")
POSTGRES_THREADS = 4
SQLITE_GROUP = 32


class _Job:
    """A function that waits, and the future that its sender waits for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.outcome: Any = None
        self.error: BaseException | None = None

    def run(self, run: Callable[[Callable[[], Any]], Any]) -> None:
        """Let `run` do the work, and keep what comes of it."""
        try:
            self.outcome = run(self.work)
        except Exception as error:  # noqa: BLE001  it belongs to the sender, who gets it
            self.error = error

    def settle(self, failure: BaseException | None = None) -> None:
        """Tell the sender; `failure` is what became of the whole group."""
        error = self.error or failure
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(self.outcome)


class Writer:
    """Runs functions in write transactions; a future tells when theirs is committed.

    threads  how many transactions at a time
    group    how many functions may share one transaction; should one fail, the others run again
    """

    def __init__(self, *, threads: int, group: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._group = group
        self._threads = [
            threading.Thread(target=self._work, name=f"writer-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Run `work` in a transaction. The future's result is there after the commit."""
        job = _Job(work)
        self._jobs.put(job)
        return job.future

    @property
    def waiting(self) -> int:
        """How many functions nobody has begun."""
        return self._jobs.qsize()

    def stop(self) -> None:
        """Finish what was submitted and let go of the database."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        # No group is kept while waiting for the next one: a body can be 16 MiB.
        while self._write(self._waiting()):
            pass
        connection.close()

    def _waiting(self) -> list[_Job | None]:
        group = [self._jobs.get()]
        while len(group) < self._group and not self._jobs.empty():
            group.append(self._jobs.get())
        return group

    def _write(self, group: list[_Job | None]) -> bool:
        jobs = [job for job in group if job is not None]
        measures.commits.inc(bool(jobs))
        if len(jobs) == 1:
            jobs[0].run(_alone)
            jobs[0].settle()
        elif jobs:
            _together(jobs)
        return len(jobs) == len(group)


def _together(jobs: list[_Job]) -> None:
    """Commit all at once. Savepoints cost as much as a small job, so the first try has none."""
    try:
        _alone(partial(_each, jobs))
    except OperationalError as error:  # the database is away, busy or full: for everybody
        _settle(jobs, error)
    except Exception:  # noqa: BLE001  whose it is will be seen: nothing is committed, all run again
        _one_by_one(jobs)
    else:
        _settle(jobs)


def _one_by_one(jobs: list[_Job]) -> None:
    failure: BaseException | None = None
    try:
        _alone(partial(_each_in_a_savepoint, jobs))
    except Exception as error:  # noqa: BLE001  whatever it was, nothing was committed: all are told
        failure = error
    _settle(jobs, failure)


def _settle(jobs: list[_Job], failure: BaseException | None = None) -> None:
    for job in jobs:
        job.settle(failure)


def _each(jobs: list[_Job]) -> None:
    for job in jobs:
        job.outcome = job.work()
        _check_it_will_commit()


def _each_in_a_savepoint(jobs: list[_Job]) -> None:
    """What fails in one undoes nothing of the others, unless it takes the transaction with it."""
    for job in jobs:
        job.run(transaction.atomic(_call))
        _check_it_will_commit()


def _check_it_will_commit() -> None:
    """Raise if the transaction is lost: Django would roll back and say nothing.

    A connection that breaks in one job, or a full disk, also undoes the jobs before it; their
    senders must not be told that they are stored.
    """
    if connection.needs_rollback or connection.closed_in_transaction:
        raise OperationalError("The transaction was lost before its commit.")


def _call(work: Callable[[], T]) -> T:
    return work()


def _alone(work: Callable[[], T]) -> T:
    # The thread's connection outlives requests, so nobody else checks whether it still works.
    connection.health_check_done = False  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            outcome = work()
            _check_it_will_commit()
            return outcome
    except Exception:
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
        raise


@contextmanager
def without_waiting() -> Iterator[None]:
    """Let a write outside the writer fail at once where SQLite would queue it behind the writer.

    Under load the writer takes the lock again and again, and who polls for it may get none for
    seconds. For what may as well be written another time.
    """
    if connection.vendor != "sqlite":
        yield
        return
    patience = int(1000 * connection.settings_dict["OPTIONS"]["timeout"])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")


@cache
def writer() -> Writer:
    """Return this process' writer; after `stop_writer` a new one."""
    if connection.vendor == "sqlite":
        return Writer(threads=1, group=SQLITE_GROUP)
    return Writer(threads=POSTGRES_THREADS, group=1)


def waiting() -> int:
    """Return how many functions wait for this process' writer."""
    return writer().waiting if writer.cache_info().currsize else 0


def stop_writer() -> None:
    """Finish what was submitted to this process' writer, if there is one."""
    if writer.cache_info().currsize:
        writer().stop()
        writer.cache_clear()
