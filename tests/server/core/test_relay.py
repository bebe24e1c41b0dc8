"""The way between processes, with a real Redis and two relays that take each other for another."""

import shutil
import subprocess
import time

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from tests.workers.serving import until

from tidelog_server.core import relay as subject
from tidelog_server.core.relay import Relay

TOPIC = "project.0123"
PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Redis found")


class Redis:
    """A Redis that can be killed and started again."""

    def __init__(self, path):
        self.path = path
        self.start()

    def start(self):
        words = ["--port", "0", "--unixsocket", str(self.path), "--save", ""]
        self.process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL)
        until(self.path.is_socket, "Redis listens")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.path.unlink(missing_ok=True)


@pytest.fixture
def redis(tmp_path):
    running = Redis(tmp_path / "redis.sock")
    yield running
    running.stop()


class Process:
    """What a process is to another: a relay, and what it was given."""

    def __init__(self):
        self.heard = []
        self.relay = Relay(lambda topic, frame: self.heard.append((topic, frame)))

    def joined(self):
        return TOPIC in self.relay._joined


@pytest.fixture
def processes(redis, monkeypatch):
    layer = RedisPubSubChannelLayer(hosts=[f"unix://{redis.path}"])
    monkeypatch.setattr(subject, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(subject, "RETRY", 0.1)
    monkeypatch.setattr(subject, "ANNOUNCE", 0.2)
    return Process(), Process()


class TestRelay:
    def test_carries_a_frame_to_another_process(self, processes):
        here, there = processes
        there.relay.join(TOPIC)
        until(there.joined, "the other process joined")
        here.relay.send(TOPIC, b"frame\x00\xff")
        until(lambda: there.heard, "the frame arrives")
        assert there.heard == [(TOPIC, b"frame\x00\xff")]

    def test_brings_no_process_its_own_echo(self, processes):
        here, there = processes
        for process in processes:
            process.relay.join(TOPIC)
            until(process.joined, "the process joined")
        here.relay.send(TOPIC, b"mine")
        until(lambda: there.heard, "the frame arrives")
        assert here.heard == []

    def test_says_what_is_watched_elsewhere_and_when_no_more(self, processes):
        here, there = processes
        assert not here.relay.watched_elsewhere(TOPIC)
        there.relay.join(TOPIC)
        until(lambda: here.relay.watched_elsewhere(TOPIC), "the watcher is known")
        there.relay.leave(TOPIC)
        until(lambda: not here.relay.watched_elsewhere(TOPIC), "the watcher is forgotten")

    def test_loses_and_counts_what_a_dead_redis_does_not_take(self, processes, redis):
        here, _ = processes
        here.relay.send(TOPIC, b"before")
        redis.stop()
        here.relay.send(TOPIC, b"during")
        until(lambda: here.relay.lost, "the loss is counted")

    def test_goes_on_when_redis_is_back(self, processes, redis):
        here, there = processes
        there.relay.join(TOPIC)
        until(there.joined, "the other process joined")
        redis.stop()
        redis.start()

        def arrives() -> bool:
            here.relay.send(TOPIC, b"after")
            time.sleep(0.1)
            return bool(there.heard)

        until(arrives, "a frame arrives after the restart")

    def test_carries_nothing_where_the_layer_reaches_nobody(self, monkeypatch):
        monkeypatch.setattr(subject, "get_channel_layer", lambda: None)
        alone = Process()
        alone.relay.send(TOPIC, b"frame")
        assert not alone.relay.watched_elsewhere(TOPIC)
        assert alone.relay.lost == 0
