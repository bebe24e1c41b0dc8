"""Every address but ingest (`tracking.ingest`) and sockets (`live.routing`)."""

from django.urls import include, path

from tidelog_server import operators
from tidelog_server.accounts.api import MeView
from tidelog_server.core import health

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", operators.metrics, name="metrics"),
    path("status", operators.status, name="status"),
    path("api/v1/me", MeView.as_view(), name="api-me"),
    path("api/v1/", include("tidelog_server.runtable.api.urls")),
    path("api/v1/", include("tidelog_server.tracking.api.urls")),
    path("", include("tidelog_server.accounts.urls")),
    path("", include("tidelog_server.tracking.urls")),
]

handler403 = "tidelog_server.core.pages.forbidden"
handler404 = "tidelog_server.core.pages.not_found"
handler500 = "tidelog_server.core.pages.failed"
