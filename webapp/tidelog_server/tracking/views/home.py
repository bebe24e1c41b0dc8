"""Home and team: which projects there are, and what runs now."""

from collections.abc import Iterable

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from tidelog_server.accounts.models import Team
from tidelog_server.core.gate import Action, caller_of, opens, signed_in
from tidelog_server.tracking.models import Project, ProjectQuerySet, Run
from tidelog_server.tracking.rows import duration
from tidelog_server.tracking.views.crumbs import Crumb, crumb

MOST_RUNNING = 20


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    mine = Run.objects.for_caller(caller).filter(author=caller.user)
    return _projects(
        request,
        heading="Projects",
        crumbs=[crumb("Projects")],
        projects=Project.objects.for_caller(caller),
        running=mine.running().select_related("project__team").newest_first()[:MOST_RUNNING],
    )


@opens("team", Action.READ)
def team(request: HttpRequest, team: Team) -> HttpResponse:
    runs = Run.objects.for_caller(caller_of(request)).filter(project__team=team)
    return _projects(
        request,
        heading=team.name or team.slug,
        crumbs=[crumb("Projects", reverse("home")), crumb(team.slug)],
        projects=Project.objects.filter(team=team),
        running=runs.running().select_related("project__team").newest_first()[:MOST_RUNNING],
    )


def _projects(
    request: HttpRequest,
    *,
    heading: str,
    crumbs: list[Crumb],
    projects: ProjectQuerySet,
    running: Iterable[Run],
) -> HttpResponse:
    present = Q(runs__deleted_at=None)
    listed = projects.with_run_count().annotate(
        running_count=Count("runs", filter=present & Q(runs__state=Run.State.RUNNING)),
        last_heard=Max("runs__heard_at", filter=present),
    )
    context = {
        "here": "home",
        "heading": heading,
        "crumbs": crumbs,
        "projects": listed.select_related("team").order_by("team__slug", "slug"),
        "running": [_with_seconds(run) for run in running],
    }
    return render(request, "tracking/home.html", context)


def _with_seconds(run: Run) -> Run:
    run.seconds = duration(run)  # type: ignore[attr-defined]
    return run
