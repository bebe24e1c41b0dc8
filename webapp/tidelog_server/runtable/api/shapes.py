"""Shapes of answers, for the OpenAPI document only."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

KIND = serializers.ChoiceField(["number", "text", "mixed", "tags", "time", "duration"])

RunKeysShape = inline_serializer(
    "RunKeys",
    {
        "keys": inline_serializer(
            "RunKey",
            {
                "key": serializers.CharField(help_text="As a filter or a sort names it."),
                "kind": KIND,
                "runs": serializers.IntegerField(help_text="How many runs have it."),
            },
            many=True,
        )
    },
)
RunValuesShape = inline_serializer(
    "RunValues",
    {
        "values": inline_serializer(
            "RunValue",
            {
                "value": serializers.JSONField(help_text="A number or a text."),
                "runs": serializers.IntegerField(),
            },
            many=True,
        )
    },
)
