"""The first run in sixty seconds."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tidelog_server.accounts.models import ApiKey, User
from tidelog_server.accounts.selectors import teams_of
from tidelog_server.accounts.services import create_key
from tidelog_server.core.gate import Caller, caller_of, signed_in
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.selectors import series_of
from tidelog_server.tracking.views.crumbs import crumb
from tidelog_server.tracking.views.live_page import api_address, socket_address
from tidelog_server.tracking.views.snippets import SNIPPETS

KEY_NAME = "First run"
SCRIPT = """\
import math, random, time
import tidelog

with tidelog.init("first", config={"lr": 0.001}) as run:
    for step in range(200):
        loss = 2 * math.exp(-step / 60) + random.gauss(0, 0.05)
        run.log({"train/loss": loss}, step=step)
        time.sleep(0.1)
"""


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    server = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    context: dict[str, Any] = {
        "here": "start",
        "crumbs": [crumb("First run")],
        "server": server,
        "script": SCRIPT,
        "snippets": SNIPPETS,
        "page": {"url": f"{reverse('start-seen')}?since={now().timestamp():.3f}"},
    }
    if request.method == "POST":
        context |= _fresh_key(caller_of(request))
    return render(request, "tracking/start.html", context)


def _fresh_key(caller: Caller) -> dict[str, str]:
    """Make a key and show it once: it is in this answer and nowhere else."""
    teams = teams_of(caller)
    if not teams or not isinstance(caller.user, User):
        return {}
    _, secret = create_key(team=teams[0], user=caller.user, name=KEY_NAME)
    return {"key": secret, "key_name": KEY_NAME}


@never_cache
@signed_in
def seen(request: HttpRequest) -> JsonResponse:
    """Say what the server has seen since the page was opened."""
    caller = caller_of(request)
    since = _moment(request.GET.get("since", ""))
    runs = Run.objects.for_caller(caller).filter(created_at__gte=since)
    newest = runs.select_related("project__team").order_by("-created_at").first()
    told = _run(newest) if newest else None
    return JsonResponse({"key_used": _key_used(caller), "created": newest is not None, "run": told})


def _moment(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), tz=now().tzinfo)
    except (ValueError, OverflowError, OSError):
        return now()


def _key_used(caller: Caller) -> float | None:
    used = ApiKey.objects.for_caller(caller).filter(user=caller.user).living()
    last = used.exclude(last_used_at=None).order_by("-last_used_at").first()
    if last is None or last.last_used_at is None:
        return None
    return (now() - last.last_used_at).total_seconds()


def _run(run: Run) -> dict[str, Any] | None:
    """Return where the run's chart is; None before its first point."""
    keys = [s.key for s in series_of(run) if not s.key.startswith("system/")]
    if not keys:
        return None
    project = run.project
    names = (project.team.slug, project.slug)
    return {
        "id": run.run_id,
        "name": run.name,
        "key": keys[0],
        "api": api_address(project),
        "socket": socket_address(project, run.run_id),
        "url": reverse("run", args=[*names, run.run_id]),
        "workspace": reverse("workspace", args=names),
    }
