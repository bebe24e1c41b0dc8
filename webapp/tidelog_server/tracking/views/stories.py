"""Every component in every state, for those who work on the interface."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tidelog_server.core.gate import signed_in
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.views.crumbs import crumb

# In order of assignment, as in tokens.css.
PALETTE = (
    ("blue", "solid, circle"),
    ("orange", "solid, square"),
    ("teal", "solid, triangle"),
    ("plum", "solid, diamond"),
    ("violet", "solid, cross"),
    ("gold", "solid, plus"),
    ("navy", "dash, circle"),
    ("rose", "dash, square"),
    ("green", "dash, triangle"),
    ("pink", "dash, diamond"),
    ("brown", "dots, cross"),
    ("slate", "dots, plus"),
)


@signed_in
@require_safe
def stories(request: HttpRequest) -> HttpResponse:
    """Show the page where the server was started for it; elsewhere it is not there."""
    if not settings.STORIES:
        raise Http404
    context = {
        "crumbs": [crumb("Stories")],
        "states": [*Run.State.values, "stale"],
        "palette": PALETTE,
    }
    return render(request, "ui/stories.html", context)
