"""A proxy that does what networks do, and what stands in them: loses, delays, doubles, lies."""

import asyncio
import itertools
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PORTAL = b"<html><title>Hotel WiFi</title><form>Room number: <input></form></html>"
PATIENCE = 60.0
PIECE = 1024


class Fault(StrEnum):
    """What can happen to one exchange."""

    DROP = "drop"  # the connection is reset before anything is answered
    HALF_OPEN = "half-open"  # everything is taken and nothing ever answered
    DELAY = "delay"  # the answer takes a second
    THROTTLE = "throttle"  # bytes trickle, in both directions
    BREAK_REQUEST = "break request"  # half of the request arrives at the server
    LOSE_ANSWER = "lose answer"  # the server has stored it, and nobody hears of that
    TRUNCATE = "truncate"  # half of the answer arrives
    DUPLICATE = "duplicate"  # the request arrives twice; the second answer counts
    STALE = "stale answer"  # the answer to an earlier request comes again
    STATUS = "wrong status"  # 500, 502, 503, 404 and 403 of something in between
    PORTAL = "captive portal"  # 200 and a page to log in
    EMPTY = "204"  # done, says someone who knows nothing of it
    REDIRECT = "redirect"  # to a page that would say 200
    OK = "bare 200"  # JSON, but not of our server


REPLIES = {
    Fault.PORTAL: [(200, "text/html", PORTAL)],
    Fault.EMPTY: [(204, "", b"")],
    Fault.REDIRECT: [(302, "text/html", PORTAL)],
    Fault.OK: [(200, "application/json", b'{"status": "ok"}')],
    Fault.STATUS: [
        (status, "text/html", b"<h1>Something in between is not well</h1>")
        for status in (500, 502, 503, 404, 403)
    ],
}


@dataclass
class Call:
    """One request as it came from a client, whose end of the connection is `writer`."""

    request: bytes
    writer: asyncio.StreamWriter


class FaultProxy:
    """Stands between clients and the server on port `upstream`, on a thread of its own.

    strikes  asked before each exchange: which fault befalls it, or None

    One exchange a connection: the proxy knows where a request ends, and reads the answer to its
    end. What did not happen to anyone is forwarded byte by byte.
    """

    def __init__(self, upstream: int, strikes: Callable[[], Fault | None]) -> None:
        self.upstream = upstream
        self.strikes = strikes
        self.struck: dict[Fault, int] = dict.fromkeys(Fault, 0)
        self._replies = {fault: itertools.cycle(found) for fault, found in REPLIES.items()}
        self._last_answer = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))

    def __enter__(self) -> "FaultProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._serve, sock=self._listening)
        await self._closing.wait()
        server.close()
        exchanges = asyncio.all_tasks() - {asyncio.current_task()}
        for exchange in exchanges:
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                fault = self.strikes()
                if fault is not None:
                    self.struck[fault] += 1
                if fault is Fault.DROP:
                    return
                await self._exchange(fault, Call(await _request(reader), writer))
        except asyncio.CancelledError:  # the proxy closes
            return
        finally:
            _reset(writer)

    async def _exchange(self, fault: Fault | None, call: Call) -> None:
        if fault in self._replies:
            await _send(call.writer, _reply(*next(self._replies[fault])))
        elif fault in self._SPECIAL:
            await self._SPECIAL[fault](self, call)
        else:
            await _send(call.writer, await self._ask(call.request))

    async def _ask(self, request: bytes, *, pause: float = 0.0) -> bytes:
        """Send a request to the server, and return its whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            await _send(writer, request, pause=pause)
            answer = await asyncio.wait_for(reader.read(), PATIENCE)
        finally:
            writer.close()
        self._last_answer = answer
        return answer

    async def _half_open(self, _: Call) -> None:
        await self._closing.wait()

    async def _delay(self, call: Call) -> None:
        await asyncio.sleep(1.0)
        await _send(call.writer, await self._ask(call.request))

    async def _throttle(self, call: Call) -> None:
        answer = await self._ask(call.request, pause=0.02)
        await _send(call.writer, answer, pause=0.02)

    async def _break_request(self, call: Call) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        await _send(writer, call.request[: len(call.request) // 2])
        _reset(writer)

    async def _lose_answer(self, call: Call) -> None:
        await self._ask(call.request)

    async def _truncate(self, call: Call) -> None:
        answer = await self._ask(call.request)
        await _send(call.writer, answer[: -len(answer.partition(b"\r\n\r\n")[2]) // 2])

    async def _duplicate(self, call: Call) -> None:
        await asyncio.gather(self._ask(call.request), self._ask(call.request))
        await _send(call.writer, await self._ask(call.request))

    async def _stale(self, call: Call) -> None:
        stale = self._last_answer
        answer = await self._ask(call.request)
        await _send(call.writer, stale or answer)

    _SPECIAL: dict[Fault | None, Callable[[Any, Call], Awaitable[None]]] = {
        Fault.HALF_OPEN: _half_open,
        Fault.DELAY: _delay,
        Fault.THROTTLE: _throttle,
        Fault.BREAK_REQUEST: _break_request,
        Fault.LOSE_ANSWER: _lose_answer,
        Fault.TRUNCATE: _truncate,
        Fault.DUPLICATE: _duplicate,
        Fault.STALE: _stale,
    }


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Return one request, which asks the server to close the connection after its answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    lines = [line for line in head.split(b"\r\n") if line]
    names = [line.partition(b":")[0].lower() for line in lines]
    length = sum(int(line[15:]) for line in lines if line.lower().startswith(b"content-length:"))
    kept = [line for line, name in zip(lines, names, strict=True) if name != b"connection"]
    body = await asyncio.wait_for(reader.readexactly(length), PATIENCE)
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body


def _reply(status: int, kind: str, body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} As It Were", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += ["Location: http://127.0.0.1:9/portal"] if status == 302 else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _send(writer: asyncio.StreamWriter, message: bytes, *, pause: float = 0.0) -> None:
    """Send a message; with a pause, a kibibyte at a time."""
    size = PIECE if pause else max(len(message), 1)
    for at in range(0, len(message), size):
        writer.write(message[at : at + size])
        await writer.drain()
        await asyncio.sleep(pause)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close; what the other end still sends is answered by a reset."""
    with suppress(OSError):
        writer.close()
