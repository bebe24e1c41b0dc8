"""Valid objects for tests; a test names only what it is about."""

import itertools
import os
from array import array
from typing import Any

import orjson
from django.db import transaction

from tidelog.wire.batch import encode
from tidelog_server.accounts import services as accounts
from tidelog_server.accounts.models import ApiKey, Role, Team, User
from tidelog_server.accounts.policies import DEFAULT_SCOPES
from tidelog_server.accounts.selectors import caller_with_key, caller_with_session
from tidelog_server.core.gate import Caller
from tidelog_server.tracking import services as tracking
from tidelog_server.tracking.batches import Batch, batch_of_json
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.services.runs import open_run

_count = itertools.count(1)


def a_user(name: str = "", **given: Any) -> User:
    name = name or f"user{next(_count)}"
    return accounts.create_user(email=f"{name.lower()}@example.org", name=name, **given)


def a_team(slug: str = "", *, owner: User | None = None) -> Team:
    return accounts.create_team(slug=slug or f"team{next(_count)}", owner=owner or a_user())


def a_member(team: Team, role: str = Role.MEMBER, *, user: User | None = None) -> User:
    user = user or a_user()
    accounts.add_member(team=team, user=user, role=role)
    return user


def owner_of(team: Team) -> User:
    return team.members.filter(memberships__role=Role.OWNER).first() or a_member(team, Role.OWNER)


def a_key(team: Team, *, user: User | None = None, scopes: Any = DEFAULT_SCOPES) -> str:
    """Return the secret of a key."""
    return accounts.create_key(team=team, user=user or owner_of(team), scopes=scopes)[1]


def a_caller(team: Team, *, user: User | None = None, scopes: Any = None) -> Caller:
    """Return a person in a browser, or with `scopes` a key that speaks for them."""
    user = user or owner_of(team)
    if scopes is None:
        return caller_with_session(user)
    key, _ = accounts.create_key(team=team, user=user, scopes=scopes)
    return caller_with_key(ApiKey.objects.select_related("user", "team").get(pk=key.pk))


def a_project(team: Team | None = None, slug: str = "") -> Project:
    return tracking.create_project(team=team or a_team(), slug=slug or f"project{next(_count)}")


@transaction.atomic
def a_run(project: Project | None = None, run_id: str = "", **fields: Any) -> Run:
    project = project or a_project()
    run = open_run(project=project, run_id=run_id or f"run{next(_count)}", author=None, run_file={})
    for name, value in fields.items():
        setattr(run, name, value)
    run.save()
    return run


def a_stream_id() -> str:
    return os.urandom(16).hex()


def a_json_batch(start: int, *records: Any, end: int | None = None, **more: Any) -> dict[str, Any]:
    """Return the body of a JSON batch whose records are (type, payload) from `start` on."""
    numbered = [[start + i, int(kind), payload] for i, (kind, payload) in enumerate(records)]
    end = start + len(records) if end is None else end
    return {"v": 1, "from": start, "to": end, "records": numbered, **more}


def a_batch(start: int, *records: Any, **more: Any) -> Batch:
    return batch_of_json(orjson.dumps(a_json_batch(start, *records, **more)))


def a_body(start: int = 0, n: int = 3, *, key: str = "loss", **more: Any) -> bytes:
    """Return a columnar body: `n` records from `start` on, whose value is their step."""
    steps = array("d", map(float, range(start, start + n)))
    times = array("d", [1_750_000_000.0 + step for step in steps])
    header = {
        "v": 1,
        "from": start,
        "to": start + n,
        "axes": [n],
        "records": [],
        "gaps": [],
        "series": [{"key": key, "axis": 0, "n": n}],
        **more,
    }
    return encode(header, [(steps.tobytes(), times.tobytes())], [steps.tobytes()])


def metrics(step: float, **values: Any) -> tuple[int, dict[str, Any]]:
    """Return a METRICS record."""
    return 1, {"t": 1_750_000_000_000 + step * 1000, "n": 0, "s": step, "d": values}


def opening(**more: Any) -> tuple[int, dict[str, Any]]:
    """Return the OPEN record of a primary stream."""
    said = {"pid": 7, "host": "node1", "rank": 0, "primary": True, "wall": 1_750_000_000_000}
    return 8, {**said, **more}


def finish(state: str = "finished", **more: Any) -> tuple[int, dict[str, Any]]:
    return 7, {"state": state, "exit": 0, **more}


def setting(kind: str, *ops: Any, t: int = 1_750_000_000_000) -> tuple[int, dict[str, Any]]:
    return 2, {"t": t, "k": kind, "ops": list(map(list, ops))}


def printed(text: str, *, fd: int = 1) -> tuple[int, dict[str, Any]]:
    return 3, {"t": 1_750_000_000_000, "f": fd, "x": text}
