"""A batch of one stream, stored once, in one transaction: docs/reference/http-api.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from tidelog.wire.runs import is_stream_id
from tidelog_server.core.errors import Conflict, Gone, NotFound
from tidelog_server.core.gate import Caller
from tidelog_server.metrics.columns import Columns
from tidelog_server.tracking import live
from tidelog_server.tracking.attributes import apply_last_values
from tidelog_server.tracking.batches import Batch
from tidelog_server.tracking.models import Gap, Project, Run, Stream
from tidelog_server.tracking.selectors import ingest_target
from tidelog_server.tracking.services import keys, points
from tidelog_server.tracking.services.projects import project_for_ingest
from tidelog_server.tracking.services.records import Story
from tidelog_server.tracking.services.runs import check_run_id, open_run, take_rev
from tidelog_server.tracking.services.storing import append_points


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the server holds of a stream, after a batch.

    next      the records below it are stored, durably
    rejected  what could not be stored: {"seq" or "key", "code"}
    watched   a page is open on the run: send sooner
    path      the run's page
    """

    stream: str
    next: int
    rejected: Sequence[Mapping[str, Any]]
    watched: bool
    path: str


@transaction.atomic
def ingest_batch(
    *, caller: Caller, project_name: str, run_id: str, stream_id: str, batch: Batch
) -> Receipt:
    """Store a batch of a stream, exactly once, and show it to everyone watching the run.

    project_name  "team/project" or "project"; it and the run are made by their first batch

    A batch that is stored already is acknowledged and writes nothing. Raises Conflict `seq_gap`
    with the stream's `next` if the batch does not begin there, Gone `run_deleted`, NotFound,
    Forbidden, Invalid.
    """
    if not is_stream_id(stream_id):
        raise NotFound("A stream's id is 32 hexadecimal digits.", code="bad_stream_id")
    check_run_id(run_id)
    where = ingest_target(caller, project_name)
    return (
        _ingest_points(where, run_id, stream_id, batch) if points.is_common(batch) else None
    ) or _ingest_any(where, caller, run_id, stream_id, batch)


def _ingest_points(
    where: tuple[int, str], run_id: str, stream_id: str, batch: Batch
) -> Receipt | None:
    """Take the short way, if it is open."""
    team_id, slug = where
    place = points.place_of(
        team_id=team_id, project=slug, run_id=run_id, stream_id=stream_id, batch=batch
    )
    if place is None:
        return None
    points.store_points(place=place, stream_id=stream_id, batch=batch)
    return Receipt(
        stream=stream_id,
        next=batch.end,
        rejected=(),
        watched=live.is_watched(place.project, place.run),
        path=f"/{place.team}/{slug}/runs/{run_id}",
    )


def _ingest_any(
    where: tuple[int, str], caller: Caller, run_id: str, stream_id: str, batch: Batch
) -> Receipt:
    project = project_for_ingest(*where)
    run = _locked_run(project, run_id, caller, batch)
    stream, _ = Stream.objects.get_or_create(run=run, stream_id=stream_id)
    rejected: Sequence[Mapping[str, Any]] = ()
    if batch.is_heartbeat:
        _hear(run, stream, batch)
    elif batch.end > stream.next:
        if batch.start != stream.next:
            raise Conflict("The batch does not begin at `next`.", code="seq_gap", next=stream.next)
        rejected = _store(run, stream, batch)
    return Receipt(
        stream=stream_id,
        next=stream.next,
        rejected=rejected,
        watched=live.is_watched(project.pk, run.pk),
        path=f"/{project.team.slug}/{project.slug}/runs/{run.run_id}",
    )


def _locked_run(project: Project, run_id: str, caller: Caller, batch: Batch) -> Run:
    """Return the run, its row held until the commit, so that its streams take turns."""
    rows = Run.objects.select_for_update(of=("self",)).select_related("author")
    run = rows.filter(project=project, run_id=run_id).first()
    if run is None:
        run = open_run(project=project, run_id=run_id, author=caller.user, run_file=batch.run)
    if run.deleted_at is not None:
        raise Gone("This run was deleted on the server.", code="run_deleted")
    return run


def _hear(run: Run, stream: Stream, batch: Batch) -> None:
    """Note that the writer lives, or that it died. A changed state is a changed row."""
    story = Story(run, stream)
    story.hear(gone=batch.gone)
    run.heard_at = now()
    if not story.changed:
        Run.objects.filter(pk=run.pk).update(heard_at=run.heard_at)
        return
    _save(run)


def _store(run: Run, stream: Stream, batch: Batch) -> list[Mapping[str, Any]]:
    """Store what a batch says; returns what of it cannot be."""
    rejected = list(batch.rejected)
    columns = _within_cap(run, batch.columns, rejected)
    totals = append_points(run_id=run.pk, stream=stream.stream_id, batch=batch, columns=columns)
    story = Story(run, stream, columns)
    rejected += story.tell(batch.records)
    story.hear(gone=batch.gone)
    apply_last_values(run, points.last_values(totals))
    _keep_gaps(run, stream, batch)
    stream.next = batch.end
    run.heard_at = now()
    # Most batches are points alone: their rows are not written whole, config and all.
    whole = bool(batch.records) or story.changed
    stream.save(update_fields=None if whole else ["next"])
    _save(run, fields=None if whole else ["summary", "heard_at", "dropped", "rev"])
    live.show_points_after_commit(run, columns, {total.key: total.n for total in totals})
    return rejected


def _within_cap(run: Run, columns: Columns, rejected: list[Mapping[str, Any]]) -> Columns:
    """Leave out metrics beyond the cap; the answer names them, the run shows how many points."""
    refused = keys.refused(run.pk, columns)
    if not refused:
        return columns
    rejected += [{"key": key, "code": keys.TOO_MANY} for key in sorted(refused)]
    lost = sum(len(s.values) for s in columns.series if s.key in refused)
    run.dropped[keys.TOO_MANY] = run.dropped.get(keys.TOO_MANY, 0) + lost
    return Columns(columns.axes, tuple(s for s in columns.series if s.key not in refused))


def _keep_gaps(run: Run, stream: Stream, batch: Batch) -> None:
    Gap.objects.bulk_create(
        [
            Gap(run=run, stream=stream, start=first, end=last, why=why)
            for first, last, why in batch.gaps
        ],
        ignore_conflicts=True,
    )


def _save(run: Run, fields: Sequence[str] | None = None) -> None:
    """Write the row under the project's next revision; the lock order is run, then project."""
    run.rev = take_rev(run.project_id)
    run.save(update_fields=fields)
    live.show_run_after_commit(run)
