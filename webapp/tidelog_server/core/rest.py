"""What DRF is told in the settings: who calls, JSON in and out, errors."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from tidelog_server.core import errors, gate, measures
from tidelog_server.core.json import dumps, parse

log = structlog.get_logger(__name__)


class GateAuthentication(BaseAuthentication):
    """A key, or the session cookie with CSRF for whatever changes something."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        caller = gate.caller_of(request._request)
        if caller.is_anonymous:
            return None
        if caller.key is None:
            SessionAuthentication().enforce_csrf(request)
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """Return the JSON object in the body. Raises BadRequest for anything else."""
        value = parse(stream.read())
        if not isinstance(value, dict):
            raise errors.BadRequest("Send a JSON object.")
        return value


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else dumps(data)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an error of ours, of Django or of DRF; only a bug of ours is left to be a 500."""
    known = _as_api_error(error)
    if known is None:
        return None
    response = Response(known.body, status=known.status)
    for name, value in known.headers.items():
        response[name] = value
    return response


def _as_api_error(error: Exception) -> errors.ApiError | None:
    match error:
        case errors.ApiError():
            return error
        case Http404():
            return errors.NotFound()
        case exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed()
        case exceptions.UnsupportedMediaType():
            return errors.UnsupportedMedia("Send application/json.")
        case exceptions.PermissionDenied():
            return errors.Forbidden(str(error.detail), code="csrf")
        case exceptions.NotAcceptable():
            return errors.BadRequest(str(error.detail), code="not_acceptable")
        case exceptions.APIException():
            return errors.BadRequest(str(error.detail))
        case OperationalError() | InterfaceError():
            measures.database_errors.inc()
            log.warning("the database did not answer in time", error=str(error))
            return errors.Unavailable()
    return None
