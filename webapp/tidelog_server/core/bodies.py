"""A cap on request bodies, before anything of them is kept."""

from typing import Any

from tidelog_server.core.errors import TooLarge
from tidelog_server.core.gate import header
from tidelog_server.core.json import dumps


def limited(app: Any, *, most: int) -> Any:
    """Return an ASGI application that answers 413 to bodies of more than `most` bytes."""

    async def capped(scope: Any, receive: Any, send: Any) -> None:
        length = header(scope, b"content-length")
        if length.isdigit() and int(length) > most:
            await _refuse(send)
        else:
            await app(scope, _counting(receive, most), send)

    return capped


def _counting(receive: Any, most: int) -> Any:
    """Return `receive`, but hang up on a body that did not say how long it would be."""
    size = 0

    async def counted() -> Any:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        return message if size <= most else {"type": "http.disconnect"}

    return counted


async def _refuse(send: Any) -> None:
    body = dumps(TooLarge().body)
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
