"""What waits to be sent to one socket."""

import asyncio

import pytest

from tidelog_server.live.outbox import Outbox, SlowReader, pack


def unpack(message: bytes) -> list[bytes]:
    frames = []
    while message:
        length = int.from_bytes(message[:4], "little")
        frames.append(message[4 : 4 + length])
        message = message[4 + length :]
    return frames


class Reader:
    """The other end of a socket, which can stop reading."""

    def __init__(self):
        self.messages: asyncio.Queue[bytes] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self.stuck = asyncio.Event()

    async def take(self, message: bytes) -> None:
        if not self.reading.is_set():
            self.stuck.set()
        await self.reading.wait()
        await self.messages.put(message)


@pytest.fixture
async def reader():
    return Reader()


@pytest.fixture
async def outbox(reader):
    return Outbox(reader.take)


@pytest.fixture
async def pumping(outbox):
    task = asyncio.create_task(outbox.pump())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class TestPacking:
    def test_puts_each_frame_behind_its_length(self):
        assert pack([b"ab", b""]) == b"\x02\0\0\0ab\0\0\0\0"

    def test_of_nothing_is_nothing(self):
        assert pack([]) == b""


class TestOutbox:
    async def test_sends_what_waits_as_one_message_when_told_to(self, outbox, pumping, reader):
        for frame in (b"a", b"b", b"c"):
            outbox.put(frame)
        outbox.send_soon()
        assert unpack(await reader.messages.get()) == [b"a", b"b", b"c"]

    async def test_sends_nothing_before(self, outbox, pumping, reader):
        outbox.put(b"first")
        await asyncio.sleep(0)
        assert reader.messages.empty()

    async def test_sends_nothing_when_nothing_waits(self, outbox, pumping, reader):
        outbox.send_soon()
        outbox.put(b"later")
        outbox.send_soon()
        assert unpack(await reader.messages.get()) == [b"later"]

    async def test_does_not_wait_to_be_told_when_many_wait(self, outbox, pumping, reader):
        for _ in range(129):
            outbox.put(b"more")
        assert len(unpack(await reader.messages.get())) == 129

    async def test_finds_a_reader_slow_who_lets_257_frames_pile_up(self, outbox, pumping, reader):
        reader.reading.clear()
        outbox.put(b"in flight")
        outbox.send_soon()
        await reader.stuck.wait()
        for _ in range(256):
            outbox.put(b"waiting")
        assert not outbox.slow
        outbox.put(b"one too many")
        with pytest.raises(SlowReader):
            await pumping

    async def test_finds_a_reader_slow_who_lets_more_than_a_mebibyte_pile_up(self, outbox):
        outbox.put(bytes(2**20))
        assert not outbox.slow
        outbox.put(b"x")
        assert outbox.slow

    async def test_takes_one_frame_that_is_larger_than_the_limit(self, outbox, pumping, reader):
        outbox.put(bytes(3 * 2**20))
        outbox.send_soon()
        assert len(await reader.messages.get()) == 3 * 2**20 + 4

    async def test_passes_on_that_the_connection_broke(self):
        async def broken(_message: bytes) -> None:
            raise ConnectionResetError

        outbox = Outbox(broken)
        outbox.put(b"frame")
        outbox.send_soon()
        with pytest.raises(ConnectionResetError):
            await outbox.pump()
