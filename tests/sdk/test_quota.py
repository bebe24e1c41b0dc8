"""What is given up when the buffer may not grow any more, and how exactly it is told."""

import json
import os

import pytest
from tests.sdk.conftest import eventually
from tests.sdk.fake_server import KEY
from tests.sdk.test_answers import a_run
from tests.sdk.test_disk import a_recorder, losses, stored

from tidelog import quota as module
from tidelog.buffer import Buffer
from tidelog.quota import Quota
from tidelog.recorder import Recorder
from tidelog.wire.frames import FrameType

LIMIT = 100_000
KINDS = {"system": FrameType.SYSTEM, "console": FrameType.CONSOLE, "metrics": FrameType.METRICS}


def fill(directory, share):
    """Have something else in the buffer take a share of the limit."""
    place = directory / "v1" / "runs" / "other"
    place.mkdir(parents=True, exist_ok=True)
    (place / "quarantine").write_bytes(b"x" * int(share * LIMIT))


@pytest.fixture(autouse=True)
def attentive(monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(module, "DEAR", 0)
    monkeypatch.setattr("tidelog.journal.TELL_SECONDS", 0.0)


@pytest.fixture
def recorder(tmp_path):
    recorder = a_recorder(tmp_path, [])
    recorder.journal.quota = Quota(Buffer(tmp_path), LIMIT)
    recorder.journal.open()
    return recorder


def record_everything(recorder: Recorder) -> None:
    recorder.log({"loss": 1})
    recorder.system({"system/cpu": 1})
    recorder.console(1, "hello\n")
    recorder.set("summary", [("best", 1)])


def told(recorder: Recorder) -> list[dict[str, object]]:
    dropped = [f for f in stored(recorder.journal) if f.type == FrameType.DROPPED]
    return [json.loads(frame.payload) for frame in dropped]


class TestSacrifice:
    @pytest.mark.parametrize(
        ("share", "lost"),
        [
            (0.5, []),
            (0.92, ["system"]),
            (0.97, ["system", "console"]),
            (1.1, ["system", "console", "metrics"]),
        ],
    )
    def test_is_what_matters_least_first(self, recorder, tmp_path, share, lost):
        fill(tmp_path, share)
        recorder.journal.tend()
        record_everything(recorder)
        kept = {frame.type for frame in stored(recorder.journal)}
        assert {name for name, kind in KINDS.items() if kind not in kept} == set(lost)
        assert FrameType.SET in kept

    def test_is_told_in_band_and_counted_exactly(self, recorder, tmp_path):
        fill(tmp_path, 1.1)
        recorder.journal.tend()
        for _ in range(7):
            record_everything(recorder)
        recorder.journal.tend()
        record_everything(recorder)
        recorder.journal.close(lambda dropped: {"dropped": dict(dropped)})
        first, second = told(recorder)
        assert (first["why"], first["n"]) == ("cap", 21)
        assert first["kinds"] == {"metrics": 7, "system": 7, "console": 7}
        assert second["n"] == 3
        finish = json.loads(stored(recorder.journal)[-1].payload)
        assert finish["dropped"] == {"cap": 24}

    def test_ends_when_there_is_room_again(self, recorder, tmp_path):
        fill(tmp_path, 1.1)
        recorder.journal.tend()
        for step in range(100):
            recorder.log({"loss": step}, step)
        fill(tmp_path, 0.1)
        recorder.journal.tend()
        for step in range(100, 200):
            recorder.log({"loss": step}, step)
        assert losses(recorder.journal) == list(range(100, 200))
        assert told(recorder)[0]["n"] == 100

    def test_never_touches_points_that_wait(self, recorder, tmp_path):
        for step in range(300):
            recorder.log({"loss": step}, step)
        fill(tmp_path, 1.1)
        recorder.journal.tend()
        recorder.log({"loss": 300}, 300)
        assert losses(recorder.journal) == list(range(300))

    def test_is_said_once(self, recorder, tmp_path):
        said = []
        recorder.journal._say = said.append
        fill(tmp_path, 1.1)
        for _ in range(5):
            recorder.journal.tend()
            record_everything(recorder)
        (sentence,) = said
        assert "new points are dropped" in sentence

    def test_begins_with_what_the_server_has(self, buffer, monkeypatch):
        monkeypatch.setattr("tidelog.journal.ROTATE_BYTES", 2_000)
        recorder = a_run(buffer, count=1_000, end=False)
        (stream,) = Buffer(buffer).run("r1").streams()
        names = [first for first, _ in stream.segments()]
        stream.acknowledge({"next": names[-5]})
        used = sum(path.stat().st_size for _, path in stream.segments())
        recorder.journal.quota = Quota(Buffer(buffer), used)
        recorder.journal.tend()
        recorder.log({"loss": 1})
        left = [first for first, _ in stream.segments()]
        assert len(left) < len(names)
        assert left[-5:] == names[-5:]
        assert not recorder.journal.drops


class TestDefaultLimit:
    def disk(self, monkeypatch, *, free):
        real = os.statvfs("/")
        fields = list(real)
        fields[0] = fields[1] = 1024
        fields[4] = free // 1024
        monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))

    @pytest.mark.parametrize(
        ("free", "limit"),
        [
            (100 << 30, 10 << 30),
            (5 << 30, 4 << 30),
            (1 << 30, 64 << 20),
            (0, 64 << 20),
        ],
    )
    def test_leaves_a_gigabyte_to_others(self, tmp_path, monkeypatch, free, limit):
        self.disk(monkeypatch, free=free)
        assert Quota(Buffer(tmp_path), None)._default(0) == limit


SCRIPT = """
import time, tidelog
run = tidelog.init(project="acme/demo", id="r1", console=False, system=False, capture=False)
step = 0
for _ in range(40):
    for _ in range(2_000):
        run.log({"loss": step}, step)
        step += 1
    time.sleep(0.1)
print(step)
"""


class TestTrainingWithASmallBuffer:
    def test_has_exact_counts_on_the_server(self, train, online, server):
        server.key = "not yet"
        script = train(SCRIPT, {**online, "TIDELOG_BUFFER_LIMIT": "1M"})
        script.ends()
        assert script.err.count("new points are dropped") == 1
        server.key = KEY
        train("import tidelog.cli; raise SystemExit(tidelog.cli.main(['sync']))", online).ends()
        eventually(lambda: server.records("r1", 7))
        lost = sum(record["n"] for record in server.records("r1", 9))
        assert lost > 0
        assert len(server.points("r1", "loss")) + lost == int(script.out)
        assert server.records("r1", 7)[0]["dropped"] == {"cap": lost}
