"""A line in the log for each request of pages and API, and a number that both sides can name it by.

Nothing of the body and nothing of a key; JSON escapes whatever could begin a line of its own.
"""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger(__name__)
GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADER = "X-Request-ID"


class RequestLogMiddleware:
    """Binds `request` to every line that is logged meanwhile, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        number = given if GIVEN.fullmatch(given) else secrets.token_hex(8)
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request=number):
            response = self.get_response(request)
            log.info("answered", **_facts(request, response), ms=_since(began))
        response.headers[HEADER] = number
        return response


def _facts(request: HttpRequest, response: HttpResponse) -> dict[str, object]:
    """The route, not the path: an address can hold a token."""
    match = request.resolver_match
    facts: dict[str, object] = {"method": request.method, "status": response.status_code}
    if match is None:
        return facts
    team = {"team": match.kwargs["team"]} if "team" in match.kwargs else {}
    return {**facts, "route": match.route, **team}


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
