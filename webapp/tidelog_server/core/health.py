"""Whether the process lives, and whether it can work: details for operators, a word for others."""

import time
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from tidelog_server.core import broker, disk
from tidelog_server.core.gate import page_caller, public

ALARM_AT = 0.9


@public("a load balancer asks whether the process lives")
def alive(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@public("a load balancer asks whether to send work here")
def ready(request: HttpRequest) -> HttpResponse:
    found = {name: _timed(check) for name, check in CHECKS.items()}
    well = all(each["ok"] for each in found.values())
    body: dict[str, Any] = {"status": "ok" if well else "not ready"}
    if found["database"]["ok"] and _is_operator(request):
        body |= {"checks": found, "information": information()}
    return JsonResponse(body, status=200 if well else 503, headers={"Cache-Control": "no-store"})


def information() -> dict[str, Any]:
    """Return what is good to know and keeps nobody from working."""
    seen = disk.look()
    return {
        "database": connection.vendor,
        "broker": broker.kind(),
        "disk_used": round(seen.used, 3),
        "disk_alarm": seen.used >= ALARM_AT,
    }


def _timed(check: Callable[[], str]) -> dict[str, Any]:
    began = time.perf_counter()
    complaint = check()
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    return {"ok": not complaint, "milliseconds": milliseconds, **_said(complaint)}


def _said(complaint: str) -> dict[str, str]:
    return {"why": complaint} if complaint else {}


def _is_operator(request: HttpRequest) -> bool:
    return page_caller(request).is_operator


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return "the database does not answer"
    return ""


def _migrations() -> str:
    """Once all were applied, they stay: the question is not asked again."""
    if not _migrated:
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "migrations are missing: `tidelog manage migrate`"
        except (DatabaseError, InterfaceError):
            return "the database does not answer"
        _migrated.append(True)
    return ""


def _disk() -> str:
    return "" if disk.has_room() else "the disk is full: ingest is refused"


_migrated: list[bool] = []
CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "disk": _disk,
}
