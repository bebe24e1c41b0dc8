"""What the sender does with each answer, against a real HTTP server."""

import json
import time
from pathlib import Path

import pytest
from tests.sdk.conftest import eventually
from tests.sdk.fake_server import KEY, FakeServer, Reply, json_reply
from tests.sdk.test_disk import a_recorder

from tidelog import sender as sending
from tidelog.answers import Answer, meaning, retry_after
from tidelog.buffer import Buffer
from tidelog.recorder import Recorder
from tidelog.transport import HttpTransport
from tidelog.uploader import Uploader
from tidelog.wire import frames
from tidelog.wire.frames import Frame

STREAM = "0" * 32
HTML = {"Content-Type": "text/html"}
LOGIN_PAGE = Reply(200, b"<html>Please sign in to the hotel</html>", HTML)


def a_run(directory: Path, *, count: int = 20, end: bool = True) -> Recorder:
    recorder = a_recorder(directory, [])
    recorder.journal.folder.describe({"v": 1, "run": "r1", "team": "acme", "project": "demo"})
    recorder.journal.open()
    for step in range(count):
        recorder.log({"loss": step / 2}, step)
        recorder.set("summary", [("best", step)])
    if end:
        recorder.journal.close(lambda _: {"state": "finished", "exit": 0})
    return recorder


@pytest.fixture
def uploader(buffer: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "LONGEST_PAUSE", 0.02)
    uploader = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
    yield uploader
    uploader.close()


def is_drained(uploader: Uploader) -> bool:
    uploader.discover()
    uploader.tick()
    return not uploader.is_working and all(
        sender.done or sender.session.stopped for sender in uploader.senders.values()
    )


def drain(uploader: Uploader) -> None:
    eventually(lambda: is_drained(uploader))


def losses(server: FakeServer) -> list[float]:
    return [step for step, _ in server.points("r1", "loss")]


class TestAnswersThatAreNoAck:
    @pytest.mark.parametrize(
        "reply",
        [
            LOGIN_PAGE,
            Reply(204, b""),
            Reply(200, b"", {"Content-Type": "application/json"}),
            Reply(200, b'{"stream"', {"Content-Type": "application/json"}),
            json_reply(200, []),
            json_reply(200, {"stream": STREAM, "next": 41}),
            json_reply(200, {"next": 41}),
            json_reply(200, {"next": True}),
            Reply(302, b"", {"Location": "/elsewhere"}),
            Reply(200, b'{"stream":', {"Content-Type": "application/json"}, length=4_000),
            Reply(404, b"<html>gone</html>", HTML),
            Reply(400, b"<html>proxy</html>", HTML),
            json_reply(500, {}),
            json_reply(503, {"code": "busy", "message": "Later."}, Retry_After="0"),
            json_reply(429, {}, Retry_After="junk"),
            json_reply(408, {}),
            json_reply(409, {"code": "other"}),
        ],
        ids=lambda reply: f"{reply.status}-{reply.body[:12]!r}",
    )
    def test_are_asked_again_until_one_is(self, buffer, server, uploader, reply):
        a_run(buffer)
        server.script.extend([reply, reply])
        drain(uploader)
        assert losses(server) == list(range(20))
        assert server.posts >= 3

    def test_that_were_lost_on_the_way_store_nothing_twice(self, buffer, server, uploader):
        a_run(buffer)
        lost = Reply(200, b'{"stream":', {"Content-Type": "application/json"}, 4_000, store=True)
        server.script.extend([lost, lost])
        drain(uploader)
        assert losses(server) == list(range(20))

    def test_do_not_count_for_the_ack_file(self, buffer, server, uploader):
        a_run(buffer)
        server.judge = lambda header: LOGIN_PAGE
        eventually(lambda: is_drained(uploader) or server.posts > 3)
        (stream,) = Buffer(buffer).run("r1").streams()
        assert stream.ack() == {}


