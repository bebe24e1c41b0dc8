"""The ingest endpoint as clients meet it: answers, limits, and input that means harm."""

import gzip
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from django.db import OperationalError, connection
from tests.server.asgi_client import AsgiClient, records_path
from tests.server.factories import a_body, a_json_batch, a_stream_id, metrics, opening, setting

from tidelog_server.core.writer import writer
from tidelog_server.metrics.store import store
from tidelog_server.tracking import ingest, services
from tidelog_server.tracking.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(people):
    return AsgiClient(people.alice_key)


@pytest.fixture
def path():
    return records_path("run2", a_stream_id(), "blue/fish")


def stored(run_id="run2"):
    run = Run.objects.get(run_id=run_id)
    return {total.key: total.n for total in store.series([run.pk])[run.pk]}


class TestABatch:
    def test_is_answered_with_what_is_stored(self, client, path):
        answer = client.post(path, body=a_body(0, 3))
        said = answer.json
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert (said["next"], said["rejected"], said["watched"]) == (3, [], False)
        assert said["stream"] in path
        assert said["limits"] == {"max_body": 16 * 2**20}
        assert said["url"] == "/blue/fish/runs/run2"
        assert said["server"] != said["epoch"]

    def test_may_be_plain_json(self, client, path):
        batch = a_json_batch(0, opening(), metrics(1, loss=1.5, acc="NaN"), metrics(0.5, loss=2))
        assert client.post(path, json=batch).json["next"] == 3
        assert stored() == {"acc": 1, "loss": 2}

    @pytest.mark.parametrize(
        ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
    )
    def test_may_be_compressed(self, client, path, encoding, pack):
        headers = {"content-encoding": encoding}
        answer = client.post(path, body=pack(a_body(0, 3)), headers=headers)
        assert answer.status == 200
        assert stored() == {"loss": 3}

    def test_may_arrive_in_pieces(self, client, path):
        body = a_body(0, 100)
        assert client.post(path, chunks=[body[:7], body[7:500], body[500:]]).status == 200

    def test_sent_twice_is_acknowledged_twice_and_stored_once(self, client, path):
        answers = [client.post(path, body=a_body(0, 3)) for _ in range(2)]
        assert [answer.json["next"] for answer in answers] == [3, 3]
        assert stored() == {"loss": 3}

    def test_out_of_order_is_told_where_to_begin(self, client, path):
        answer = client.post(path, body=a_body(5, 3))
        assert answer.status == 409
        assert answer.json == {"code": "seq_gap", "next": 0, "message": answer.json["message"]}

    def test_sent_by_many_at_once_is_stored_once(self, client, path):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.post(path, body=a_body(0, 50)), range(8)))
        assert [answer.status for answer in answers] == [200] * 8
        assert stored() == {"loss": 50}

    def test_of_many_streams_at_once_is_stored_whole(self, client):
        paths = [records_path(f"trial{n % 3}", a_stream_id(), "sea") for n in range(12)]
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda p: client.post(p, body=a_body(0, 20)), paths))
        assert {answer.status for answer in answers} <= {200, 503}
        again = [client.post(p, body=a_body(0, 20)) for p in paths]
        assert [answer.json["next"] for answer in again] == [20] * 12
        assert [stored(f"trial{n}")["loss"] for n in range(3)] == [80] * 3
        assert sorted(Run.objects.values_list("number", flat=True)) == [1, 1, 2, 3]


class TestStreams:
    def test_are_listed_with_what_is_stored(self, client, path):
        client.post(path, body=a_body(0, 3))
        answer = client.get("/api/v1/runs/run2/streams?project=fish")
        assert answer.json["streams"] == {path.split("/")[6]: 3}

    def test_of_an_unknown_run_are_none(self, client):
        answer = client.get("/api/v1/runs/new/streams?project=new")
        assert (answer.status, answer.json["streams"]) == (200, {})

    def test_of_a_deleted_run_are_gone(self, client, path):
        client.post(path, body=a_body(0, 3))
        services.delete_run(run=Run.objects.get(run_id="run2"))
        assert client.get("/api/v1/runs/run2/streams?project=fish").status == 410
        answer = client.post(path, body=a_body(3, 3))
        assert (answer.status, answer.json["code"]) == (410, "run_deleted")


