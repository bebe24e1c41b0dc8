"""The ingest contract in memory, over real HTTP: what the SDK is tested against."""

from __future__ import annotations

import gzip
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard

from tidelog.wire import batch

KEY = "tl_test_0123456789abcdefghijABCDEFGHIJ0123"


@dataclass
class Reply:
    """An answer that is given instead of the right one.

    close  break the connection off after the body
    store  whether the batch is stored all the same: an answer that was lost on the way
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    store: bool = False


def json_reply(status: int, content: Any, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(content).encode()
    return Reply(status, body, {"Content-Type": "application/json", **named})


@dataclass
class StoredStream:
    next: int = 0
    points: list[tuple[str, float, float, float]] = field(default_factory=list)
    records: list[list[Any]] = field(default_factory=list)
    gaps: list[list[Any]] = field(default_factory=list)
    gone: bool = False
    heartbeats: int = 0


class FakeServer:
    """Runs until `close`.

    script    answers to give instead, the next one first
    judge     called with each decoded batch header; may return a Reply to give instead
    """

    def __init__(self, port: int = 0) -> None:
        self.runs: dict[str, dict[str, StoredStream]] = {}
        self.descriptions: dict[str, dict[str, Any]] = {}
        self.projects: set[str] = set()
        self.script: deque[Reply] = deque()
        self.judge: Callable[[dict[str, Any]], Reply | None] = lambda header: None
        self.key = KEY
        self.watched = False
        self.epoch = "e1"
        self.posts = 0
        self.gets = 0
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def stream(self, run: str) -> StoredStream:
        """The only stream of a run."""
        (only,) = self.runs[run].values()
        return only

    def points(self, run: str, key: str) -> list[tuple[float, float]]:
        return [
            (step, value)
            for stream in self.runs.get(run, {}).values()
            for name, step, _, value in stream.points
            if name == key
        ]

    def records(self, run: str, kind: int) -> list[dict[str, Any]]:
        streams = self.runs.get(run, {}).values()
        return [payload for s in streams for _, type_, payload in s.records if type_ == kind]

    def get(self, run: str) -> Reply:
        self.gets += 1
        streams = {name: stream.next for name, stream in self.runs.get(run, {}).items()}
        return json_reply(200, {"epoch": self.epoch, "server": "s1", "streams": streams})

    def post(self, run: str, stream: str, body: bytes) -> Reply:
        self.posts += 1
        try:
            header, axes, series = batch.decode(body)
        except batch.BatchError as error:
            return json_reply(422, {"code": error.code, "message": error.message})
        override = self.script.popleft() if self.script else self.judge(header)
        if override and not override.store:
            return override
        answer = self._store(run, stream, header, axes, series)
        return override or answer

    def _store(self, run: str, name: str, header: Any, axes: Any, series: Any) -> Reply:
        stored = self.runs.setdefault(run, {}).setdefault(name, StoredStream())
        start, end = header["from"], header["to"]
        if header.get("writer") == "gone":
            stored.gone = True
        if start == end == stored.next:
            stored.heartbeats += 1
        elif end <= stored.next:
            return self._ack(run, name, stored)
        elif start != stored.next:
            return json_reply(409, {"code": "seq_gap", "message": "gap", "next": stored.next})
        if "run" in header:
            self.descriptions.setdefault(run, header["run"])
        _keep(stored, header, axes, series)
        stored.next = end
        return self._ack(run, name, stored)

    def _ack(self, run: str, name: str, stored: StoredStream) -> Reply:
        content = {
            "stream": name,
            "next": stored.next,
            "epoch": self.epoch,
            "server": "s1",
            "rejected": [],
            "limits": {"max_body": batch.MAX_BODY},
            "watched": self.watched,
            "url": f"/acme/demo/runs/{run}",
        }
        return json_reply(200, content)


def _keep(stored: StoredStream, header: Any, axes: Any, series: Any) -> None:
    stored.records += header["records"]
    stored.gaps += header["gaps"]
    for described, values in zip(header["series"], series, strict=True):
        steps, times = axes[described["axis"]]
        rows = zip(steps.cast("d"), times.cast("d"), values.cast("d"), strict=True)
        stored.points += [(described["key"], *row) for row in rows]


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, handle: Callable[[], Reply]) -> None:
        with self.fake.lock:
            reply = handle()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.length or len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        if reply.length:
            self.close_connection = True

    def _refused(self) -> Reply | None:
        if self.headers["Authorization"] != f"Bearer {self.fake.key}":
            return json_reply(401, {"code": "bad_key", "message": "This key is not known."})
        return None

    def _get(self) -> Reply:
        parts = urlsplit(self.path)
        self._note_project(parts.query)
        if parts.path == "/api/v1/me":
            return self._refused() or json_reply(200, {"team": "acme", "teams": ["acme"]})
        return self._refused() or self.fake.get(parts.path.split("/")[4])

    def _post(self) -> Reply:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "zstd":
            body = zstandard.ZstdDecompressor().decompress(body, max_output_size=2**24)
        elif self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        parts = urlsplit(self.path)
        self._note_project(parts.query)
        _, _, _, _, run, _, stream, _ = parts.path.split("/")
        return self._refused() or self.fake.post(run, stream, body)

    def _note_project(self, query: str) -> None:
        self.fake.projects.update(parse_qs(query).get("project", []))

    def log_message(self, *arguments: Any) -> None:
        pass
