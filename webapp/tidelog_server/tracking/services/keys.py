"""How many metrics a run may have, counted without asking the store each time."""

import threading
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db import transaction

from tidelog.wire.runs import MAX_KEYS
from tidelog_server.metrics.columns import Columns
from tidelog_server.metrics.store import store

TOO_MANY = "too_many_keys"
# What is remembered, over all runs; then it is forgotten and asked again.
MOST_REMEMBERED = 200_000

_known: dict[UUID, set[str]] = {}
_lock = threading.Lock()


def are_known(run: UUID, columns: Columns) -> bool:
    """Whether the run has every metric of `columns` already, as far as this process knows."""
    known = _known.get(run)
    return known is not None and all(column.key in known for column in columns.series)


def refused(run: UUID, columns: Columns) -> set[str]:
    """Return the new metrics of `columns` that are beyond `MAX_KEYS` a run.

    The caller holds the run's row, so nobody else adds metrics meanwhile.
    """
    if are_known(run, columns) or not columns.series:
        return set()
    known = _known.get(run, set())
    if len(known) < MAX_KEYS:
        known = {total.key for total in store.series([run])[run]}
    fresh = list(dict.fromkeys(c.key for c in columns.series if c.key not in known))
    room = max(0, MAX_KEYS - len(known))
    # What is rolled back was never there.
    transaction.on_commit(partial(_remember, run, known.union(fresh[:room])))
    return set(fresh[room:])


def remembered() -> int:
    """Return how many names are remembered, over all runs."""
    return sum(map(len, list(_known.values())))


def forget() -> None:
    """Ask the store again; for tests, whose databases are emptied."""
    _known.clear()


def _remember(run: UUID, keys: Iterable[str]) -> None:
    with _lock:
        if sum(map(len, _known.values())) > MOST_REMEMBERED:
            _known.clear()
        _known.setdefault(run, set()).update(keys)
