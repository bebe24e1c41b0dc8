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
