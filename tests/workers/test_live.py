"""Sockets of a real server: what a browser sees when a run is logged, or the server goes away."""

import json
import socket
import urllib.request
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.workers.serving import PATIENCE, Serving, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tidelog.wire.batch import encode, split_container

STREAM = "a" * 32


@pytest.fixture
def served(tmp_path):
    with Serving(tmp_path, "--no-worker") as serving:
        send(serving, "r1", 0, 1)
        yield serving


def send(served: Serving, run: str, start: int, points: int) -> None:
    """Store a batch of `points` points in one record range, as the uploader sends it."""
    column = array("d", range(start, start + points)).tobytes()
    header = {
        "v": 1,
        "from": start,
        "to": start + points,
        "axes": [points],
        "series": [{"key": "loss", "axis": 0, "n": points}],
        "records": [],
        "gaps": [],
    }
    path = f"/api/v1/runs/{run}/streams/{STREAM}/records?project=tides"
    body = encode(header, [(column, column)], [column])
    request = urllib.request.Request(served.url + path, body)
    request.add_header("Authorization", f"Bearer {served.banner['api_key']}")
    request.add_header("Content-Type", "application/octet-stream")
    with urllib.request.urlopen(request) as answer:
        assert json.loads(answer.read())["next"] == start + points


def opened(served: Serving, *, key: str | None = None, slow: bool = False) -> ClientConnection:
    """Open the project's socket; a slow one has hardly any room for what it does not read."""
    port = int(served.url.rsplit(":", 1)[1])
    line = socket.socket()
    if slow:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", port))
    return connect(
        f"{served.url.replace('http', 'ws')}/ws/v1/{served.banner['team']}/tides/",
        sock=line,
        additional_headers={"Authorization": f"Bearer {key or served.banner['api_key']}"},
        compression=None,
        max_size=None,
        max_queue=1,
        close_timeout=1,
    )


def frames(line: ClientConnection):
    message = memoryview(line.recv(PATIENCE))
    while message:
        length = int.from_bytes(message[:4], "little")
        yield split_container(message[4 : 4 + length])
        message = message[4 + length :]


def resume(line: ClientConnection) -> dict:
    line.send('{"type":"resume","rev":0}')
    return next(frames(line))[0]


def read_all(line: ClientConnection) -> None:
    while True:
        line.recv(PATIENCE)


def closed_with(line: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closing:
        read_all(line)
    assert closing.value.rcvd is not None
    return closing.value.rcvd.code


def totals(line: ClientConnection) -> Iterator[int]:
    """Read to the end, and yield how many points the server says there are."""
    while True:
        for header, _ in frames(line):
            if header["kind"] == "points":
                yield header["series"][0]["total"]


class TestSocket:
    def test_tells_what_was_missed_and_then_what_happens(self, served):
        with opened(served) as line:
            hello = resume(line)
            assert hello["series"] == {"r1": {"loss": 1}}
            send(served, "r1", 1, 3)
            points = [each for each in frames(line) if each[0]["kind"] == "points"]
            (header, columns) = points[0]
            assert header["series"] == [{"key": "loss", "axis": 0, "n": 3, "total": 4}]
            assert array("d", bytes(columns)).tolist() == [1.0, 2.0, 3.0] * 3

    def test_of_a_stranger_is_closed_with_4401(self, served):
        with opened(served, key="tl_" + "x" * 43) as line:
            assert closed_with(line) == 4401

    def test_that_is_not_read_is_closed_with_4008_and_delays_nobody(self, served):
        with opened(served, slow=True) as slow, opened(served) as quick:
            resume(slow)
            resume(quick)
            with ThreadPoolExecutor(1) as reader:
                last = 1 + 60 * 10_000
                reading = reader.submit(lambda: next(n for n in totals(quick) if n == last))
                for at in range(1, last, 10_000):
                    send(served, "r1", at, 10_000)
                assert reading.result(PATIENCE) == last
            assert closed_with(slow) == 4008

    def test_is_closed_with_1012_when_the_server_stops(self, served):
        with opened(served) as line:
            resume(line)
            assert served.stop() == 0
            assert closed_with(line) == 1012

    def test_opens_again_after_the_web_was_killed(self, served):
        with opened(served) as line:
            resume(line)
            served.child("web").kill()
            until(lambda: served.heard("web runs again"), "the web runs again")
        with opened(served) as line:
            assert resume(line)["series"] == {"r1": {"loss": 1}}
