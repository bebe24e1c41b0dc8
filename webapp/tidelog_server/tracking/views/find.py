"""What the search dialog finds: projects, and in the project one is in, its runs and metrics."""

from functools import reduce
from operator import or_
from typing import TypedDict
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tidelog_server.core.gate import Caller, caller_of, signed_in
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.selectors import metric_catalogue

MOST_OF_A_KIND = 6
LONGEST_TEXT = 200


class Found(TypedDict):
    """One answer; `note` says where it is."""

    kind: str
    text: str
    note: str
    url: str


@never_cache
@signed_in
@require_safe
def find(request: HttpRequest) -> JsonResponse:
    caller = caller_of(request)
    text = request.GET.get("q", "").strip().replace("\0", "")[:LONGEST_TEXT]
    here = _project(caller, request.GET.get("in", ""))
    found = [*_runs(caller, text, here), *_metrics(text, here), *_projects(caller, text)]
    return JsonResponse({"found": found})


def _project(caller: Caller, named: str) -> Project | None:
    team, _, slug = named.replace("\0", "").partition("/")
    return Project.objects.for_caller(caller).select_related("team").named(team, slug).first()


def _runs(caller: Caller, text: str, here: Project | None) -> list[Found]:
    runs = Run.objects.for_caller(caller).select_related("project__team")
    if here is not None:
        runs = runs.filter(project=here)
    if text:
        runs = runs.filter(_names(text))
    return [_run(run) for run in runs.order_by("-created_at")[:MOST_OF_A_KIND]]


def _names(text: str) -> Q:
    """Return what a run is called by: its name, its id, its group, its tags."""
    fields = ("name", "run_id", "group", "tags")
    return reduce(or_, (Q((f"{field}__icontains", text)) for field in fields))


def _run(run: Run) -> Found:
    team, slug = run.project.team.slug, run.project.slug
    url = reverse("run", args=[team, slug, run.run_id])
    return Found(kind="run", text=run.name, note=f"{team}/{slug}", url=url)


def _metrics(text: str, here: Project | None) -> list[Found]:
    """Return metrics of the project; without a text there is nothing to find among them."""
    if here is None or not text:
        return []
    keys = [key for key in sorted(metric_catalogue(here)) if text.lower() in key.lower()]
    address = reverse("workspace", args=[here.team.slug, here.slug])
    return [
        Found(kind="metric", text=key, note=here.slug, url=f"{address}?{urlencode({'panel': key})}")
        for key in keys[:MOST_OF_A_KIND]
    ]


def _projects(caller: Caller, text: str) -> list[Found]:
    projects = Project.objects.for_caller(caller).select_related("team")
    if text:
        projects = projects.filter(slug__icontains=text) | projects.filter(name__icontains=text)
    listed = projects.order_by("team__slug", "slug")[:MOST_OF_A_KIND]
    return [
        Found(
            kind="project",
            text=project.name or project.slug,
            note=project.team.slug,
            url=reverse("workspace", args=[project.team.slug, project.slug]),
        )
        for project in listed
    ]
