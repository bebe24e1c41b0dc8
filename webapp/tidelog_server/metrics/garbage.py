"""The rows of deleted runs, removed a few at a time, so that nobody waits for a large run."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import models, transaction

from tidelog_server.metrics import leases
from tidelog_server.metrics.leases import Lease
from tidelog_server.metrics.models import Batch, Chunk, Series, Upkeep
from tidelog_server.metrics.values import Collected

log = structlog.get_logger(__name__)

ROWS_AT_ONCE = 500
RUNS_AT_ONCE = 1_000


def delete(run_id: UUID) -> None:
    """Hide a run's points at once, in the caller's transaction; `collect` removes them later."""
    leases.end(run_id)
    Series.objects.filter(run_id=run_id).delete()


def collect() -> Collected:
    """Remove what deleted runs left, in small transactions, and report what it was."""
    found = Upkeep.objects.filter(deleted_at__isnull=False).order_by("deleted_at")
    total = Collected()
    for run_id in list(found.values_list("run_id", flat=True)[:RUNS_AT_ONCE]):
        lease = leases.claim(run_id, deleted=True)
        if lease is not None:
            total += _collect_run(lease)
    if total.runs:
        log.info("removed deleted points", **total.as_dict())
    return total


def _collect_run(lease: Lease) -> Collected:
    removed = {model: _remove_all(lease, model) for model in (Batch, Chunk)}
    with transaction.atomic():
        done = lease.hold()
        Series.objects.filter(run_id=lease.run_id).delete()
        Upkeep.objects.filter(run_id=lease.run_id, token=lease.token).delete()
    return Collected(runs=int(done), batches=removed[Batch], chunks=removed[Chunk])


def _remove_all(lease: Lease, model: type[models.Model]) -> int:
    step: Callable[[], int] = transaction.atomic(lambda: _remove_some(lease, model))
    removed = 0
    while gone := step():
        removed += gone
    return removed


def _remove_some(lease: Lease, model: type[models.Model]) -> int:
    """Remove some rows; returns how many, 0 as well if the lease was lost."""
    if not lease.hold():
        return 0
    rows = model._default_manager.filter(run_id=lease.run_id)
    keys = list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE])
    return model._default_manager.filter(pk__in=keys).delete()[0] if keys else 0
