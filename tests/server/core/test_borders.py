"""What comes in from outside and what goes out: JSON, bodies, headers, static files, secrets."""

import math
import stat
import time
from uuid import UUID

import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from tests.server.asgi_client import AsgiClient

from tidelog_server.asgi import application
from tidelog_server.core import static
from tidelog_server.core.errors import BadRequest
from tidelog_server.core.ids import uuid7
from tidelog_server.core.json import dumps, is_storable, parse
from tidelog_server.core.query import whole
from tidelog_server.core.secrets import secret_key


class TestJson:
    def test_writes_numbers_that_json_does_not_know_as_strings(self):
        values = [math.nan, math.inf, -math.inf, 1.5]
        assert dumps({"a": values}) == b'{"a":["NaN","Infinity","-Infinity",1.5]}'

    @pytest.mark.parametrize(
        "text",
        [
            *("", "{", "NaN", '{"a":Infinity}', '{"a":1,"a":2}', '"\\ud800"', '"\\u0000"'),
            *("[" * 30 + "]" * 30, "[" * 10**6, str(2**63), "9" * 5000, "1e999", "\ud800"),
        ],
        ids=ascii,
    )
    def test_refuses_what_no_database_can_keep(self, text):
        with pytest.raises(BadRequest):
            parse(text)

    @pytest.mark.parametrize("value", [None, True, -(2**63), 1.5, "é", {"a": [{"b": []}]}])
    def test_takes_everything_else(self, value):
        assert parse(orjson.dumps(value)) == value

    def test_judges_keys_too(self):
        assert not is_storable({"a\0": 1})


class TestUuid7:
    def test_is_one(self):
        made = uuid7()
        assert (made.version, made.variant) == (7, UUID(int=0x8 << 60).variant)

    def test_sorts_by_the_time_it_was_made(self):
        made = int(uuid7().hex[:12], 16)
        assert abs(made / 1000 - time.time()) < 60


class TestTheSecretKey:
    def test_is_made_once_and_only_its_owner_reads_it(self, tmp_path):
        first = secret_key(tmp_path / "data")
        assert secret_key(tmp_path / "data") == first
        file = tmp_path / "data" / "secret-key"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [each.name for each in file.parent.iterdir()] == ["secret-key"]

    def test_that_is_given_is_taken(self, tmp_path):
        assert secret_key(tmp_path / "data", given="given") == "given"
        assert not (tmp_path / "data").exists()


class TestWhole:
    def test_is_the_default_when_it_is_absent(self):
        assert whole({}, "limit", default=7) == 7

    def test_is_what_the_query_says(self):
        assert whole({"limit": "3"}, "limit", default=7) == 3


class TestEveryAnswer:
    def test_allows_our_own_scripts_only(self, client):
        policy = client.get("/healthz").headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy

    def test_is_what_it_says_it_is(self, client):
        headers = client.get("/healthz").headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Frame-Options"] == "DENY"

    def test_is_for_our_own_host_only(self, db):
        assert Client(headers={"host": "evil.example"}).get("/api/v1/me").status_code == 400

    def test_names_no_other_origin(self, client):
        answer = client.get("/healthz", headers={"origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


class TestHealth:
    def test_is_well(self, client):
        assert client.get("/healthz").json() == {"status": "ok"}

    @pytest.mark.django_db
    def test_is_ready_when_the_database_answers(self, client):
        assert client.get("/readyz").status_code == 200


class TestBodies:
    def test_that_are_too_large_are_refused_before_they_are_read(self):
        answer = AsgiClient().post("/login", headers={"content-length": str(10**10)}, chunks=[])
        assert answer.status == 413
        assert answer.json["code"] == "too_large"


class TestStaticFiles:
    @pytest.fixture
    def root(self, tmp_path, settings):
        settings.STATIC_ROOT = tmp_path
        static.files.cache_clear()
        yield tmp_path
        static.files.cache_clear()

    def test_with_a_hash_are_kept_for_ever(self, root):
        (root / "app.0123456789ab.js").write_text("let x")
        answer = AsgiClient().get("/static/app.0123456789ab.js")
        assert (answer.status, answer.body) == (200, b"let x")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers

    def test_are_sent_packed_to_who_can_unpack(self, root):
        (root / "app.css").write_text("a{}" * 9)
        (root / "app.css.gz").write_bytes(b"packed")
        answer = AsgiClient().get("/static/app.css", headers={"accept-encoding": "gzip"})
        assert (answer.headers["content-encoding"], answer.body) == ("gzip", b"packed")

    @pytest.mark.parametrize("path", ["nothing.js", "../secret-key", "..%2fsecret-key", "\0", ""])
    def test_that_are_not_there_are_not_found(self, root, path):
        assert AsgiClient().get(f"/static/{path}").status == 404


class TestTheLifeOfTheServer:
    async def test_begins_and_ends_when_it_is_told(self):
        server = ApplicationCommunicator(application, {"type": "lifespan"})
        for moment in ("startup", "shutdown"):
            await server.send_input({"type": f"lifespan.{moment}"})
            assert await server.receive_output(10) == {"type": f"lifespan.{moment}.complete"}
        await server.wait()


class TestASocketThatIsNotThere:
    async def test_is_closed(self):
        scope = {"type": "websocket", "path": "/ws/v1/", "headers": [], "query_string": b""}
        socket = ApplicationCommunicator(application, scope)
        await socket.send_input({"type": "websocket.connect"})
        assert await socket.receive_output(10) == {"type": "websocket.close", "code": 4404}
        await socket.wait()
