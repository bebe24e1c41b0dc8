"""A client of the whole ASGI application: what uvicorn would do, without a network."""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from asgiref.sync import async_to_sync

from tidelog_server.asgi import application


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True)
class AsgiClient:
    """Sends requests with a key; `json` and `body` are what to send."""

    key: str = ""

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, **more: Any) -> Answer:
        return self.call("POST", path, **more)

    def call(self, method: str, path: str, **more: Any) -> Answer:
        return async_to_sync(self.acall)(method, path, **more)

    async def acall(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        json: Any = None,
        headers: dict[str, str] | None = None,
        chunks: list[bytes] | None = None,
        stalls: bool = False,
    ) -> Answer:
        path, _, query = path.partition("?")
        data = orjson.dumps(json) if json is not None else body
        kind = "application/json" if json is not None else "application/octet-stream"
        told = {"host": "localhost", "content-type": kind, **(headers or {})}
        if self.key:
            told["authorization"] = f"Bearer {self.key}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in told.items()],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        return await _converse(scope, chunks if chunks is not None else [data], stalls=stalls)


async def _converse(scope: dict[str, Any], chunks: list[bytes], *, stalls: bool) -> Answer:
    waiting = list(chunks)
    sent: list[Any] = []

    async def receive() -> Any:
        if not waiting:
            await asyncio.Event().wait()
        chunk = waiting.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting) or stalls}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start, *rest = sent
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(m.get("body", b"") for m in rest))


def records_path(run: str, stream: str, project: str) -> str:
    return f"/api/v1/runs/{run}/streams/{stream}/records?project={project}"
