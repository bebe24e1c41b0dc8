"""What is answered when no view does: JSON below /api/, a page elsewhere."""

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from tidelog_server.core import measures
from tidelog_server.core.errors import ApiError, Forbidden, NotFound, Unavailable
from tidelog_server.core.json import dumps


def _wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def as_json(error: ApiError) -> HttpResponse:
    """Return an error as the API answers it, from a view that is not DRF's."""
    return HttpResponse(
        dumps(error.body),
        status=error.status,
        content_type="application/json",
        headers=dict(error.headers),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _wants_json(request):
        return as_json(NotFound())
    return defaults.page_not_found(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _wants_json(request):
        return as_json(Forbidden())
    return defaults.permission_denied(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer while an exception is handled; a database that is away is no bug, and will be back."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    if away:
        measures.database_errors.inc()
    if _wants_json(request):
        return as_json(Unavailable("Something went wrong here; it has been logged."))
    page = defaults.server_error(request)
    if away:
        page.status_code = Unavailable.status
        for name, value in Unavailable.headers.items():
            page[name] = value
    return page


def csrf_failure(request: HttpRequest, reason: str = "", **kwargs: Any) -> HttpResponse:
    if _wants_json(request):
        return as_json(Forbidden("Send the CSRF token with whatever changes something."))
    return defaults.permission_denied(
        request, Exception("This form is too old; reload the page and try again.")
    )
