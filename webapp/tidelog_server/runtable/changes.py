"""What changed in a project's runs, read from the database in one query."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.db.models import TextField
from django.db.models.functions import Cast

from tidelog_server.accounts.models import User
from tidelog_server.runtable.query.tree import Scope
from tidelog_server.runtable.table import Change
from tidelog_server.tracking.models import Run

CHUNK = 2_000
FIELDS = (
    *("pk", "rev", "deleted_at", "number", "name", "run_id", "state", "group", "job_type"),
    *("notes", "host", "author__name", "author__email", "created_at", "started_at", "ended_at"),
)


def changes(project: UUID, *, since: int) -> Iterator[list[Change]]:
    """Yield the rows of a project that are newer than revision `since`, in order of revision."""
    texts = {f"{name}_text": Cast(name, TextField()) for name in ("tags", "config", "summary")}
    rows = Run.objects.filter(project_id=project).changed_since(since).order_by("rev")
    # The text of a JSON column: orjson reads it in a tenth of the time.
    found = rows.values_list(*FIELDS, *texts.values()).iterator(chunk_size=CHUNK)
    while chunk := list(map(_change, islice(found, CHUNK))):
        yield chunk


def _change(row: tuple[Any, ...]) -> Change:
    pk, rev, deleted, number, name, run_id, state, group, job_type, *rest = row
    notes, host, author, email, created, started, ended, tags, config, summary = rest
    if deleted is not None:
        return Change(pk.bytes, rev, None)
    own = {
        "number": number,
        "name": name,
        "id": run_id,
        "state": state,
        # The list as JSON text: equal lists are one text, whose tags are parted once.
        "tag": orjson.dumps(_json(tags)).decode(),
        "group": group or None,
        "job_type": job_type or None,
        "notes": notes or None,
        "host": host or None,
        "author": None if email is None else User(name=author, email=email).get_full_name(),
        "created": _seconds(created),
        "started": _seconds(started),
        "ended": _seconds(ended),
        "duration": None,
    }
    fields = {Scope.RUN: own, Scope.CONFIG: _json(config), Scope.SUMMARY: _json(summary)}
    return Change(pk.bytes, rev, fields)


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # a bare NaN, which only another writer than ours leaves
        return json.loads(text)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
