"""Shapes of requests and answers, for the OpenAPI document only: `rows` and services decide."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from tidelog_server.tracking.models import Run


class ProjectShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    rev = serializers.IntegerField(help_text="Grows with every change of a run.")
    created_at = serializers.DateTimeField()


class ProjectsShape(serializers.Serializer[Any]):
    projects = ProjectShape(many=True)


class RunRowShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(Run.State.choices)
    color = serializers.IntegerField(help_text="Index in the palette, from 0.")
    tags = serializers.ListField(child=serializers.CharField())
    group = serializers.CharField()
    job_type = serializers.CharField()
    notes = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    host = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    heard_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    duration = serializers.FloatField(help_text="Seconds.")
    config = serializers.DictField(help_text="Flat: nested keys are a/b.")
    summary = serializers.DictField(help_text="Flat. NaN and infinities are strings.")
    exit_code = serializers.IntegerField(allow_null=True)
    dropped = serializers.DictField(child=serializers.IntegerField())
    gaps = serializers.IntegerField()
    rev = serializers.IntegerField()


class RunDetailShape(RunRowShape):
    command = serializers.CharField()
    environment = serializers.DictField()


class RunPageShape(serializers.Serializer[Any]):
    rev = serializers.IntegerField()
    count = serializers.IntegerField()
    runs = RunRowShape(many=True)


class RunChangesShape(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=200)
    notes = serializers.CharField(required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)


class NumberField(serializers.FloatField):
    """A number, or "NaN", "Infinity" or "-Infinity"."""


class SeriesShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    n = serializers.IntegerField()
    first_step = serializers.FloatField()
    last_step = serializers.FloatField()
    last = NumberField()
    min = NumberField()
    max = NumberField()
    last_time = serializers.FloatField(help_text="Seconds since the epoch.")


class SeriesListShape(serializers.Serializer[Any]):
    series = SeriesShape(many=True)


class KeyShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    runs = serializers.IntegerField()


KeysShape = inline_serializer("Keys", {"keys": KeyShape(many=True)})


LogsShape = inline_serializer(
    "Logs",
    {
        "total": serializers.IntegerField(),
        "from": serializers.IntegerField(),
        "lines": serializers.ListField(
            child=serializers.ListField(), help_text="[number, seconds, 1 or 2, text]"
        ),
    },
)


ChartRequestShape = inline_serializer(
    "ChartRequest",
    {
        "key": serializers.CharField(),
        "runs": serializers.ListField(child=serializers.CharField(), max_length=100),
        "x": serializers.ChoiceField(["step", "relative", "wall"], required=False),
        "from": serializers.FloatField(required=False, allow_null=True),
        "to": serializers.FloatField(required=False, allow_null=True),
        "width": serializers.IntegerField(required=False, help_text="Pixels, 1 to 4000."),
    },
)


class ChartRunShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    total = serializers.IntegerField(help_text="Points stored in the series.")
    range = serializers.IntegerField(help_text="Points between `from` and `to`.")
    cols = serializers.ListField(
        child=serializers.CharField(), help_text="The columns that follow, each under its name."
    )
    nan = serializers.ListField(
        child=serializers.IntegerField(), help_text="Indices where a NaN was logged."
    )
    origin = serializers.FloatField(help_text="What relative time counts from, in seconds.")


ChartShape = inline_serializer(
    "Chart",
    {
        "v": serializers.IntegerField(),
        "key": serializers.CharField(),
        "x": serializers.ListField(child=serializers.FloatField(), help_text="In mode raw."),
        "from": serializers.FloatField(allow_null=True),
        "to": serializers.FloatField(allow_null=True),
        "mode": serializers.ChoiceField(["raw", "buckets"]),
        "n": serializers.IntegerField(help_text="How long the columns are."),
        "x0": serializers.FloatField(required=False),
        "dx": serializers.FloatField(
            required=False, help_text="Bucket i covers [x0 + i dx, x0 + (i + 1) dx)."
        ),
        "runs": ChartRunShape(many=True),
    },
)

PointsShape = inline_serializer(
    "Points",
    {
        "key": serializers.CharField(),
        "after": serializers.IntegerField(),
        "next": serializers.IntegerField(allow_null=True),
        "points": serializers.ListField(
            child=serializers.ListField(child=NumberField()), help_text="[step, seconds, value]"
        ),
    },
)
