"""Pages for those who run the server: figures for a machine, figures for a person."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from tidelog_server import observed
from tidelog_server.core import health
from tidelog_server.core.gate import operator_only, page_caller, public

HERE = frozenset({"127.0.0.1", "::1"})
HERE_BY_NAME = frozenset({"127.0.0.1", "localhost", "[::1]"})
BY_PROXY = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-IP")


@public("a scraper has no session: this machine may ask, or an operator's key; others get 404")
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not (is_from_here(request) or page_caller(request).is_operator):
        raise Http404
    return HttpResponse(generate_latest(observed.scraped()), content_type=CONTENT_TYPE_LATEST)


@operator_only
@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    context = {
        "now": observed.figures(),
        "counted": observed.counted(),
        "about": health.information(),
        "crumbs": [{"text": "Status", "url": ""}],
    }
    return render(request, "ui/status.html", context)


def is_from_here(request: HttpRequest) -> bool:
    """Whether a program on this machine asks, and no proxy on behalf of somebody else."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    return (
        request.META.get("REMOTE_ADDR") in HERE
        and host in HERE_BY_NAME
        and not any(name in request.headers for name in BY_PROXY)
    )
