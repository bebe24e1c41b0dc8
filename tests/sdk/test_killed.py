"""The promise, with real processes: what was logged is there once, whatever is killed."""

import os
import random
import signal
import time

import psutil
import pytest
from tests.sdk.conftest import eventually

WITNESS = """
import os, time, tidelog
run = tidelog.init(project="acme/demo", id="r1", mode={mode!r}, console=False)
witness = os.open("witness", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
i = 0
while True:
    run.log({{"loss": i * 0.5, "step": i}}, step=i)
    os.write(witness, b"%d\\n" % i)
    i += 1
    if i % 50 == 0:
        time.sleep(0.001)
"""


def witnessed(directory):
    path = directory / "witness"
    return len(path.read_text().splitlines()) if path.exists() else 0


def assert_all_there_once(server, directory):
    steps = [step for step, _ in server.points("r1", "loss")]
    seen = witnessed(directory)
    assert steps == [float(i) for i in range(len(steps))]
    assert seen <= len(steps) <= seen + 1


class TestKilledTraining:
    @pytest.mark.parametrize("attempt", range(6))
    def test_loses_and_doubles_nothing_after_sync(
        self, train, online, tidelog, server, tmp_path, attempt
    ):
        script = train(WITNESS.format(mode="offline"), online)
        eventually(lambda: witnessed(tmp_path) > 100)
        time.sleep(random.Random(attempt).random() / 20)
        script.process.kill()
        script.ends()
        done = tidelog("sync")
        assert done.returncode == 0, done.stdout + done.stderr
        assert_all_there_once(server, tmp_path)

    @pytest.mark.parametrize("attempt", range(3))
    def test_is_sent_and_told_by_the_uploader(self, train, online, server, tmp_path, attempt):
        script = train(WITNESS.format(mode="online"), online)
        eventually(lambda: witnessed(tmp_path) > 500 * (attempt + 1))
        script.process.kill()
        script.ends()
        eventually(lambda: server.runs.get("r1") and server.stream("r1").gone)
        assert_all_there_once(server, tmp_path)
        assert server.records("r1", 7) == []

    def test_with_its_whole_tree_is_whole_after_sync(
        self, train, online, tidelog, server, tmp_path
    ):
        script = train(WITNESS.format(mode="online"), online)
        eventually(lambda: server.runs.get("r1") and witnessed(tmp_path) > 500)
        for child in psutil.Process(script.process.pid).children(recursive=True):
            child.kill()
        script.process.kill()
        script.ends()
        assert tidelog("sync").returncode == 0
        assert_all_there_once(server, tmp_path)

    def test_sync_twice_stores_once(self, train, online, tidelog, server, tmp_path):
        script = train(WITNESS.format(mode="offline"), online)
        eventually(lambda: witnessed(tmp_path) > 100)
        script.process.kill()
        script.ends()
        tidelog("sync")
        posts = server.posts
        assert tidelog("sync").returncode == 0
        assert server.posts == posts
        assert_all_there_once(server, tmp_path)


class TestUploader:
    def test_is_started_again_when_it_was_killed(self, train, online, server, buffer, tmp_path):
        from tests.sdk.conftest import holders

        # At a calm pace, so that what is judged is the new uploader and not how fast it is.
        witness = WITNESS.format(mode="online").replace("sleep(0.001)", "sleep(0.05)")
        script = train(witness, online)
        eventually(lambda: server.runs.get("r1"))
        (lock,) = buffer.glob("uploader-*.lock")
        for pid in holders(lock):
            os.kill(pid, signal.SIGKILL)
        script.process.send_signal(signal.SIGTERM)
        script.ends()
        again = train(witness.replace('"r1"', '"r2"'), online)
        eventually(lambda: server.records("r1", 7))
        again.process.kill()
        assert server.records("r1", 7)[0]["state"] == "killed"

    @pytest.mark.parametrize("path", ["", "."])
    def test_takes_no_module_from_the_working_directory(
        self, train, online, server, tmp_path, path
    ):
        for name in ("requests", "queue", "zstandard", "tidelog", "random"):
            (tmp_path / f"{name}.py").write_text("raise SystemExit('not the real one')")
        begin = "import sys; del sys.path[0]\n"
        source = begin + WITNESS.format(mode="online")
        train(source, {**online, "PYTHONPATH": f"{online['PYTHONPATH']}:{path}".rstrip(":")})
        eventually(lambda: server.runs.get("r1"))
