from dataclasses import asdict
from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tidelog_server.core.api import GatedView, object_in
from tidelog_server.core.errors import NotFound
from tidelog_server.core.gate import Action, Opens
from tidelog_server.core.query import whole
from tidelog_server.metrics.values import SeriesTotal
from tidelog_server.tracking import selectors, services
from tidelog_server.tracking.api import shapes
from tidelog_server.tracking.models import Run

READ_RUN = Opens("run", {"GET": Action.READ})


def _number(name: str, what: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.INT, description=what)


class RunView(GatedView):
    """A run: read it, change what people may change, delete it."""

    opens: ClassVar = Opens(
        "run", {"GET": Action.READ, "PATCH": Action.WRITE, "DELETE": Action.WRITE}
    )
    subject: Run

    @extend_schema(operation_id="run", responses=shapes.RunDetailShape)
    def get(self, request: Request, team: str, project: str, run: str) -> Response:
        return Response(selectors.detail(self.subject))

    @extend_schema(
        operation_id="edit_run", request=shapes.RunChangesShape, responses=shapes.RunDetailShape
    )
    def patch(self, request: Request, team: str, project: str, run: str) -> Response:
        services.edit_run(run=self.subject, changes=object_in(request))
        changed = selectors.visible_run(self.caller, {"team": team, "project": project, "run": run})
        if changed is None:
            raise NotFound
        return Response(selectors.detail(changed))

    @extend_schema(operation_id="delete_run", responses={204: None})
    def delete(self, request: Request, team: str, project: str, run: str) -> Response:
        services.delete_run(run=self.subject)
        return Response(status=204)


class SeriesView(GatedView):
    """The metrics of a run, with what is known of each without reading its points."""

    opens: ClassVar = READ_RUN
    subject: Run

    @extend_schema(operation_id="run_series", responses=shapes.SeriesListShape)
    def get(self, request: Request, team: str, project: str, run: str) -> Response:
        return Response({"series": [_series_json(s) for s in selectors.series_of(self.subject)]})


def _series_json(total: SeriesTotal) -> dict[str, object]:
    shown = asdict(total)
    del shown["first_time"]
    return shown


class LogsView(GatedView):
    """Console lines of a run, addressed by number."""

    opens: ClassVar = READ_RUN
    subject: Run

    @extend_schema(
        operation_id="run_logs",
        parameters=[
            _number("from", "The first line; negative counts from the end. 0 unless told."),
            _number("limit", f"At most so many, up to {selectors.MOST_LINES}; 1000 unless told."),
        ],
        responses=shapes.LogsShape,
    )
    def get(self, request: Request, team: str, project: str, run: str) -> Response:
        query = request.query_params
        found = selectors.console_lines(
            self.subject,
            first=whole(query, "from", default=0, least=-(2**53)),
            limit=whole(query, "limit", default=1_000, least=1, most=selectors.MOST_LINES),
        )
        return Response({"total": found.total, "from": found.first, "lines": found.lines})
