"""One worker at a time rewrites a run's rows: a lease that ends by itself, and a token.

Whoever claims a run gets a new token and some time. Each of its transactions begins with `hold`,
which fails once another has claimed the run since, or the run was deleted: a worker that was
stopped for an hour in the middle writes nothing more. A killed one delays its run by the lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from tidelog_server.metrics.models import Upkeep

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to rewrite a run's rows, until someone has a greater token."""

    run_id: UUID
    token: int

    def hold(self) -> bool:
        """Keep everyone else out until the transaction ends; False if the lease was lost."""
        return self._renew(now() + LEASE)

    def release(self) -> None:
        self._renew(now())

    def _renew(self, until: object) -> bool:
        rows = Upkeep.objects.filter(run_id=self.run_id, token=self.token)
        return bool(rows.update(leased_until=until))


def claim(run_id: UUID, *, deleted: bool = False) -> Lease | None:
    """Return a lease of the run, or None if another holds one.

    deleted  whether a run is wanted that was deleted, or one that was not
    """
    rows = Upkeep.objects.filter(run_id=run_id)
    # Asked first without a transaction: on SQLite everyone else's writes would wait for it.
    if rows.filter(leased_until__gt=now()).exists():
        return None
    return _claim(run_id, deleted=deleted)


@transaction.atomic
def _claim(run_id: UUID, *, deleted: bool) -> Lease | None:
    _ensure(run_id)
    rows = Upkeep.objects.filter(run_id=run_id)
    free = rows.filter(leased_until__lte=now(), deleted_at__isnull=not deleted)
    if not free.update(token=F("token") + 1, leased_until=now() + LEASE):
        return None
    return Lease(run_id, rows.values_list("token", flat=True).get())


def end(run_id: UUID) -> None:
    """Take the run from whoever holds it, for deletion, in the caller's transaction."""
    _ensure(run_id)
    rows = Upkeep.objects.filter(run_id=run_id)
    rows.update(token=F("token") + 1, leased_until=now(), deleted_at=now())


def _ensure(run_id: UUID) -> None:
    Upkeep.objects.bulk_create([Upkeep(run_id=run_id)], ignore_conflicts=True)
