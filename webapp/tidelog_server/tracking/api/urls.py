"""REST addresses of projects and runs, all below /api/v1/."""

from django.urls import path

from tidelog_server.tracking.api import charts, projects, runs
from tidelog_server.tracking.api.schema import SchemaView

PROJECT = "projects/<str:team>/<str:project>"
RUN = f"{PROJECT}/runs/<str:run>"

urlpatterns = [
    path("schema", SchemaView.as_view(), name="api-schema"),
    path("projects/<str:team>", projects.ProjectsView.as_view(), name="api-projects"),
    path(PROJECT, projects.ProjectView.as_view(), name="api-project"),
    path(f"{PROJECT}/chart", charts.ChartView.as_view(), name="api-chart"),
    path(f"{PROJECT}/series", projects.MetricsView.as_view(), name="api-project-series"),
    path(RUN, runs.RunView.as_view(), name="api-run"),
    path(f"{RUN}/series", runs.SeriesView.as_view(), name="api-run-series"),
    path(f"{RUN}/points", charts.PointsView.as_view(), name="api-run-points"),
    path(f"{RUN}/logs", runs.LogsView.as_view(), name="api-run-logs"),
]
