"""The tables of this process: one a project, as new as the database at every question.

A question first asks for the project's revision. If the table is older, it reads the rows whose
revision is higher: revisions are taken under the project's lock, so commit order is their order,
and nothing below the highest one that was read can still appear.

Two locks a project. `_syncing` lets one thread at a time read the database; who needs the same
rows waits for it. `_using` guards the table itself and is held for milliseconds, never while the
database is asked.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import numpy as np
import structlog
from django.conf import settings

from tidelog_server.core.models import server_identity
from tidelog_server.runtable import snapshot
from tidelog_server.runtable.changes import changes
from tidelog_server.runtable.table import Table
from tidelog_server.tracking.models import Project

log = structlog.get_logger(__name__)

# Fewer runs are read from the database as quickly.
LEAST_RUNS = 2_000
# So many runs, or this part of all, may have changed before a snapshot is worth a new one.
MOST_CHANGED, CHANGED_PART = 2_000, 0.02
SECONDS_BETWEEN = 30.0


class Entry:
    """A project's table and what guards it."""

    def __init__(self, project: UUID) -> None:
        self.project = project
        self.nbytes = 0
        self._identity = ""
        self._table = Table()
        self._using = threading.Lock()
        self._syncing = threading.Lock()
        self._saved_rev = -1
        self._saved_at = -math.inf

    @contextmanager
    def table(self, *, newest: int) -> Iterator[Table]:
        """Hold the table, at revision `newest` or later, for the length of the block."""
        if self._table.rev != newest:
            self._sync(newest)
        with self._using:
            yield self._table

    def save(self) -> None:
        """Write a snapshot; one that cannot be written is only missed."""
        with self._using:
            copy = snapshot.copied(self._table)
        try:
            snapshot.save(path_of(self.project), copy, identity=self._identity)
        except OSError as error:
            log.warning("a snapshot of the run table could not be written", error=str(error))

    def _sync(self, newest: int) -> None:
        with self._syncing:
            self._begin_anew_if_restored(newest)
            if self._table.rev >= newest:
                return
            if self._table.rev < 0:
                self._replace(self._first(newest))
            for rows in changes(self.project, since=self._table.rev):
                with self._using:
                    self._table.apply(rows)
            with self._using:
                # Without a run there is no revision to learn from rows.
                self._table.rev = max(self._table.rev, newest)
                self.nbytes = self._table.nbytes
            self._save_if_due()

    def _begin_anew_if_restored(self, newest: int) -> None:
        """Forget everything when the database came back from a backup: its revisions did, too."""
        identity = identity_of(self.project)
        behind = newest < self._table.rev and revision(self.project) < self._table.rev
        if behind or identity != self._identity:
            self._identity = identity
            self._replace(Table())

    def _first(self, newest: int) -> Table:
        found = snapshot.load(path_of(self.project), identity=self._identity, newest=newest)
        if found is None:
            return Table()
        self._saved_rev = found.rev
        return found

    def _replace(self, table: Table) -> None:
        with self._using:
            self._table = table

    def _save_if_due(self) -> None:
        """Write a snapshot if a process that starts now would have much to read."""
        size = self._table.size
        changed = int(np.count_nonzero(self._table.revs[:size] > self._saved_rev))
        recent = time.monotonic() < self._saved_at + SECONDS_BETWEEN
        if recent or size < LEAST_RUNS or changed < max(MOST_CHANGED, CHANGED_PART * size):
            return
        self._saved_at, self._saved_rev = time.monotonic(), self._table.rev
        # Nobody's question waits for the disk. It ends with the process: the file is an economy.
        threading.Thread(target=self.save, name="runtable-snapshot", daemon=True).start()


class Cache:
    """Entries, the least recently used ones forgotten when they take more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[UUID, Entry] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        with self._lock:
            return sum(entry.nbytes for entry in self._entries.values())

    def entry(self, project: UUID) -> Entry:
        """Return a project's entry, now the most recently used one."""
        with self._lock:
            entry = self._entries.setdefault(project, Entry(project))
            self._entries.move_to_end(project)
            return entry

    def shrink(self) -> None:
        """Forget tables until the others fit; the one used last stays, whatever its size."""
        with self._lock:
            held = sum(entry.nbytes for entry in self._entries.values())
            while held > self._limit and len(self._entries) > 1:
                held -= self._entries.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


cache = Cache(settings.RUN_TABLE_BYTES)


def revision(project: UUID) -> int:
    """Return the revision of a project in the database."""
    return Project.objects.values_list("rev", flat=True).get(pk=project)


@contextmanager
def table_of(project: UUID) -> Iterator[Table]:
    """Hold a project's table, as new as the database, for the length of the block.

    The block must not ask the database: other questions to the same project wait for it.
    """
    entry = cache.entry(project)
    with entry.table(newest=revision(project)) as table:
        yield table
    cache.shrink()


def path_of(project: UUID) -> Path:
    """Return where a project's snapshot lies."""
    return Path(settings.DATA_DIR) / "runtable" / f"{project.hex}.table"


def identity_of(project: UUID) -> str:
    """Return whose a snapshot is: the project's, in this history of the database."""
    server, epoch = server_identity()
    return f"{project.hex} {server} {epoch}"
