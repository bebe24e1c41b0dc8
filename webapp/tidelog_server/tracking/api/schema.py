"""The OpenAPI document, with the ingest routes that DRF does not see."""

from typing import Any, ClassVar

from drf_spectacular.views import SpectacularAPIView

from tidelog_server.core.gate import Declaration, Public

PROJECT = {
    "name": "project",
    "in": "query",
    "required": True,
    "schema": {"type": "string"},
    "description": "team/project, or a project of the key's own team.",
}
BATCH = {
    "type": "object",
    "required": ["v", "from", "to", "records"],
    "properties": {
        "v": {"type": "integer", "enum": [1]},
        "from": {"type": "integer"},
        "to": {"type": "integer"},
        "records": {"type": "array", "items": {"type": "array", "items": {}}},
        "gaps": {"type": "array", "items": {"type": "array", "items": {}}},
        "run": {"type": "object"},
        "writer": {"type": "string", "enum": ["gone"]},
    },
}
IDENTITY = {"server": {"type": "string"}, "epoch": {"type": "string"}}
POSITIONS = {**IDENTITY, "streams": {"type": "object", "additionalProperties": {}}}
RECEIPT = {
    **IDENTITY,
    "stream": {"type": "string"},
    "next": {"type": "integer"},
    "rejected": {"type": "array", "items": {"type": "object"}},
    "limits": {"type": "object"},
    "watched": {"type": "boolean"},
    "url": {"type": "string"},
}


class SchemaView(SpectacularAPIView):
    gate: ClassVar[Declaration] = Public("the description of the API names nothing of anyone's")


def add_ingest(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the routes of `tracking.ingest` to the document."""
    result["paths"]["/api/v1/runs/{run}/streams"] = {
        "get": _operation("streams", "What is stored of each stream of a run.", POSITIONS, "run")
    }
    ingest = _operation("ingest", "Store a batch of a stream.", RECEIPT, "run", "stream")
    ingest["requestBody"] = {
        "required": True,
        "content": {
            "application/json": {"schema": BATCH},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
    result["paths"]["/api/v1/runs/{run}/streams/{stream}/records"] = {"post": ingest}
    return result


def _operation(name: str, what: str, answer: dict[str, Any], *words: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "description": what,
        "tags": ["ingest"],
        "security": [{"key": []}],
        "parameters": [*map(_word, words), PROJECT],
        "responses": {
            "200": {
                "description": "",
                "content": {
                    "application/json": {"schema": {"type": "object", "properties": answer}}
                },
            }
        },
    }


def _word(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
