"""What pages have missed, read from the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from tidelog_server.core.models import server_identity
from tidelog_server.live.frames import gone, hello
from tidelog_server.live.places import Place
from tidelog_server.metrics.store import store
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.rows import run_row

ROWS_PER_FRAME = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A run whose row is newer than what was shown."""

    key: UUID
    run_id: str
    rev: int
    deleted: bool


def revisions(projects: Collection[UUID]) -> dict[UUID, int]:
    """Return the revision of each project, in one query."""
    return dict(Project.objects.filter(pk__in=projects).values_list("pk", "rev"))


def changes(place: Place, *, after: int) -> list[Change]:
    """Return what changed in a place since revision `after`, oldest first."""
    runs = Run.objects.changed_since(after).filter(project_id=place.project).order_by("rev")
    if place.run is not None:
        runs = runs.filter(pk=place.run)
    fields = runs.values_list("pk", "run_id", "rev", "deleted_at")
    return [Change(pk, run_id, rev, deleted is not None) for pk, run_id, rev, deleted in fields]


def missed(lacking: Sequence[Change], *, rev: int) -> list[bytes]:
    """Return the frames that bring a page up to revision `rev`: rows, totals, deletions."""
    frames = [gone(run=change.run_id, rev=change.rev) for change in lacking if change.deleted]
    living = [change.key for change in lacking if not change.deleted]
    return [*frames, *(_hello(keys, totals_of=keys, rev=rev) for keys in _batched(living))]


def greeting(place: Place, *, after: int) -> tuple[int, list[bytes]]:
    """Return the present revision, and the frames for a page that knows revision `after`.

    The first frame also says how many points of each running run are stored, changed or not: what
    was published while nobody listened is found by that.
    """
    rev = revisions([place.project]).get(place.project, 0)
    # A page may know more than this database, which came back from a backup: it starts afresh.
    lacking = changes(place, after=after if after <= rev else 0)
    frames = [gone(run=each.run_id, rev=each.rev) for each in lacking if each.deleted]
    living = [each.key for each in lacking if not each.deleted]
    first, *rest = _batched(living) or [[]]
    opening = _hello(first, totals_of=_running(place), rev=rev)
    return rev, [opening, *frames, *(_hello(keys, totals_of=(), rev=rev) for keys in rest)]


def _running(place: Place) -> list[UUID]:
    runs = Run.objects.running().filter(project_id=place.project)
    if place.run is not None:
        runs = runs.filter(pk=place.run)
    return list(runs.values_list("pk", flat=True))


def _hello(keys: Sequence[UUID], *, totals_of: Sequence[UUID], rev: int) -> bytes:
    runs = Run.objects.filter(pk__in=keys).select_related("author").with_gaps().order_by("rev")
    return hello(
        rev=rev,
        server=server_identity()[0],
        runs=[run_row(run, gaps=run.gap_count) for run in runs],
        series=_totals(totals_of),
    )


def _totals(keys: Sequence[UUID]) -> dict[str, dict[str, int]]:
    names = dict(Run.objects.filter(pk__in=keys).values_list("pk", "run_id"))
    series = store.series(list(names))
    return {names[key]: {each.key: each.n for each in found} for key, found in series.items()}


def _batched(keys: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [keys[at : at + ROWS_PER_FRAME] for at in range(0, len(keys), ROWS_PER_FRAME)]
