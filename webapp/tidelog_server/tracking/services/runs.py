from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils.timezone import now

from tidelog.wire.runs import default_name, is_run_id
from tidelog_server.accounts.models import User
from tidelog_server.core.errors import Invalid, NotFound
from tidelog_server.metrics.store import store
from tidelog_server.tracking import live
from tidelog_server.tracking.attributes import set_by_hand
from tidelog_server.tracking.models import COLORS, Project, Run

# What a person can change of a run.
EDITABLE = ("name", "notes", "tags")


def take_rev(project_id: Any) -> int:
    """Return the project's next revision, and hold its row until the transaction ends.

    Who holds it commits before the next one gets a revision: commit order is rev order.
    """
    key = Project._meta.pk.get_db_prep_value(project_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tracking_project SET rev = rev + 1 WHERE id = %s RETURNING rev", [key]
        )
        ((rev,),) = cursor.fetchall()
    return int(rev)


def open_run(
    *, project: Project, run_id: str, author: User | None, run_file: Mapping[str, Any]
) -> Run:
    """Return the run called `run_id`, which is made when it is missing.

    run_file  the client's run.json; only its name and its time of creation are believed

    Runs in the caller's transaction, and holds the run's row until it ends. Raises NotFound.
    """
    check_run_id(run_id)
    _take_turns_at_opening(project)
    runs = Run.objects.select_for_update(of=("self",)).select_related("author")
    found = runs.filter(project=project, run_id=run_id).first()
    if found is not None:
        return found
    number = 1 + (Run.objects.filter(project=project).aggregate(top=Max("number"))["top"] or 0)
    created = moment(run_file.get("created")) or now()
    return Run.objects.create(
        project=project,
        run_id=run_id,
        number=number,
        color=(number - 1) % COLORS,
        name=_name(run_file) or f"{default_name(run_id)}-{number}",
        author=author,
        created_at=created,
        started_at=created,
    )


def _take_turns_at_opening(project: Project) -> None:
    """Let nobody else give out this project's run numbers until the transaction ends.

    Not by the project's row: that one is taken last, after a run's (`take_rev`), and whoever held
    it while waiting for a run would wait for someone who waits for them. SQLite has one writer.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"runs of {project.pk}"]
            )


def check_run_id(run_id: str) -> None:
    """Raise NotFound unless `run_id` can name a run."""
    if not is_run_id(run_id):
        raise NotFound("A run's id is 1 to 64 letters, digits, '.', '_' or '-'.", code="bad_run_id")


def _name(run_file: Mapping[str, Any]) -> str:
    name = run_file.get("name")
    return name.strip()[:200] if isinstance(name, str) else ""


def moment(seconds: Any) -> datetime | None:
    """Return the time that a client's clock said, if it is one, and not in the future."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return min(datetime.fromtimestamp(seconds, UTC), now())
    except (OverflowError, ValueError, OSError):
        return None


@transaction.atomic
def edit_run(*, run: Run, changes: Mapping[str, Any]) -> Run:
    """Change what people may change of a run: name, notes, tags. Returns it as it is now.

    Raises Invalid for any other field or a value of the wrong kind, and NotFound if the run was
    deleted meanwhile.
    """
    _check_changes(changes)
    locked = Run.objects.select_for_update().filter(pk=run.pk, deleted_at=None).first()
    if locked is None:
        raise NotFound
    wall = now().timestamp()
    for field, value in changes.items():
        set_by_hand(locked, field, value, wall=wall)
    locked.rev = take_rev(locked.project_id)
    locked.save(update_fields=[*changes, "written", "rev"])
    live.show_run_after_commit(locked)
    return locked


def _check_changes(changes: Mapping[str, Any]) -> None:
    for field, value in changes.items():
        if field not in EDITABLE:
            raise Invalid(f"Only {', '.join(EDITABLE)} can be changed.", code="not_editable")
        if field == "tags":
            fits = isinstance(value, list) and all(
                isinstance(tag, str) and 0 < len(tag) <= 100 for tag in value
            )
        else:
            fits = isinstance(value, str) and len(value) <= (200 if field == "name" else 100_000)
        if not fits or (field == "name" and not value.strip()):
            raise Invalid(f"This is no value for `{field}`.", code="bad_value")


@transaction.atomic
def delete_run(*, run: Run) -> None:
    """Delete a run: its points and console go, a tombstone with a new revision stays.

    The tombstone tells tables that synced by revision, and answers 410 to late records.
    """
    locked = Run.objects.select_for_update().filter(pk=run.pk, deleted_at=None).first()
    if locked is None:
        raise NotFound
    locked.deleted_at = now()
    locked.rev = take_rev(locked.project_id)
    locked.save(update_fields=["deleted_at", "rev"])
    locked.console.all().delete()
    locked.loose_records.all().delete()
    store.delete(locked.pk)
    live.show_gone_after_commit(locked)


def reap_silent_runs(*, seconds: float = 300) -> int:
    """Mark as crashed every running run that was silent for `seconds`; returns how many.

    Idempotent. A run that is heard of later runs again.
    """
    silent = list(Run.objects.silent(seconds=seconds).values_list("pk", flat=True))
    return sum(_reap(pk, seconds) for pk in silent)


@transaction.atomic
def _reap(pk: Any, seconds: float) -> bool:
    run = Run.objects.silent(seconds=seconds).select_for_update().filter(pk=pk).first()
    if run is None:
        return False
    run.state, run.ended_at = Run.State.CRASHED, run.heard_at
    run.rev = take_rev(run.project_id)
    run.save(update_fields=["state", "ended_at", "rev"])
    live.show_run_after_commit(run)
    return True
