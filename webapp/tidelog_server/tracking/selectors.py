"""Questions about projects and runs that change nothing."""

from collections.abc import Mapping
from typing import Any

from tidelog_server.core import gate
from tidelog_server.core.gate import Caller
from tidelog_server.tracking.models import Project, Run


@gate.resolves("project", team_of=lambda project: project.team_id)
def visible_project(caller: Caller, kwargs: Mapping[str, Any]) -> Project | None:
    projects = Project.objects.for_caller(caller).select_related("team")
    return projects.named(kwargs["team"], kwargs["project"]).first()


@gate.resolves("run", team_of=lambda run: run.project.team_id)
def visible_run(caller: Caller, kwargs: Mapping[str, Any]) -> Run | None:
    runs = Run.objects.for_caller(caller).select_related("project__team", "author")
    return runs.filter(
        project__team__slug=kwargs["team"],
        project__slug=kwargs["project"],
        run_id=kwargs["run"],
    ).first()
