"""Room on the disk of the data directory: the last of it is kept for signing in and cleaning up."""

import errno
import shutil
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection

LOOK_EVERY = 1.0
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
POSTGRES_DISK_FULL = "53100"


@dataclass(frozen=True, slots=True)
class Disk:
    """What a file system holds, in bytes."""

    total: int
    free: int

    @property
    def used(self) -> float:
        """Return which part is used, from 0 to 1."""
        return 1 - self.free / self.total if self.total else 0.0


_seen: list[tuple[float, Disk]] = []


def look() -> Disk:
    """Return the disk of the data directory as it was a second ago, or is now."""
    if not _seen or time.monotonic() > _seen[0][0] + LOOK_EVERY:
        usage = shutil.disk_usage(settings.DATA_DIR)
        _seen[:] = [(time.monotonic(), Disk(total=usage.total, free=usage.free))]
    return _seen[0][1]


def forget() -> None:
    """Look again; for tests."""
    _seen.clear()


def has_room() -> bool:
    """Whether records may be stored. A Postgres looks after its own disk."""
    return connection.vendor != "sqlite" or look().free >= settings.DISK_RESERVE


def is_full_error(error: BaseException) -> bool:
    """Whether `error` means that a disk is full, ours or the database's."""
    if isinstance(error, DatabaseError):
        cause = getattr(error.__cause__, "pgcode", None)
        return cause == POSTGRES_DISK_FULL or "disk is full" in str(error)
    return isinstance(error, OSError) and error.errno in FULL
