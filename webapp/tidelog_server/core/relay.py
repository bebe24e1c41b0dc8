"""The way between processes: the channel layer, on a thread and event loop of its own."""

import asyncio
import logging
import os
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

logger = logging.getLogger(__name__)

WATCHERS = "bus.watchers"
TIMEOUT = 0.2
RETRY = 1.0
ANNOUNCE = 10.0
WAITING_FRAMES = 1024


class Relay:
    """Carries frames to and from the other processes, as well as it can.

    A layer's connections belong to one event loop, while `publish` is called from threads,
    coroutines and Celery workers: they all hand over to the loop of this thread, which starts
    when it is first needed. Whatever the layer refuses or delays is dropped and counted in `lost`.
    A frame carries the process it came from, so that a process ignores its own echo.
    """

    def __init__(self, deliver: Callable[[str, bytes], None]) -> None:
        self.lost = 0
        self._deliver = deliver
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Forget the thread: a forked child has none, and must not use its parent's connections."""
        self._origin = secrets.token_hex(8)
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._elsewhere: dict[str, float] = {}

    # Called from anywhere ---------------------------------------------------------------------

    def send(self, topic: str, frame: bytes) -> None:
        self._soon(self._offer, topic, frame)

    def join(self, topic: str) -> None:
        self._wanted.add(topic)
        self._soon(self._wake)

    def leave(self, topic: str) -> None:
        self._wanted.discard(topic)
        self._soon(self._wake)

    def watched_elsewhere(self, topic: str) -> bool:
        """Tell what the other processes have announced; asking begins to listen to them."""
        if self._loop is None and self._start() is None:
            return False
        return self._elsewhere.get(topic, 0.0) > time.monotonic()

    def _soon(self, callback: Callable[..., None], *arguments: object) -> None:
        loop = self._loop or self._start()
        if loop is not None:
            loop.call_soon_threadsafe(callback, *arguments)

    def _start(self) -> asyncio.AbstractEventLoop | None:
        """Start the thread, unless the layer lives in this process' memory and reaches nobody."""
        layer = get_channel_layer()
        if layer is None or isinstance(layer, InMemoryChannelLayer):
            return None
        with self._starting:
            if self._loop is None:
                self._layer: Any = layer
                self._outbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(WAITING_FRAMES)
                self._changed = asyncio.Event()
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_until_complete, args=(self._work(),), daemon=True
                ).start()
            return self._loop

    # On the loop ------------------------------------------------------------------------------

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as together:
            together.create_task(self._send_frames())
            together.create_task(self._keep_joined(together))

    def _offer(self, topic: str, frame: bytes) -> None:
        try:
            self._outbox.put_nowait((topic, frame))
        except asyncio.QueueFull:
            self.lost += 1

    def _wake(self) -> None:
        self._changed.set()

    async def _send_frames(self) -> None:
        while True:
            topic, frame = await self._outbox.get()
            message = {"type": "bus.frame", "from": self._origin, "topic": topic, "frame": frame}
            await self._try(self._layer.group_send(topic, message))

    async def _keep_joined(self, together: asyncio.TaskGroup) -> None:
        """Hold one channel that is in the group of every topic somebody here listens to."""
        channel = await self._new_channel()
        together.create_task(self._receive_frames(channel))
        while True:
            self._changed.clear()
            await self._join_and_leave(channel)
            await self._announce()
            pause = ANNOUNCE if self._joined == {*self._wanted, WATCHERS} else RETRY
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)

    async def _new_channel(self) -> str:
        while True:
            try:
                return str(await asyncio.wait_for(self._layer.new_channel(), TIMEOUT))
            except Exception:  # noqa: BLE001  whatever the layer's client raises, we try again
                self.lost += 1
                await asyncio.sleep(RETRY)

    async def _join_and_leave(self, channel: str) -> None:
        wanted = {*self._wanted, WATCHERS}
        for topic in wanted - self._joined:
            if await self._try(self._layer.group_add(topic, channel)):
                self._joined.add(topic)
        for topic in self._joined - wanted:
            if await self._try(self._layer.group_discard(topic, channel)):
                self._joined.discard(topic)

    async def _announce(self) -> None:
        """Tell the processes that ingest what is watched here, so that uploaders hurry."""
        if topics := sorted(self._wanted):
            message = {"type": "bus.watching", "from": self._origin, "topics": topics}
            await self._try(self._layer.group_send(WATCHERS, message))

    async def _receive_frames(self, channel: str) -> None:
        while True:
            message = await self._layer.receive(channel)
            if message["from"] == self._origin:
                continue
            if message["type"] == "bus.frame":
                self._deliver(message["topic"], message["frame"])
            else:
                until = time.monotonic() + 2 * ANNOUNCE
                self._elsewhere.update(dict.fromkeys(message["topics"], until))

    async def _try(self, call: Awaitable[object]) -> bool:
        try:
            await asyncio.wait_for(call, TIMEOUT)
        except Exception:  # noqa: BLE001  the layer is only a hint: its failures are counted
            self.lost += 1
            return False
        return True
