"""The batch that comes a thousand times a second: points alone, of a stream that is known.

It takes one question and three updates beside what the store does, in SQL that both databases
speak, because building models and queries would cost several times what the database does.
Whatever is out of the ordinary (`stores` says what) goes the way of `services.ingest`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models.fields import UUIDField
from django.utils.timezone import now

from tidelog.wire.runs import SYSTEM_PREFIX, jsonable
from tidelog_server.metrics.values import SeriesTotal
from tidelog_server.tracking import live
from tidelog_server.tracking.batches import Batch
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.services import keys
from tidelog_server.tracking.services.runs import take_rev
from tidelog_server.tracking.services.storing import append_points

FIND = """
    SELECT team.slug, project.id, run.id, stream.id, {own}
    FROM tracking_stream stream
    JOIN tracking_run run ON run.id = stream.run_id
    JOIN tracking_project project ON project.id = run.project_id
    JOIN accounts_team team ON team.id = project.team_id
    WHERE project.team_id = %s AND project.slug = %s AND run.run_id = %s
      AND stream.stream_id = %s AND stream.next = %s
      AND run.deleted_at IS NULL AND run.state <> 'crashed'
    {lock}
"""
# The stream's row is locked too: only of locked rows does Postgres look at the newest version.
WORDS = {
    "sqlite": {"own": "json_extract(run.written, '$.summary')", "lock": ""},
    "postgresql": {"own": "(run.written -> 'summary')::text", "lock": "FOR UPDATE OF run, stream"},
}
MERGED = {"sqlite": "json_patch(summary, %s)", "postgresql": "summary || %s::jsonb"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch of points goes; the run's row is held until the transaction ends.

    own  keys of the summary that a script set itself
    """

    team: str
    project: UUID
    run: UUID
    stream: int
    own: Mapping[str, Any]


def is_common(batch: Batch) -> bool:
    """Whether the batch tells nothing but points."""
    return not (batch.is_heartbeat or batch.records or batch.gaps or batch.gone or batch.rejected)


def place_of(
    *, team_id: int, project: str, run_id: str, stream_id: str, batch: Batch
) -> Place | None:
    """Return where the batch belongs if it is the stream's next one and holds no new metric."""
    with connection.cursor() as cursor:
        cursor.execute(
            FIND.format(**WORDS[connection.vendor]),
            [team_id, project, run_id, stream_id, batch.start],
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    team, project_id, run, stream, own = rows[0]
    place = Place(team, _uuid(project_id), _uuid(run), stream, orjson.loads(own) if own else {})
    return place if keys.are_known(place.run, batch.columns) else None


def store_points(*, place: Place, stream_id: str, batch: Batch) -> None:
    """Store the batch at its place, and show it to everyone who watches. Raises Invalid."""
    totals = append_points(run_id=place.run, stream=stream_id, batch=batch, columns=batch.columns)
    rev = take_rev(place.project)
    values = {k: v for k, v in last_values(totals).items() if k not in place.own}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tracking_stream SET next = %s WHERE id = %s", [batch.end, place.stream]
        )
        cursor.execute(
            f"UPDATE tracking_run SET rev = %s, heard_at = %s, "
            f"summary = {MERGED[connection.vendor]} WHERE id = %s",
            [rev, _moment(), orjson.dumps(values).decode(), _key(place.run)],
        )
    transaction.on_commit(partial(_show, place, batch, totals), robust=True)


def last_values(totals: Sequence[SeriesTotal]) -> dict[str, Any]:
    """Return what a run's summary says of its metrics; the machine's own are left out."""
    return {t.key: jsonable(t.last) for t in totals if not t.key.startswith(SYSTEM_PREFIX)}


def _show(place: Place, batch: Batch, totals: Sequence[SeriesTotal]) -> None:
    if live.is_watched(place.project, place.run):
        run = Run.objects.select_related("author").get(pk=place.run)
        live.show_run(run)
        live.show_points(run, batch.columns, {total.key: total.n for total in totals})


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _key(value: UUID) -> Any:
    return UUIDField().get_db_prep_value(value, connection)


def _moment() -> Any:
    return connection.ops.adapt_datetimefield_value(now())
