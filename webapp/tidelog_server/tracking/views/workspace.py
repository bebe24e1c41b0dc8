"""The workspace: a project's runs at the left, their charts at the right."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tidelog_server.core.gate import Action, opens
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.rows import RunRow
from tidelog_server.tracking.selectors import RunPage, metric_catalogue, run_page
from tidelog_server.tracking.views.crumbs import project_crumbs
from tidelog_server.tracking.views.live_page import (
    Main,
    api_address,
    lean,
    main_metric,
    socket_address,
)

FIRST_RUNS = 100
FIRST_ROWS = 30


@opens("project", Action.READ)
def workspace(request: HttpRequest, project: Project) -> HttpResponse:
    page = run_page(project, limit=FIRST_RUNS)
    keys = sorted(metric_catalogue(project))
    main = main_metric(keys)
    context = {
        "project": project,
        "here": "workspace",
        "crumbs": project_crumbs(project),
        "main": main,
        "running": Run.objects.filter(project=project).running().count(),
        "count": f"{min(10, page.count)} shown of {page.count}",
        "rows": [_row(row, main) for row in page.runs[:FIRST_ROWS]],
        "page": page_data(project, page, keys, main),
    }
    return render(request, "tracking/workspace.html", context)


def _row(row: RunRow, main: Main) -> dict[str, Any]:
    return {**row, "main": row["summary"].get(main["key"])}


def page_data(project: Project, page: RunPage, keys: list[str], main: Main) -> dict[str, Any]:
    """Return what the page's script begins with."""
    return {
        "api": api_address(project),
        "socket": socket_address(project),
        "main": main,
        "first": {
            "runs": [lean(row, main=main["key"]) for row in page.runs],
            "keys": keys,
            "count": page.count,
            "rev": page.rev,
        },
    }