class TestBatchThatIsRefused:
    def test_as_too_large_is_halved(self, buffer, server, uploader):
        a_run(buffer)
        big = json_reply(413, {"code": "too_large", "message": "Too large."})
        server.judge = lambda header: big if header["to"] - header["from"] > 5 else None
        drain(uploader)
        assert losses(server) == list(range(20))
        assert server.stream("r1").gaps == []

    @pytest.mark.parametrize(("status", "why"), [(413, "too_large"), (422, "rejected")])
    def test_for_one_record_is_sent_without_it(self, buffer, server, uploader, status, why):
        a_run(buffer)
        refusal = json_reply(status, {"code": "bad", "message": "Not this one."})

        def judge(header):
            culprits = [r for r in header["records"] if r[2].get("ops") == [["best", 7]]]
            return refusal if culprits else None

        server.judge = judge
        drain(uploader)
        ((start, end, told),) = server.stream("r1").gaps
        assert (end - start, told) == (1, why)
        assert losses(server) == list(range(20))
        line = json.loads((buffer / "v1/runs/r1/rejects.jsonl").read_text())
        assert line["answer"]["seq"] == start

    def test_always_stays_on_disk(self, buffer, server, uploader):
        a_run(buffer, count=2)
        server.judge = lambda header: json_reply(422, {"code": "no", "message": "No."})
        eventually(lambda: is_drained(uploader) or server.posts > 30)
        assert server.runs == {}
        assert not uploader.senders[next(iter(uploader.senders))].done


class TestServerThatIsElsewhere:
    def test_ahead_is_believed(self, buffer, server, uploader):
        a_run(buffer)
        drain(uploader)
        ack = next(buffer.rglob("ack.json"))
        ack.write_text("\0garbage")
        again = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
        drain(again)
        again.close()
        assert losses(server) == list(range(20))

    def test_restored_from_a_backup_is_sent_again_what_it_lost(self, buffer, server, uploader):
        a_run(buffer)
        drain(uploader)
        server.runs.clear()
        again = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
        drain(again)
        again.close()
        assert losses(server) == list(range(20))

    def test_restored_while_we_send_is_asked_for_every_run_again(self, buffer, server, uploader):
        a_run(buffer)
        drain(uploader)
        server.runs.clear()
        server.epoch = "e2"
        second = a_recorder(buffer, [], run="r2")
        second.journal.folder.describe({"v": 1, "run": "r2", "team": "acme", "project": "demo"})
        second.journal.open()
        second.journal.close(lambda _: {"state": "finished", "exit": 0})
        eventually(lambda: is_drained(uploader) and len(losses(server)) == 20)
        assert set(server.runs) == {"r1", "r2"}

    def test_restored_when_nothing_is_held_any_more_is_told_so(self, buffer, server, uploader):
        a_run(buffer)
        drain(uploader)
        for segment in buffer.rglob("*.tlog"):
            segment.unlink()
        server.runs.clear()
        again = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
        drain(again)
        again.close()
        assert server.stream("r1").gaps == [[0, 42, "expired"]]

    @pytest.mark.parametrize("change", [("next", 41), ("crc", 1), ("done", False)])
    def test_is_asked_when_the_note_of_it_is_damaged(self, buffer, server, uploader, change):
        a_run(buffer)
        drain(uploader)
        path = next(buffer.rglob("ack.json"))
        path.write_text(json.dumps({**json.loads(path.read_text()), change[0]: change[1]}))
        (stream,) = Buffer(buffer).run("r1").streams()
        assert stream.ack() == {}

    def test_that_says_seq_gap_gets_what_it_asks_for(self, buffer, server, uploader):
        a_run(buffer)
        drain(uploader)
        server.runs.clear()
        known = dict.fromkeys([next(iter(uploader.senders))[1]], 30)
        server.get = lambda run: json_reply(200, {"streams": known, "epoch": "e", "server": "s"})
        again = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
        drain(again)
        again.close()
        assert losses(server) == list(range(20))

    def test_two_syncs_at_once_store_once(self, buffer, server, uploader):
        a_run(buffer, count=2_000)
        other = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
        eventually(lambda: is_drained(uploader) and is_drained(other))
        other.close()
        assert losses(server) == list(range(2_000))


