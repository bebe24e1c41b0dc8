"""What one process of sockets bears: 500 of them at ten frames a second, and a burst.

    .venv/bin/python tests/bench/bench_hub.py

A real uvicorn serves the application; the pages' ends of the sockets are processes of their own.
Beside each figure, a bare application in the same place: it sends the same bytes to as many
sockets, and does nothing else.
"""

import asyncio
import json
import multiprocessing
import os
import struct
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID

import uvicorn
import uvloop
from websockets.asyncio.client import ClientConnection, connect

SOCKETS, CLIENTS, RUNS = 500, 2, 20
BEATS, RATE = 100, 10
BURST = 400
TARGET_P99, TARGET_BURST = 80, 15_000


# --- The pages' ends, in processes of their own ----------------------------------------------


def client(url: str, headers: dict[str, str], sockets: int, orders: Connection) -> None:
    asyncio.run(_client(url, headers, sockets, orders))


async def _client(url: str, headers: dict[str, str], sockets: int, orders: Connection) -> None:
    """Open the sockets and say how long the greetings took; then measure what is sent."""
    began = time.monotonic()
    opened = await asyncio.gather(*(_greeted(url, headers, began) for _ in range(sockets)))
    orders.send([seconds for _, seconds in opened])
    pages = [page for page, _ in opened]
    for count in (BEATS, BURST):
        seen = await asyncio.gather(*(_listen(page, count) for page in pages))
        orders.send([moment for each in seen for moment in each])
    await asyncio.gather(*(page.close() for page in pages))


async def _greeted(
    url: str, headers: dict[str, str], began: float
) -> tuple[ClientConnection, float]:
    page = await connect(
        url, additional_headers=headers, compression=None, max_size=None, open_timeout=120
    )
    await page.send('{"type":"resume","rev":0}')
    await page.recv()
    return page, time.monotonic() - began


async def _listen(page: ClientConnection, frames: int) -> list[tuple[float, float]]:
    """Return, for each frame, when it was published and when it was here."""
    seen: list[tuple[float, float]] = []
    while len(seen) < frames:
        message = await page.recv()
        assert isinstance(message, bytes)
        now, at = time.monotonic(), 0
        while at < len(message):
            length = int.from_bytes(message[at : at + 4], "little")
            seen.append((struct.unpack_from("<d", message, at + length - 4)[0], now))
            at += 4 + length
    return seen


# --- What is measured ------------------------------------------------------------------------


def frame() -> bytes:
    """Return a frame of 5 series with a point each, as ingest publishes it: its end is the time."""
    from tidelog.wire.batch import encode

    keys = [f"train/{name}" for name in ("loss", "accuracy", "lr", "grad_norm", "sent")]
    series = [{"key": key, "axis": 0, "n": 1, "total": 1000} for key in keys]
    header = {"kind": "points", "run": "r1", "axes": [1], "series": series}
    now = struct.pack("<d", time.monotonic())
    return encode(header, [(now, now)], [now] * 5)


async def measure(name: str, send: Callable[[bytes], Awaitable[None]], pages: "Pages") -> None:
    """Publish in the measured process, and print what the pages say of it."""
    greeted = sorted(await pages.answers())
    say(f"{name}: greeting {SOCKETS}", f"{greeted[-1] * 1000:9.0f} ms until the last")
    due, spent = asyncio.get_running_loop().time(), time.process_time()
    for _ in range(BEATS):
        due += 1 / RATE
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        await send(frame())
    each = (time.process_time() - spent) / (BEATS * SOCKETS) * 1e6
    delays = sorted((there - here) * 1000 for here, there in await pages.answers())
    say(f"{name}: {RATE} Hz", f"{delays[len(delays) // 2]:9.1f} ms median")
    say(f"{name}: {RATE} Hz", f"{delays[len(delays) * 99 // 100]:9.1f} ms p99", TARGET_P99)
    say(f"{name}: {RATE} Hz", f"{each:9.1f} us of CPU a frame and socket")
    for at in range(BURST):
        await send(frame())
        if at % 100 == 99:  # what a second of 20 busy runs brings, at once
            await asyncio.sleep(0.2)
    seen = await pages.answers()
    seconds = max(there for _, there in seen) - min(here for here, _ in seen)
    say(f"{name}: burst", f"{len(seen) / seconds:9.0f} frames/s", TARGET_BURST)


