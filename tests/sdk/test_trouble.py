"""A training script with a server that is not as it should be."""

import socket
import time

from tests.sdk.conftest import eventually
from tests.sdk.fake_server import FakeServer

SCRIPT = """
import sys, time, tidelog
start = time.monotonic()
run = tidelog.init(project="acme/demo", id="r1", console=False)
took = time.monotonic() - start
for i in range(200):
    run.log({"loss": i})
print("init took", took)
start = time.monotonic()
run.finish(timeout=3)
print("finish took", time.monotonic() - start)
sys.exit(6)
"""


class TestServerThatIsDown:
    def test_costs_the_script_nothing_and_loses_nothing(self, train, online, server, tidelog):
        server.close()
        script = train(SCRIPT, online).ends()
        assert script.code == 6, script.err
        assert "tidelog sync" in script.err
        took = [float(line.split()[-1]) for line in script.out.splitlines()]
        assert took[1] < 5
        again = FakeServer(port=server.port)
        server.close = again.close
        eventually(lambda: len(again.points("r1", "loss")) == 200)

    def test_coming_back_gets_everything_without_a_word_from_anyone(self, train, online, server):
        server.close()
        source = SCRIPT.replace(
            "for i in range(200):", "for i in range(200):\n    time.sleep(0.01)"
        )
        script = train(source, online)
        again = FakeServer(port=server.port)
        server.close = again.close
        script.ends()
        eventually(lambda: len(again.points("r1", "loss")) == 200)


class TestServerThatNeverAnswers:
    def test_does_not_keep_the_end_of_the_script_waiting(self, train, online, tidelog):
        with socket.create_server(("127.0.0.1", 0)) as blackhole:
            url = f"http://127.0.0.1:{blackhole.getsockname()[1]}"
            script = train(SCRIPT, {**online, "TIDELOG_URL": url, "TIDELOG_API_KEY": "k"}).ends()
        assert script.code == 6, script.err
        assert f"tidelog sync {online['TIDELOG_DIR']}" in script.err
        assert 3 <= float(script.out.splitlines()[1].split()[-1]) < 5


class TestWrongKey:
    def test_is_said_once_and_everything_is_kept(self, train, online, server, tidelog):
        good, server.key = server.key, "tl_other"
        script = train(SCRIPT, online).ends()
        assert script.code == 6
        assert script.err.count("refused") == 1
        server.key = good
        assert tidelog("sync").returncode == 0
        assert len(server.points("r1", "loss")) == 200

    def test_that_is_missing_means_offline(self, train, environment):
        script = train(SCRIPT, environment).ends()
        assert script.code == 6
        assert "no API key" in script.err


class TestResume:
    def test_goes_on_with_the_same_run_in_another_stream(self, train, online, server):
        for _ in range(2):
            train(SCRIPT.replace('id="r1", ', ""), {**online, "TIDELOG_RUN_ID": "r9"}).ends()
        eventually(lambda: len(server.points("r9", "loss")) == 400)
        assert len(server.runs["r9"]) == 2

    def test_ranks_share_a_run_and_only_the_first_ends_it(self, train, online, server):
        for rank in ("0", "1"):
            train(SCRIPT, {**online, "RANK": rank}).ends()
        eventually(lambda: len(server.points("r1", "loss")) == 400)
        primary = [opening["primary"] for opening in server.records("r1", 8)]
        assert sorted(primary) == [False, True]


class TestDisabled:
    def test_does_nothing_at_all(self, train, online, server, buffer):
        script = train(SCRIPT, {**online, "TIDELOG_MODE": "disabled"}).ends()
        assert script.code == 6
        assert script.err == ""
        assert not buffer.exists()


class TestSlowServer:
    def test_does_not_slow_the_training(self, train, online, server):
        server.judge = lambda header: time.sleep(0.5)
        script = train(SCRIPT, online).ends()
        assert script.code == 6
        eventually(lambda: len(server.points("r1", "loss")) == 200)