class TestWhatStops:
    @pytest.mark.parametrize(
        ("reply", "state", "word"),
        [
            (json_reply(401, {"code": "bad_key", "message": "Unknown key."}), "auth", "refused"),
            (json_reply(403, {"code": "scope", "message": "May not."}), "auth", "refused"),
            (json_reply(410, {"code": "run_deleted", "message": "Gone."}), "deleted", "deleted"),
            (json_reply(426, {"code": "x", "message": "Old."}), "upgrade", "upgrade"),
        ],
    )
    def test_keeps_the_files_and_leaves_word(self, buffer, server, uploader, reply, state, word):
        a_run(buffer)
        server.script.append(reply)
        drain(uploader)
        status = Buffer(buffer).run("r1").status()
        assert status["state"] == state
        assert word in status["message"]
        assert list(buffer.rglob("*.tlog"))

    @pytest.mark.parametrize("state", ["deleted", "upgrade"])
    def test_for_good_is_not_tried_again(self, buffer, server, uploader, state):
        code = {"deleted": 410, "upgrade": 426}[state]
        a_run(buffer)
        server.script.append(json_reply(code, {"code": "run_deleted", "message": "Gone."}))
        drain(uploader)
        uploader.resume()
        drain(uploader)
        assert (server.posts, server.runs) == (1, {})

    def test_a_refused_key_can_be_renewed(self, buffer, server, uploader):
        a_run(buffer)
        server.key = "tl_new"
        drain(uploader)
        assert server.runs == {}
        uploader.transport.use_key("tl_new")
        uploader.resume()
        drain(uploader)
        assert losses(server) == list(range(20))


NOT_FOUND = json_reply(404, {"code": "not_found", "message": "No."})


class TestProjectThatIsMissing:
    """A proxy says 404 during a deployment, and so does a server for a project of others."""

    def test_is_asked_for_again(self, buffer, server, uploader):
        a_run(buffer)
        server.script.extend([NOT_FOUND] * 4)
        drain(uploader)
        assert losses(server) == list(range(20))
        assert Buffer(buffer).run("r1").status()["state"] == "ok"

    def test_for_a_quarter_of_an_hour_is_a_pause_with_a_word(
        self, buffer, server, uploader, monkeypatch
    ):
        a_run(buffer)
        server.judge = lambda header: NOT_FOUND
        eventually(lambda: is_drained(uploader) or server.posts > 5)
        (session,) = uploader.sessions.values()
        assert session.stopped is None
        session._missing_since -= sending.MISSING_SECONDS
        drain(uploader)
        status = Buffer(buffer).run("r1").status()
        assert (session.stopped, status["state"]) == ("missing", "missing")
        assert "no such project" in status["message"]

    def test_is_tried_now_and_then_after_that(self, buffer, server, uploader, monkeypatch):
        monkeypatch.setattr(sending, "MISSING_SECONDS", 0.0)
        a_run(buffer)
        server.script.extend([NOT_FOUND] * 2)
        for posts in (1, 2):
            drain(uploader)
            assert server.posts == posts
            uploader.resume()
        drain(uploader)
        assert losses(server) == list(range(20))


class TestHeartbeat:
    def test_of_a_silent_run_is_an_empty_batch(self, buffer, server, uploader, monkeypatch):
        monkeypatch.setattr(sending, "HEARTBEAT", 0.05)
        recorder = a_run(buffer, end=False)
        eventually(
            lambda: is_drained(uploader) or (server.runs and server.stream("r1").heartbeats > 2)
        )
        recorder.journal._writer_lock.release()
        drain(uploader)
        assert server.stream("r1").gone
        assert losses(server) == list(range(20))