class Pages:
    """The processes that hold the pages' ends of the sockets."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes = []
        for _ in range(CLIENTS):
            ours, theirs = context.Pipe()
            arguments = (url, headers, SOCKETS // CLIENTS, theirs)
            context.Process(target=client, args=arguments, daemon=True).start()
            self._pipes.append(ours)

    async def answers(self) -> list[Any]:
        """Return what every socket has to say."""
        loop = asyncio.get_running_loop()
        parts = [loop.run_in_executor(None, pipe.recv) for pipe in self._pipes]
        return [each for part in await asyncio.gather(*parts) for each in part]


async def bare() -> None:
    """The least: the same web server, and an application that sends and does nothing else."""
    sends: set[Any] = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "bytes": b""})
        sends.add(send)
        await receive()

    async def send_all(message: bytes) -> None:
        packed = {"type": "websocket.send", "bytes": len(message).to_bytes(4, "little") + message}
        for send in sends:
            await send(packed)

    async with served(app, lifespan="off") as port:
        await measure("bare", send_all, Pages(f"ws://127.0.0.1:{port}/", {}))


async def ours(welcome: dict[str, Any]) -> None:
    """The application, with a project of 20 running runs."""
    from tidelog.wire.topics import project_topic
    from tidelog_server.asgi import application
    from tidelog_server.core import bus

    async def publish(message: bytes) -> None:
        bus.publish([topic], message)

    async with served(application, lifespan="on") as port:
        topic = project_topic(await asyncio.to_thread(begin_runs, port, welcome))
        url = f"ws://127.0.0.1:{port}/ws/v1/{welcome['team']}/tides/"
        await measure("hub", publish, Pages(url, authorised(welcome)))


@asynccontextmanager
async def served(app: Any, *, lifespan: Any) -> AsyncIterator[int]:
    """Serve as `tidelog up` does."""
    from tidelog_workers.supervisor.web import OPTIONS

    config = uvicorn.Config(app, lifespan=lifespan, port=0, **OPTIONS)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells nobody
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


def begin_runs(port: int, welcome: dict[str, Any]) -> UUID:
    from tidelog_server.tracking.models import Project

    for run in range(RUNS):
        records = [[0, 1, {"t": 0, "n": 0, "s": 0, "d": {f"metric/{n}": n for n in range(20)}}]]
        body = json.dumps({"v": 1, "from": 0, "to": 1, "records": records}).encode()
        path = f"/api/v1/runs/r{run}/streams/{run:032x}/records?project=tides"
        headers = {**authorised(welcome), "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
        urllib.request.urlopen(request).close()
    return Project.objects.get(slug="tides").pk


def authorised(welcome: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {welcome['api_key']}"}


def say(what: str, figure: str, target: float | None = None) -> None:
    aside = "" if target is None else f"  (target {target:,})"
    sys.stdout.write(f"{what:<22}{figure}{aside}\n")
    sys.stdout.flush()


def main() -> None:
    uvloop.run(bare())
    with tempfile.TemporaryDirectory(prefix="tidelog-bench-") as folder:
        os.environ["TIDELOG_DATA_DIR"] = os.environ["TIDELOG_CONFIG_DIR"] = folder
        from tidelog_workers.supervisor.prepare import prepare

        welcome = prepare(url="http://127.0.0.1", report=lambda *_, **__: None)
        uvloop.run(ours(welcome))


if __name__ == "__main__":
    main()
