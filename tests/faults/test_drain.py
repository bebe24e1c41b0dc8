"""A server that is told to stop while a request is on its way."""

import os
import signal
import socket
from urllib.parse import urlsplit

from tests.server.factories import a_body
from tests.workers.serving import PATIENCE, Serving


def begin(serving, body):
    """Send a batch but for its last byte."""
    where = urlsplit(serving.url)
    client = socket.create_connection((where.hostname, where.port), PATIENCE)
    lines = [
        f"POST /api/v1/runs/drained/streams/{'a' * 32}/records?project=faults HTTP/1.1",
        f"Host: {where.netloc}",
        f"Authorization: Bearer {serving.banner['api_key']}",
        "Content-Type: application/octet-stream",
        f"Content-Length: {len(body)}",
    ]
    client.sendall("\r\n".join([*lines, "", ""]).encode() + body[:-1])
    return client


def idle_connection_closes(client):
    """A server that drains hangs up on those who ask for nothing."""
    client.settimeout(PATIENCE)
    while client.recv(65536):
        pass  # the rest of the answer that it had asked for
    return True


class TestAServerThatStops:
    def test_answers_what_it_has_begun_and_keeps_it(self, tmp_path):
        body = a_body(0, 100)
        with Serving(tmp_path, "--no-worker") as serving:
            where = urlsplit(serving.url)
            with (
                socket.create_connection((where.hostname, where.port), PATIENCE) as idle,
                begin(serving, body) as client,
            ):
                idle.sendall(f"GET /healthz HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
                assert b"200 OK" in idle.recv(65536)
                os.kill(serving.process.pid, signal.SIGTERM)
                assert idle_connection_closes(idle)
                client.sendall(body[-1:])
                assert client.recv(65536).startswith(b"HTTP/1.1 200")
            assert serving.ended() == 0
        with Serving(tmp_path, "--no-worker") as again:
            team = again.banner["team"]
            series = again.api(f"/projects/{team}/faults/runs/drained/series")["series"]
            assert series[0]["n"] == 100
