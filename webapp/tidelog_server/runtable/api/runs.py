from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tidelog_server.core.api import GatedView
from tidelog_server.core.errors import Invalid
from tidelog_server.core.gate import Action, Opens
from tidelog_server.core.query import text, whole
from tidelog_server.runtable import selectors
from tidelog_server.runtable.api import shapes
from tidelog_server.runtable.query import QueryError
from tidelog_server.runtable.query.lexer import LONGEST
from tidelog_server.tracking.api.shapes import RunPageShape
from tidelog_server.tracking.models import Project

READ_PROJECT = Opens("project", {"GET": Action.READ})


def _number(name: str, what: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.INT, description=what)


@contextmanager
def _understood() -> Iterator[None]:
    """Answer what is wrong with a query, and where."""
    try:
        yield
    except QueryError as error:
        raise Invalid(error.message, code="bad_query", position=error.at) from error


class RunsView(GatedView):
    """The runs of a project: those that match a filter, sorted, by pages."""

    opens: ClassVar = READ_PROJECT
    subject: Project

    @extend_schema(
        operation_id="runs",
        parameters=[
            OpenApiParameter("filter", description="`lr<1e-3 state:failed`; all unless told."),
            OpenApiParameter(
                "sort", description="`-summary.val/acc,name`; newest first unless told."
            ),
            _number("after_rev", "Only runs that changed since this revision."),
            _number("offset", "Skip so many."),
            _number("limit", f"At most so many, up to {selectors.MOST_RUNS}; 100 unless told."),
        ],
        responses=RunPageShape,
    )
    def get(self, request: Request, team: str, project: str) -> Response:
        query = request.query_params
        with _understood():
            page = selectors.run_page(
                self.subject,
                query=text(query, "filter", longest=LONGEST),
                sort=text(query, "sort", longest=LONGEST),
                after_rev=whole(query, "after_rev", default=0),
                offset=whole(query, "offset", default=0),
                limit=whole(query, "limit", default=100, least=1, most=selectors.MOST_RUNS),
            )
        return Response({"rev": page.rev, "count": page.count, "runs": page.runs})


class RunKeysView(GatedView):
    """Every key that runs can be filtered and sorted by."""

    opens: ClassVar = READ_PROJECT
    subject: Project

    @extend_schema(operation_id="run_keys", responses=shapes.RunKeysShape)
    def get(self, request: Request, team: str, project: str) -> Response:
        return Response({"keys": [asdict(key) for key in selectors.known_keys(self.subject)]})


class RunValuesView(GatedView):
    """The commonest values of a key, and how many runs have each."""

    opens: ClassVar = READ_PROJECT
    subject: Project

    @extend_schema(
        operation_id="run_values",
        parameters=[
            OpenApiParameter("key", required=True, description="`config.optimizer`, `tag`."),
            OpenApiParameter("part", description="Only values that contain it."),
        ],
        responses=shapes.RunValuesShape,
    )
    def get(self, request: Request, team: str, project: str) -> Response:
        query = request.query_params
        with _understood():
            values = selectors.known_values(
                self.subject, key=text(query, "key", longest=LONGEST), part=text(query, "part")
            )
        return Response({"values": [asdict(value) for value in values]})