class TestTheDatabase:
    def test_that_is_busy_is_answered_with_later(self, client, path, monkeypatch):
        def busy(**kwargs):
            raise OperationalError("database is locked")

        monkeypatch.setattr(ingest, "ingest_batch", busy)
        answer = client.post(path, body=a_body(0, 3))
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        monkeypatch.undo()
        assert client.post(path, body=a_body(0, 3)).status == 200

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres locks rows, not databases")
    def test_that_another_process_locks_is_waited_for_and_then_answered_with_later(
        self, client, path
    ):
        client.post(path, body=a_body(0, 3))
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = client.post(path, body=a_body(3, 3))
        other.execute("ROLLBACK")
        other.close()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert client.post(path, body=a_body(3, 3)).json["next"] == 6
        assert stored() == {"loss": 6}

    def test_is_not_broken_for_others_by_a_batch_that_fails(self, people):
        def fail():
            Run.objects.filter(pk=people.run.pk).update(name="half")
            Run.objects.create(project=people.project, run_id="run1", number=99, name="twice")

        def work():
            return Run.objects.filter(pk=people.run.pk).update(notes="whole")

        futures = [writer().submit(f) for f in (work, fail, work)]
        outcomes = [future.exception() is None for future in futures]
        people.run.refresh_from_db()
        assert outcomes == [True, False, True]
        assert people.run.notes == "whole"
        assert people.run.name != "half"


class TestTooMuch:
    def test_inflated_is_refused(self, client, path, settings):
        settings.INGEST_MAX_BODY = 100_000
        bomb = zstandard.compress(b"\0" * 10_000_000)
        answer = client.post(path, body=bomb, headers={"content-encoding": "zstd"})
        assert answer.status == 413
        assert answer.json["max_body"] == 100_000

    def test_inflated_by_gzip_is_refused(self, client, path):
        bomb = gzip.compress(b"\0" * (64 * 2**20), 9)
        started = time.process_time()
        answer = client.post(path, body=bomb, headers={"content-encoding": "gzip"})
        assert answer.status == 413
        assert time.process_time() - started < 5

    def test_announced_is_refused_before_it_is_read(self, client, path):
        answer = client.post(path, chunks=[], headers={"content-length": str(10**12)})
        assert answer.status == 413

    def test_unannounced_is_refused_while_it_arrives(self, client, path, settings):
        settings.INGEST_MAX_BODY = 10_000
        answer = client.post(path, chunks=[b"x" * 6_000] * 3)
        assert answer.status == 413

    @pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd;q=1", "deflate"])
    def test_wrapping_is_refused(self, client, path, encoding):
        answer = client.post(path, body=b"", headers={"content-encoding": encoding})
        assert (answer.status, answer.json["code"]) == (415, "unsupported_encoding")

    @pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
    def test_other_types_are_refused(self, client, path, kind):
        answer = client.post(path, body=b"{}", headers={"content-type": kind})
        assert answer.status == 415

    def test_waiting_ends(self, client, path, settings):
        settings.INGEST_IDLE_SECONDS = 0.05
        assert client.post(path, chunks=[b"x"], stalls=True).status == 408


def json_of(**more):
    return json.dumps({**a_json_batch(0, metrics(1, loss=1.0)), **more}).encode()


