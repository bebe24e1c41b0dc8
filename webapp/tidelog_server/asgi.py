"""The server: static files, ingest, sockets, and Django for the rest."""

# Django must be set up before what uses it is imported.
# ruff: noqa: E402

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tidelog_server.settings")

from django.core.asgi import get_asgi_application

django_app = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

from tidelog_server.core import static
from tidelog_server.core.bodies import limited
from tidelog_server.core.gate import public
from tidelog_server.core.writer import stop_writer
from tidelog_server.live.routing import websocket_urlpatterns
from tidelog_server.tracking import ingest

pages = limited(django_app, most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Send a request to whom it is for."""
    if scope["path"].startswith(ingest.PREFIX):
        await ingest.app(scope, receive, send)
    elif scope["path"].startswith(settings.STATIC_URL):
        await static.app(scope, receive, send)
    else:
        await pages(scope, receive, send)


@public("it says that there is no such socket, and nothing else")
async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Look for the static files at the start; commit what waits at the end."""
    await receive()
    static.files()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    stop_writer()
    await send({"type": "lifespan.shutdown.complete"})


socket_routes = [*websocket_urlpatterns, path("<path:anything>", nowhere)]
application = ProtocolTypeRouter(
    {"http": http, "websocket": URLRouter(socket_routes), "lifespan": lifespan}
)
