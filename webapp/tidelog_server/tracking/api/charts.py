"""Points of runs: curves for a chart, and the exact export of one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from tidelog_server.core.api import GatedView, object_in
from tidelog_server.core.errors import Invalid, NotFound
from tidelog_server.core.gate import Action, Opens
from tidelog_server.core.query import text, whole
from tidelog_server.core.rest import JSONRenderer
from tidelog_server.metrics.store import store
from tidelog_server.metrics.values import RunAxis, Window, X
from tidelog_server.tracking.api import shapes
from tidelog_server.tracking.api.curves import (
    BINARY,
    CSV,
    BinaryRenderer,
    CSVRenderer,
    chart_body,
    points_body,
)
from tidelog_server.tracking.models import Project, Run

MOST_RUNS = 100
MOST_PIXELS = 4_000
MOST_POINTS = 100_000
LONGEST_KEY = 512


class ChartView(GatedView):
    """Curves of one metric of some runs on one axis: points while they are few, else buckets."""

    opens: ClassVar = Opens("project", {"POST": Action.READ})
    renderer_classes = (JSONRenderer, BinaryRenderer)
    subject: Project

    @extend_schema(
        operation_id="chart",
        request=shapes.ChartRequestShape,
        responses={(200, "application/json"): shapes.ChartShape, (200, BINARY): bytes},
    )
    def post(self, request: Request, team: str, project: str) -> HttpResponse:
        asked = object_in(request)
        key, x, window, width = _key(asked), _x(asked), _window(asked), _width(asked)
        runs = _runs(self.subject, _run_names(asked))
        chart = store.chart(key=key, runs=list(runs.values()), x=x, window=window, width=width)
        said = {"key": key, "x": x.value, "from": asked.get("from"), "to": asked.get("to")}
        form = _accepted(request)
        return HttpResponse(chart_body(form, said, chart, runs), content_type=form)


class PointsView(GatedView):
    """Every point of one metric of a run, in order of step and of arrival among equal steps."""

    opens: ClassVar = Opens("run", {"GET": Action.READ})
    renderer_classes = (JSONRenderer, CSVRenderer, BinaryRenderer)
    subject: Run

    @extend_schema(
        operation_id="run_points",
        parameters=[
            OpenApiParameter("key", str, required=True, description="The metric."),
            OpenApiParameter("after", int, description="Skip so many; `next` of the page before."),
            OpenApiParameter("limit", int, description=f"At most so many, up to {MOST_POINTS}."),
        ],
        responses={
            (200, "application/json"): shapes.PointsShape,
            (200, CSV): str,
            (200, BINARY): bytes,
        },
    )
    def get(self, request: Request, team: str, project: str, run: str) -> HttpResponse:
        query = request.query_params
        key = _key({"key": text(query, "key", longest=LONGEST_KEY)})
        after = whole(query, "after", default=0)
        limit = whole(query, "limit", default=10_000, least=1, most=MOST_POINTS)
        points = store.points(run_id=self.subject.pk, key=key, after=after, limit=limit)
        following = after + len(points) if len(points) == limit else None
        form = _accepted(request)
        response = HttpResponse(
            points_body(form, {"key": key, "after": after, "next": following}, points),
            content_type=form,
        )
        if following is not None:
            response["Tidelog-Next"] = str(following)
        if form == CSV:
            name = content_disposition_header(True, f"{self.subject.run_id}.csv")
            response["Content-Disposition"] = name or "attachment"
        return response


def _accepted(request: Request) -> str:
    return str(request.accepted_renderer.media_type)


def _key(asked: dict[str, Any]) -> str:
    key = asked.get("key")
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        raise Invalid("`key` is the name of a metric.", code="bad_key")
    return key


def _x(asked: dict[str, Any]) -> X:
    try:
        return X(asked.get("x", X.STEP))
    except ValueError:
        raise Invalid('`x` is "step", "relative" or "wall".', code="bad_x") from None


def _window(asked: dict[str, Any]) -> Window:
    lower, upper = _bound(asked, "from"), _bound(asked, "to")
    window = Window()
    if lower is not None or upper is not None:
        window = Window(
            window.lower if lower is None else lower, window.upper if upper is None else upper
        )
    if window.lower > window.upper:
        raise Invalid("`from` lies behind `to`.", code="bad_range")
    return window


def _bound(asked: dict[str, Any], name: str) -> float | None:
    value = asked.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"`{name}` is a number or null.", code="bad_range")
    return float(value)


def _width(asked: dict[str, Any]) -> int:
    width = asked.get("width", 1_000)
    if isinstance(width, bool) or not isinstance(width, int | float):
        raise Invalid("`width` is a number of pixels.", code="bad_width")
    return int(min(max(width, 1), MOST_PIXELS))


def _run_names(asked: dict[str, Any]) -> list[str]:
    """Return the runs that are asked for, each once."""
    names = asked.get("runs")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid("`runs` is a list of run ids.", code="bad_runs")
    names = list(dict.fromkeys(names))
    if len(names) > MOST_RUNS:
        raise Invalid(f"A chart shows at most {MOST_RUNS} runs; ask for fewer.", code="many_runs")
    return names


def _runs(project: Project, names: list[str]) -> dict[str, RunAxis]:
    """Return the runs of this project by name. Raises NotFound if one is not among them."""
    rows = Run.objects.filter(project=project, run_id__in=names).present()
    found = {
        name: RunAxis(pk, (started or created).timestamp())
        for pk, name, started, created in rows.values_list(
            "pk", "run_id", "started_at", "created_at"
        )
    }
    if len(found) < len(names):
        raise NotFound
    return {name: found[name] for name in names}
