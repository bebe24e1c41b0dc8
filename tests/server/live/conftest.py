"""People, a project, and a page's end of a socket."""

import json
import struct
from array import array
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.conf import settings
from django.test import Client
from tests.server.live.test_outbox import unpack

from tidelog.wire.batch import split_container
from tidelog_server.accounts.models import Team, User
from tidelog_server.accounts.selectors import caller_with_session
from tidelog_server.accounts.services import add_member, create_team, create_user
from tidelog_server.live.routing import websocket_urlpatterns
from tidelog_server.tracking.batches import batch_of_json
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.services import create_project, ingest_batch

STREAM = "0" * 32
PATIENCE = 20.0
application = URLRouter(websocket_urlpatterns)


@dataclass
class Harbour:
    """A team with a project: Alice owns it, Bob is on the team, Charlie must see nothing."""

    alice: User
    bob: User
    charlie: User
    team: Team
    project: Project

    def log(self, run: str, **values: float) -> None:
        """Store one record of a run: what `log()` writes and the uploader sends."""
        start = self.next(run)
        record = [start, 1, {"t": 1000 * start, "n": 0, "s": start, "d": values}]
        self.store(run, start, [record])

    def finish(self, run: str) -> None:
        start = self.next(run)
        self.store(run, start, [[start, 7, {"state": "finished", "exit": 0, "dropped": {}}]])

    def store(self, run: str, start: int, records: list[Any]) -> None:
        opened = [[0, 8, {"run": run, "pid": 1, "host": "h", "rank": 0, "primary": True}]]
        records = records if start else opened
        end = start + len(records)
        body = {"v": 1, "from": start, "to": end, "records": records}
        ingest_batch(
            caller=caller_with_session(self.alice),
            project_name=f"{self.team.slug}/{self.project.slug}",
            run_id=run,
            stream_id=STREAM,
            batch=batch_of_json(json.dumps(body).encode()),
        )

    def open(self, run: str) -> None:
        self.store(run, 0, [])

    def next(self, run: str) -> int:
        stream = Run.objects.get(project=self.project, run_id=run).streams.get()
        return stream.next

    def path(self, run: str | None = None) -> str:
        start = f"/ws/v1/{self.team.slug}/{self.project.slug}/"
        return start if run is None else f"{start}runs/{run}/"


@pytest.fixture
def harbour(transactional_db):
    alice, bob, charlie = (
        create_user(email=f"{name}@example.org", name=name) for name in ("Alice", "Bob", "Charlie")
    )
    team = create_team(slug="harbour", owner=alice)
    add_member(team=team, user=bob)
    create_team(slug="elsewhere", owner=charlie)
    return Harbour(alice, bob, charlie, team, create_project(team=team, slug="tides"))


class Page:
    """A browser's end of a socket."""

    def __init__(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": path, "headers": headers, "query_string": b""}
        self.socket = ApplicationCommunicator(application, {**scope, "subprotocols": []})
        self.frames: list[tuple[dict[str, Any], memoryview]] = []

    async def open(self) -> bool:
        """Knock, and return whether the socket was accepted."""
        await self.socket.send_input({"type": "websocket.connect"})
        answer = await self.socket.receive_output(timeout=PATIENCE)
        return bool(answer["type"] == "websocket.accept")

    async def say(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def resume(self, rev: int = 0) -> dict[str, Any]:
        """Say what the page knows, and return the hello."""
        await self.say(json.dumps({"type": "resume", "rev": rev}))
        return await self.next("hello")

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the header of the next frame of a kind; those before it are skipped."""
        return (await self.next_whole(kind))[0]

    async def next_whole(self, kind: str) -> tuple[dict[str, Any], memoryview]:
        while True:
            while self.frames:
                header, columns = self.frames.pop(0)
                if header["kind"] == kind:
                    return header, columns
            message = await self.socket.receive_output(timeout=PATIENCE)
            assert message["type"] == "websocket.send", message
            self.frames += [split_container(frame) for frame in unpack(message["bytes"])]

    async def close_code(self) -> int:
        while (output := await self.socket.receive_output(timeout=PATIENCE)).get("code") is None:
            pass
        return int(output["code"])

    async def leave(self) -> None:
        if not self.socket.future.done():
            await self.socket.send_input({"type": "websocket.disconnect", "code": 1001})
            await self.socket.wait(timeout=PATIENCE)


def cookie_of(user: User | None) -> bytes:
    """Return the cookies of a browser in which `user` is signed in."""
    client = Client()
    if user is not None:
        client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}".encode() if name in client.cookies else b""


@pytest.fixture
async def pages():
    """Open a page, of someone's browser, at a path; all are closed at the end."""
    opened: list[Page] = []

    def make(path: str, cookie: bytes, origin: str = "http://testserver") -> Page:
        headers = [(b"host", b"testserver"), (b"origin", origin.encode()), (b"cookie", cookie)]
        opened.append(Page(path, headers))
        return opened[-1]

    yield make
    for page in opened:
        await page.leave()


def floats(columns: memoryview) -> list[float]:
    return list(array("d", bytes(columns))) if len(columns) else list(struct.unpack("", b""))
