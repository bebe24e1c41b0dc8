"""Static files, straight from disk: hashed names are cached for ever, .gz is sent when welcome."""

import asyncio
from collections.abc import Mapping, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

HASHED = r"^.+\.[0-9a-f]{12}\..+$"


class Files(WhiteNoise):  # type: ignore[misc]
    """What `collectstatic` put into STATIC_ROOT, found once."""

    headers: ClassVar[Mapping[str, str]] = {
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    def __init__(self) -> None:
        super().__init__(
            None,
            root=str(settings.STATIC_ROOT),
            prefix=settings.STATIC_URL,
            allow_all_origins=False,
            immutable_file_test=HASHED,
            add_headers_function=self._add_headers,
        )

    def _add_headers(self, headers: Any, path: str, url: str) -> None:
        for name, value in self.headers.items():
            headers[name] = value


@cache
def files() -> Files:
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    return Files()


async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer a request below /static/."""
    found = files().files.get(scope["path"])
    if found is None:
        await _send(send, 404, [("Content-Type", "text/plain")], b"There is no such file.")
        return
    asked = {_environ_name(name): value.decode("latin-1") for name, value in scope["headers"]}
    response = found.get_response(scope["method"], asked)
    body = b""
    if response.file is not None:
        body = await asyncio.to_thread(_read, response.file)
    await _send(send, int(response.status), response.headers, body)


def _environ_name(name: bytes) -> str:
    return "HTTP_" + name.decode("latin-1").upper().replace("-", "_")


def _read(file: Any) -> bytes:
    with file:
        content: bytes = file.read()
        return content


async def _send(send: Any, status: int, headers: Any, body: bytes) -> None:
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