def damage(segment: Path, frame: Frame) -> None:
    data = bytearray(segment.read_bytes())
    data[frames.SEGMENT_HEADER_SIZE + frame.start + 8] ^= 255
    segment.write_bytes(data)


class TestDamagedLayout:
    def points(self, segment: Path) -> list[Frame]:
        found = frames.scan(segment.read_bytes()[frames.SEGMENT_HEADER_SIZE :])
        return [item for item in found if isinstance(item, Frame) and item.type == 1]

    @pytest.mark.parametrize("victim", [0, 1, 3, 30, 199])
    def test_costs_only_the_record_that_named_it(self, buffer, server, uploader, victim):
        a_run(buffer, count=200)
        (segment,) = buffer.rglob("*.tlog")
        damage(segment, self.points(segment)[victim])
        drain(uploader)
        assert losses(server) == [step for step in range(200) if step != victim]

    def test_that_nobody_names_any_more_costs_what_used_it(self, buffer, server, uploader):
        a_run(buffer, count=50)
        (segment,) = buffer.rglob("*.tlog")
        naming = [frame for frame in self.points(segment) if b'"d":' in frame.payload]
        for frame in naming:
            damage(segment, frame)
        drain(uploader)
        (sender,) = uploader.senders.values()
        assert (losses(server), sender.damaged) == ([], 50 - len(naming))
        assert len(server.records("r1", 2)) == 50

    def test_is_found_again_in_the_middle_of_a_stream(self, buffer, server, uploader):
        a_run(buffer, count=60)
        drain(uploader)
        (stream,) = server.runs["r1"].values()
        stream.next, stream.points = 41, [point for point in stream.points if point[1] < 20]
        again = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
        drain(again)
        again.close()
        assert losses(server) == list(range(60))


class TestRetention:
    def test_unlinks_what_was_acked_beyond_the_limit(self, buffer, server, uploader, monkeypatch):
        monkeypatch.setattr("tidelog.journal.ROTATE_BYTES", 2_000)
        monkeypatch.setattr("tidelog.retention.trim.__kwdefaults__", {"keep": 5_000})
        a_run(buffer, count=500)
        before = len(list(buffer.rglob("*.tlog")))
        drain(uploader)
        assert losses(server) == list(range(500))
        assert len(list(buffer.rglob("*.tlog"))) < before / 2

    def test_of_what_a_restored_server_lost_leaves_a_gap(
        self, buffer, server, uploader, monkeypatch
    ):
        monkeypatch.setattr("tidelog.journal.ROTATE_BYTES", 2_000)
        a_run(buffer, count=500)
        drain(uploader)
        min(buffer.rglob("*.tlog")).unlink()
        server.runs.clear()
        again = Uploader(Buffer(buffer), HttpTransport(server.url, KEY), wanted=lambda _: True)
        drain(again)
        again.close()
        ((start, _, why),) = server.stream("r1").gaps
        assert (start, why) == (0, "expired")


class TestMeaning:
    def test_an_ack_may_be_shorter_than_the_batch(self):
        body = json.dumps({"stream": STREAM, "next": 3}).encode()
        answer = Answer(200, {"content-type": "application/json"}, body)
        assert meaning(answer, stream=STREAM, start=2, end=9).verdict == "ok"
        assert meaning(answer, stream=STREAM, start=4, end=9).verdict == "retry"

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("5", 5), ("0", 0), ("99999", 3600), ("-1", None), ("soon", None), ("²", None)],
    )
    def test_retry_after_is_obeyed_unless_it_is_junk(self, text, seconds):
        assert retry_after({"retry-after": text}) == seconds

    def test_pauses_never_depend_on_the_wall_clock(self, monkeypatch):
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert retry_after({"retry-after": "7"}) == 7
