"""What waits to be sent to one socket."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache

MAX_FRAMES = 256
MAX_BYTES = 2**20


def pack(frames: Sequence[bytes]) -> bytes:
    """Return one binary message: each frame behind its length, u32 little-endian."""
    return b"".join(part for frame in frames for part in (len(frame).to_bytes(4, "little"), frame))


@lru_cache(maxsize=1)
def _pack_for_many(frames: tuple[bytes, ...]) -> bytes:
    """Pack once what goes to all sockets of a place: their outboxes hold the same frames."""
    return pack(frames)


class SlowReader(Exception):
    """The reader let too much pile up."""


class Outbox:
    """Frames on their way to one socket, sent together when its circle says so, or many wait.

    It holds at most 256 frames or 1 MiB, whichever is less (one frame may be larger): a reader who
    lets more pile up is too slow, and is told to come back, because what it missed can be read
    again by REST. Memory is bounded that way, and no reader delays another.
    """

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._frames: list[bytes] = []
        self._size = 0
        self._due = asyncio.Event()
        self._overflowed = asyncio.Event()

    @property
    def slow(self) -> bool:
        return self._overflowed.is_set()

    def put(self, frame: bytes) -> None:
        """Take a frame; from the event loop's thread only."""
        full = len(self._frames) >= MAX_FRAMES or self._size + len(frame) > MAX_BYTES
        if self._frames and full:
            self._overflowed.set()
        if self.slow:
            return
        self._frames.append(frame)
        self._size += len(frame)
        if len(self._frames) > MAX_FRAMES / 2 or self._size > MAX_BYTES / 2:
            self.send_soon()

    def send_soon(self) -> None:
        """Send what waits as soon as the connection takes it."""
        if self._frames:
            self._due.set()

    async def pump(self) -> None:
        """Send what comes, until the reader turns out to be too slow; then raise SlowReader.

        The overflow is watched beside the sending, which may be stuck in a full connection.
        """
        sending = asyncio.ensure_future(self._send_all())
        overflow = asyncio.ensure_future(self._overflowed.wait())
        try:
            await asyncio.wait([sending, overflow], return_when=asyncio.FIRST_COMPLETED)
        finally:
            overflow.cancel()
            sending.cancel()
        if self.slow:
            raise SlowReader
        await sending

    async def _send_all(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            frames, self._frames, self._size = self._frames, [], 0
            await self._send(_pack_for_many(tuple(frames)))
