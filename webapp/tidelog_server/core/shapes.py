"""Shapes of answers that every part of the API shares, for its description only."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers


class ErrorShape(serializers.Serializer[Any]):
    """What is wrong, for programs and for people."""

    code = serializers.CharField()
    message = serializers.CharField()


class GateScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tidelog_server.core.rest.GateAuthentication"
    name = ["key", "session"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "tl_..."},
            {"type": "apiKey", "in": "cookie", "name": "tidelog_session"},
        ]
