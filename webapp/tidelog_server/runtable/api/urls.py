"""REST addresses of the run table, all below /api/v1/."""

from django.urls import path

from tidelog_server.runtable.api import runs

PROJECT = "projects/<str:team>/<str:project>"

urlpatterns = [
    path(f"{PROJECT}/runs", runs.RunsView.as_view(), name="api-runs"),
    path(f"{PROJECT}/run-keys", runs.RunKeysView.as_view(), name="api-run-keys"),
    path(f"{PROJECT}/run-values", runs.RunValuesView.as_view(), name="api-run-values"),
]
