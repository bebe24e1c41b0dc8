"""The ingest endpoint: one small ASGI application beside Django.

It decodes a batch once, with no Python per point, and runs one transaction. It takes keys only,
no cookies. 400 and 422 are about the body, never about an address: they make a client look for a
record to give up. Whatever happens it answers with JSON, and never with 500: what the database
refuses is 422, so that the client finds the culprit by bisection, and all else is 503, so that it
retries.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError

from tidelog_server.core import disk, gate, measures
from tidelog_server.core.errors import (
    ApiError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    OutOfSpace,
    RequestTimeout,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from tidelog_server.core.gate import Action, Caller
from tidelog_server.core.json import dumps
from tidelog_server.core.models import remembered_identity, server_identity
from tidelog_server.core.writer import writer
from tidelog_server.tracking.batches import Batch
from tidelog_server.tracking.bodies import batch_of, check_type
from tidelog_server.tracking.selectors import stream_positions
from tidelog_server.tracking.services import Receipt, ingest_batch

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# A smaller body is decoded on the spot; handing it to a thread would cost more.
SMALL_BODY = 32 * 1024


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler is told.

    words    the named parts of the path
    project  as the query names it: "team/project" or "project"
    """

    scope: Scope
    receive: Receive
    caller: Caller
    words: Mapping[str, str]
    project: str


@dataclass(frozen=True, slots=True)
class Route:
    """An address, what it opens, and who answers."""

    method: str
    pattern: str
    action: Action
    answer: Callable[[Request], Awaitable[Mapping[str, Any]]]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an ingest request, whatever comes."""
    try:
        body = await _answer(scope, receive)
        await _reply(send, 200, body)
    except ApiError as error:
        measures.refusals.labels(error.status).inc()
        await _reply(send, error.status, error.body, error.headers)
    except ClientLeft:
        return


async def _answer(scope: Scope, receive: Receive) -> Mapping[str, Any]:
    try:
        route, words = _route(scope)
        request = Request(scope, receive, await _caller(scope), words, _project(scope))
        return await route.answer(request)
    except (ApiError, ClientLeft):
        raise
    except (DataError, IntegrityError) as error:
        log.warning("the database refused a batch", path=scope["path"], error=str(error))
        raise Invalid("The database cannot keep a value in this batch.", code="refused") from error
    except Exception as error:
        # A database that is away or busy, a full disk, a bug of ours: the client keeps its
        # records and sends them again, so nothing is lost by saying "later".
        raise _later(error, scope["path"]) from error


def _later(error: Exception, path: str) -> ApiError:
    if isinstance(error, DatabaseError | InterfaceError):
        measures.database_errors.inc()
    if disk.is_full_error(error):
        log.error("the disk is full", path=path, error=str(error))
        return OutOfSpace()
    log.error("ingest failed", path=path, exc_info=error)
    return Unavailable()


def _route(scope: Scope) -> tuple[Route, Mapping[str, str]]:
    found = [(r, m) for r in ROUTES if (m := re.fullmatch(r.pattern, scope["path"]))]
    if not found:
        raise NotFound
    for route, match in found:
        if route.method == scope["method"]:
            return route, match.groupdict()
    raise MethodNotAllowed


async def _caller(scope: Scope) -> Caller:
    caller = await gate.caller_of_scope({**scope, "user": None})
    if caller.is_anonymous:
        raise Unauthenticated
    return caller


def _project(scope: Scope) -> str:
    try:
        text: str = scope.get("query_string", b"").decode("ascii")
        query = parse_qs(text, max_num_fields=20)
    except ValueError as error:
        raise NotFound("The query cannot be read.") from error
    return query.get("project", [""])[0]


async def _list_streams(request: Request) -> Mapping[str, Any]:
    positions = await _in_thread(
        partial(
            stream_positions,
            caller=request.caller,
            project_name=request.project,
            run_id=request.words["run"],
        )
    )
    return {**await _identity(), "streams": positions}


async def _take_batch(request: Request) -> Mapping[str, Any]:
    most = settings.INGEST_MAX_BODY
    kind, encoding = check_type(
        gate.header(request.scope, b"content-type"),
        gate.header(request.scope, b"content-encoding"),
    )
    if not disk.has_room():
        raise OutOfSpace
    body = await read_body(request.scope, request.receive, most=most)
    began = time.perf_counter()
    decode = partial(batch_of, body, media_type=kind, encoding=encoding, most=most)
    batch = decode() if len(body) < SMALL_BODY else await asyncio.to_thread(decode)
    identity = await _identity()
    work = partial(
        ingest_batch,
        caller=request.caller,
        project_name=request.project,
        run_id=request.words["run"],
        stream_id=request.words["stream"],
        batch=batch,
    )
    receipt = await asyncio.wrap_future(writer().submit(work))
    measures.note_batch(
        points_stored=batch.columns.n, seconds=time.perf_counter() - began, age=_age(batch)
    )
    return {**_receipt_json(receipt), **identity, "limits": {"max_body": most}}


def _age(batch: Batch) -> float | None:
    """Return how old the newest point is: how far its client is behind."""
    newest = [float(axis.times.max()) for axis in batch.columns.axes if len(axis.times)]
    return time.time() - max(newest) if newest else None


def _receipt_json(receipt: Receipt) -> dict[str, Any]:
    return {
        "stream": receipt.stream,
        "next": receipt.next,
        "rejected": receipt.rejected,
        "watched": receipt.watched,
        "url": receipt.path,
    }


async def _identity() -> dict[str, str]:
    server, epoch = remembered_identity() or await _in_thread(server_identity)
    return {"server": server, "epoch": epoch}


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return await database_sync_to_async(function, thread_sensitive=False)(*args)


async def read_body(scope: Scope, receive: Receive, *, most: int) -> bytes:
    """Return the body as it was sent. Raises TooLarge, RequestTimeout, ClientLeft."""
    length = gate.header(scope, b"content-length")
    if length.isdigit() and int(length) > most:
        raise TooLarge(max_body=most)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await _next_message(receive)
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > most:
            raise TooLarge(max_body=most)
    return b"".join(chunks)


async def _next_message(receive: Receive) -> Message:
    try:
        return await asyncio.wait_for(receive(), settings.INGEST_IDLE_SECONDS)
    except TimeoutError as error:
        raise RequestTimeout from error


async def _reply(
    send: Send, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> None:
    data = dumps(body)
    told = {
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    pairs = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": data})


PREFIX = "/api/v1/runs/"
ROUTES = (
    Route("GET", r"/api/v1/runs/(?P<run>[^/]+)/streams", Action.INGEST, _list_streams),
    Route(
        "POST",
        r"/api/v1/runs/(?P<run>[^/]+)/streams/(?P<stream>[^/]+)/records",
        Action.INGEST,
        _take_batch,
    ),
)
