from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tidelog_server.accounts.models import Team
from tidelog_server.core.api import GatedView
from tidelog_server.core.gate import Action, Opens
from tidelog_server.tracking import selectors
from tidelog_server.tracking.api import shapes
from tidelog_server.tracking.models import Project


class ProjectsView(GatedView):
    """The projects of a team."""

    opens: ClassVar = Opens("team", {"GET": Action.READ})
    subject: Team

    @extend_schema(operation_id="projects", responses=shapes.ProjectsShape)
    def get(self, request: Request, team: str) -> Response:
        found = selectors.projects_of(self.subject)
        return Response({"projects": [selectors.project_json(project) for project in found]})


class ProjectView(GatedView):
    """A project."""

    opens: ClassVar = Opens("project", {"GET": Action.READ})
    subject: Project

    @extend_schema(operation_id="project", responses=shapes.ProjectShape)
    def get(self, request: Request, team: str, project: str) -> Response:
        return Response(selectors.project_json(self.subject))


class MetricsView(GatedView):
    """Every metric of a project, and in how many runs it is."""

    opens: ClassVar = Opens("project", {"GET": Action.READ})
    subject: Project

    @extend_schema(operation_id="project_metrics", responses=shapes.KeysShape)
    def get(self, request: Request, team: str, project: str) -> Response:
        keys = selectors.metric_catalogue(self.subject)
        return Response({"keys": [{"key": key, "runs": runs} for key, runs in keys.items()]})