HOSTILE_JSON = {
    "nothing": b"",
    "no object": b"[1]",
    "half": b'{"v":1',
    "bare NaN": b'{"v":1,"from":0,"to":1,"records":[[0,1,{"t":1,"s":NaN,"d":{}}]]}',
    "an abyss": b"[" * 200_000 + b"]" * 200_000,
    "an abyss inside": json_of(run=None).replace(b"null", b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
    "a key twice": b'{"v":1,"v":1,"from":0,"to":0,"records":[]}',
    "not UTF-8": b'{"v":1,"from":0,"to":0,"records":[],"x":"\xff\xfe"}',
    "a huge number": b'{"v":1,"from":0,"to":' + b"9" * 5_000 + b',"records":[]}',
    "a huge range": json_of(to=2**64),
    "a range backwards": json_of(**{"from": 3, "to": 1}),
    "another version": json_of(v=2),
    "records of nothing": json_of(records=[None]),
    "a record outside": json_of(records=[[7, 1, {}]]),
    "a gap outside": json_of(gaps=[[0, 99, "x"]]),
    "a run of text": json_of(run="text"),
    "100,000 keys": json.dumps(
        a_json_batch(0, metrics(1, **{f"k{n}": 1 for n in range(100_000)}))
    ).encode(),
}
HOSTILE_BODIES = {
    "nothing": b"",
    "three bytes": b"abc",
    "a header that is too long": b"\xff\xff\xff\xff" + b"{}",
    "random": bytes(range(256)) * 40,
    "columns cut off": a_body(0, 100)[:-8],
    "columns too long": a_body(0, 100) + b"\0" * 8,
    "an axis of lies": a_body(0, 3, axes=[2**40]),
    "a step of NaN": a_body(0, 3).replace(b"\0\0\0\0\0\0\xf0\x3f", b"\xff" * 8, 1),
}


class TestHostileInput:
    @pytest.mark.parametrize("name", HOSTILE_JSON)
    def test_in_json_is_answered_with_a_sentence(self, client, path, name):
        headers = {"content-type": "application/json"}
        answer = client.post(path, body=HOSTILE_JSON[name], headers=headers)
        assert answer.status in {400, 422}
        assert answer.json.keys() == {"code", "message"}
        assert client.post(path, body=a_body(0, 1)).status == 200

    @pytest.mark.parametrize("name", HOSTILE_BODIES)
    def test_in_columns_is_answered_with_a_sentence(self, client, path, name):
        answer = client.post(path, body=HOSTILE_BODIES[name])
        assert answer.status in {400, 422}
        assert answer.json.keys() == {"code", "message"}
        assert client.post(path, body=a_body(0, 1)).status == 200

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    @pytest.mark.parametrize(
        "body",
        [b"", b"garbage", gzip.compress(b"x" * 99)[:-9]],
        ids=["nothing", "garbage", "half"],
    )
    def test_in_a_broken_encoding_is_answered_with_a_sentence(self, client, path, encoding, body):
        answer = client.post(path, body=body, headers={"content-encoding": encoding})
        assert answer.status in {400, 422}

    def test_of_a_single_record_is_named_and_the_rest_is_stored(self, client, path):
        records = [
            (1, {"t": 1, "s": 2**63, "d": {"big": 1.0}}),
            (1, {"t": 1, "s": "Infinity", "d": {"bad_step": 1.0}}),
            metrics(1, **{"x" * 10_000: 1.0, "ok": 1.0}),
            metrics(1, **{"half \ud800": 1.0}),
            metrics(1, text="text"),
            setting("config", ("lone", "\udfff")),
            setting("config", ("nul", "a\0b")),
            setting("config", ("huge", 10**400)),
            setting("config", ("large", "x" * 300_000)),
            setting("config", ("fine", 1)),
            (8, {"pid": 2**60, "rank": "one", "wall": 1e300, "host": "h" * 999}),
            (7, {"state": "exploded", "exit": "nine", "dropped": {"x": -1}}),
            (3, {"f": 9, "x": "text"}),
            (9, {"n": "many"}),
        ]
        batch = json.dumps(a_json_batch(0, *records)).encode()
        answer = client.post(path, body=batch, headers={"content-type": "application/json"})
        assert answer.status == 200
        assert answer.json["next"] == len(records)
        assert {each["seq"] for each in answer.json["rejected"]} == {1, 2, 3, 4, 5, 6, 7, 8, 12, 13}
        assert stored() == {"big": 1, "ok": 1}
        assert Run.objects.get(run_id="run2").config == {"fine": 1}

    @pytest.mark.parametrize(
        "project", ["", "nul%00l", "blue/%00", "a/b/c", "%ff", "blue/../red", "%ED%A0%80"]
    )
    def test_in_the_query_is_answered_with_a_sentence(self, client, project):
        answer = client.post(records_path("run2", a_stream_id(), project), body=a_body(0, 1))
        assert answer.status == 404
        assert answer.json.keys() == {"code", "message"}

    @pytest.mark.parametrize("run", ["..", "a\0b", "é", "x" * 500, "a b", "\ud800"], ids=ascii)
    def test_in_the_path_is_answered_with_a_sentence(self, client, run):
        answer = client.post(records_path(run, a_stream_id(), "fish"), body=a_body(0, 1))
        assert answer.status == 404

    @pytest.mark.parametrize("tail", ["", "x", "x/streams/", "x/streams/y", "x/streams/y/z"])
    def test_of_an_unknown_address_is_not_found(self, client, tail):
        assert client.post(f"/api/v1/runs/{tail}?project=fish", body=a_body(0, 1)).status in {
            404,
            405,
        }

    @pytest.mark.parametrize(
        "key", ["", "x", "tl_", "é" * 46, "tl_u" + "0" * 42, "Bearer x"], ids=ascii
    )
    def test_as_a_key_is_not_a_key(self, people, path, key):
        headers = {"authorization": f"Bearer {key}"}
        assert AsgiClient().post(path, body=a_body(0, 1), headers=headers).status == 401
