"""A batch of one stream, stored once, in one transaction: docs/reference/http-api.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from tidelog.wire.batch import BatchError
from tidelog.wire.runs import MAX_KEYS, SYSTEM_PREFIX, is_stream_id, jsonable
from tidelog_server.core.errors import Conflict, Gone, Invalid, NotFound
from tidelog_server.core.gate import Caller
from tidelog_server.metrics.columns import Columns
from tidelog_server.metrics.store import store
from tidelog_server.metrics.values import SeriesTotal
from tidelog_server.tracking import live
from tidelog_server.tracking.attributes import apply_last_values
from tidelog_server.tracking.batches import Batch
from tidelog_server.tracking.models import Gap, Project, Run, Stream
from tidelog_server.tracking.services.projects import project_for_ingest
from tidelog_server.tracking.services.records import Story
from tidelog_server.tracking.services.runs import check_run_id, open_run, take_rev


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
    project = project_for_ingest(caller=caller, named=project_name)
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
        watched=live.is_watched(run),
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
    totals = _append(run, stream, batch, columns)
    story = Story(run, stream, columns)
    rejected += story.tell(batch.records)
    story.hear(gone=batch.gone)
    apply_last_values(run, _last_values(totals))
    _keep_gaps(run, stream, batch)
    stream.next = batch.end
    run.heard_at = now()
    # Most batches are points alone: their rows are not written whole, config and all.
    whole = bool(batch.records) or story.changed
    stream.save(update_fields=None if whole else ["next"])
    _save(run, fields=None if whole else ["summary", "heard_at", "rev"])
    live.show_points_after_commit(run, columns, {total.key: total.n for total in totals})
    return rejected


def _append(run: Run, stream: Stream, batch: Batch, columns: Columns) -> list[SeriesTotal]:
    try:
        return store.append(
            run_id=run.pk,
            stream=stream.stream_id,
            start=batch.start,
            end=batch.end,
            columns=columns,
        )
    except BatchError as error:
        raise Invalid(error.message, code=error.code) from error


def _within_cap(run: Run, columns: Columns, rejected: list[Mapping[str, Any]]) -> Columns:
    """Leave out new metrics beyond `MAX_KEYS` a run, and say which.

    The summary holds every metric, so it can be counted without asking the store.
    """
    free = MAX_KEYS - len(run.summary)
    if len(columns.series) <= free:
        return columns
    fresh = [
        s.key
        for s in columns.series
        if s.key not in run.summary and not s.key.startswith(SYSTEM_PREFIX)
    ]
    refused = set(fresh[max(0, free) :])
    rejected += [{"key": key, "code": "too_many_keys"} for key in refused]
    return Columns(columns.axes, tuple(s for s in columns.series if s.key not in refused))


def _last_values(totals: Sequence[SeriesTotal]) -> dict[str, Any]:
    return {t.key: jsonable(t.last) for t in totals if not t.key.startswith(SYSTEM_PREFIX)}


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
