"""The sockets that show the same place."""

import asyncio

import pytest
from tests.server.live.test_outbox import Reader, unpack

from tidelog_server.live import circle as subject
from tidelog_server.live.circle import Circle
from tidelog_server.live.outbox import Outbox


@pytest.fixture
async def circle():
    return Circle()


@pytest.fixture
async def readers(circle):
    """Three sockets of the circle."""
    made = [Reader() for _ in range(3)]
    circle.outboxes = {Outbox(reader.take) for reader in made}
    pumping = [asyncio.create_task(outbox.pump()) for outbox in circle.outboxes]
    yield made
    for task in pumping:
        task.cancel()
    await asyncio.gather(*pumping, return_exceptions=True)


class TestCircle:
    async def test_sends_the_first_frame_to_all_at_once(self, circle, readers):
        circle.put(b"first")
        assert [unpack(await each.messages.get()) for each in readers] == [[b"first"]] * 3

    async def test_gives_all_the_same_bytes(self, circle, readers):
        circle.put(b"first")
        one, two, three = [await each.messages.get() for each in readers]
        assert one is two is three

    async def test_sends_what_gathers_meanwhile_together(self, circle, readers):
        circle.put(b"first")
        await readers[0].messages.get()
        for frame in (b"a", b"b", b"c"):
            circle.put(frame)
        assert unpack(await readers[0].messages.get()) == [b"a", b"b", b"c"]

    async def test_keeps_an_interval_between_messages(self, circle, readers, monkeypatch):
        monkeypatch.setattr(subject, "INTERVAL", 3600.0)
        circle.put(b"first")
        await readers[0].messages.get()
        circle.put(b"second")
        await asyncio.sleep(2 * subject.GATHER)
        assert readers[0].messages.empty()

    async def test_does_not_wait_for_a_reader_who_is_slow(self, circle, readers):
        readers[0].reading.clear()
        circle.put(b"first")
        assert unpack(await readers[1].messages.get()) == [b"first"]
        circle.put(b"second")
        assert unpack(await readers[1].messages.get()) == [b"second"]
