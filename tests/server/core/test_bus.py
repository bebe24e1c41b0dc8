"""Frames on their way to whoever watches."""

import threading

import pytest

from tidelog_server.core import bus

TOPIC = "project.0123"


@pytest.fixture
def heard():
    frames: list[tuple[str, bytes]] = []

    def callback(topic: str, frame: bytes) -> None:
        frames.append((topic, frame))

    bus.listen(TOPIC, callback)
    yield frames
    bus.unlisten(TOPIC, callback)


class TestPublish:
    def test_reaches_a_listener_of_this_process_at_once(self, heard):
        bus.publish([TOPIC], b"frame")
        assert heard == [(TOPIC, b"frame")]

    def test_reaches_it_once_for_each_topic_it_listens_to(self, heard):
        bus.publish([TOPIC, "run.4567"], b"frame")
        assert heard == [(TOPIC, b"frame")]

    def test_works_from_any_thread(self, heard):
        thread = threading.Thread(target=bus.publish, args=([TOPIC], b"frame"))
        thread.start()
        thread.join()
        assert heard == [(TOPIC, b"frame")]

    async def test_works_from_a_coroutine(self, heard):
        bus.publish([TOPIC], b"frame")
        assert heard == [(TOPIC, b"frame")]

    def test_survives_a_listener_that_fails(self, heard, caplog):
        def broken(_topic: str, _frame: bytes) -> None:
            raise RuntimeError("broken")

        bus.listen(TOPIC, broken)
        bus.publish([TOPIC], b"frame")
        bus.unlisten(TOPIC, broken)
        assert heard == [(TOPIC, b"frame")]
        assert "a listener of project.0123 failed" in caplog.text


class TestWatched:
    def test_is_true_while_someone_listens(self, heard):
        assert bus.watched(TOPIC)

    def test_is_false_before_and_after(self):
        def callback(_topic: str, _frame: bytes) -> None: ...

        assert not bus.watched("run.89")
        bus.listen("run.89", callback)
        bus.unlisten("run.89", callback)
        assert not bus.watched("run.89")

    def test_stays_true_until_the_last_listener_is_gone(self, heard):
        def another(_topic: str, _frame: bytes) -> None: ...

        bus.listen(TOPIC, another)
        bus.unlisten(TOPIC, another)
        assert bus.watched(TOPIC)


class TestUnlisten:
    def test_of_what_was_never_heard_is_harmless(self):
        bus.unlisten("run.none", print)
