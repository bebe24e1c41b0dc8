"""The fan-out of one process: from what is published to the sockets that are open here."""

import asyncio
import logging
from contextlib import suppress
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from tidelog_server.core import bus
from tidelog_server.live import selectors
from tidelog_server.live.circle import Circle
from tidelog_server.live.frames import shows
from tidelog_server.live.greetings import Greetings
from tidelog_server.live.outbox import Outbox
from tidelog_server.live.places import Place
from tidelog_server.live.shown import Shown

logger = logging.getLogger(__name__)
WATCH_EVERY = 2.0


class Hub:
    """Sockets by what they show. Everything happens on one event loop.

    What is published reaches them as it is. A watcher compares each project's revision with what
    was shown, and shows the rest: so a page is right within seconds even when the channel layer
    is down, when another process stored the change, or when a frame was lost.
    """

    def __init__(self) -> None:
        self.greetings = Greetings()
        self._loop = asyncio.get_running_loop()
        self._circles: dict[Place, Circle] = {}
        self._places: dict[str, Place] = {}
        self._shown: dict[Place, Shown] = {}
        self._watcher: asyncio.Task[None] | None = None

    @property
    def sockets(self) -> int:
        """How many there are, whatever they show."""
        return sum(len(circle.outboxes) for circle in list(self._circles.values()))

    def join(self, place: Place, outbox: Outbox) -> None:
        if place not in self._circles:
            self._circles[place] = Circle()
            self._places[place.topic] = place
            bus.listen(place.topic, self._heard)
        self._circles[place].outboxes.add(outbox)

    def leave(self, place: Place, outbox: Outbox) -> None:
        circle = self._circles.get(place)
        if circle is not None:
            circle.outboxes.discard(outbox)
            if not circle.outboxes:
                self._forget(place)
        if not self._circles and self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    def _forget(self, place: Place) -> None:
        bus.unlisten(place.topic, self._heard)
        del self._circles[place], self._places[place.topic]
        self._shown.pop(place, None)

    def caught_up(self, place: Place, rev: int) -> None:
        """Watch a place from `rev` on, which one of its sockets has just been told."""
        if place in self._circles:
            self._shown.setdefault(place, Shown(rev))
            if self._watcher is None or self._watcher.done():
                self._watcher = self._loop.create_task(self._watch())

    def _heard(self, topic: str, frame: bytes) -> None:
        """Take a frame from the publisher's thread to the loop's."""
        with suppress(RuntimeError):  # the loop is closed: the process is about to end
            self._loop.call_soon_threadsafe(self._deliver, topic, frame)

    def _deliver(self, topic: str, frame: bytes) -> None:
        place = self._places.get(topic)
        if place is None:
            return
        if place in self._shown and (row := shows(frame)):
            self._shown[place].saw(*row)
        self._put(place, frame)

    def _put(self, place: Place, frame: bytes) -> None:
        if place in self._circles:
            self._circles[place].put(frame)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            try:
                await self._show_missed()
            except DatabaseError as error:
                logger.warning("the database did not answer the watcher: %s", error)

    async def _show_missed(self) -> None:
        projects = {place.project for place in self._shown}
        revs = await database_sync_to_async(selectors.revisions)(projects)
        for place, shown in list(self._shown.items()):
            if revs.get(place.project, 0) > shown.known:
                await self._show_changes(place, shown, revs[place.project])

    async def _show_changes(self, place: Place, shown: Shown, rev: int) -> None:
        changes = await database_sync_to_async(selectors.changes)(place, after=shown.known)
        lacking = [change for change in changes if shown.lacks(change.run_id, change.rev)]
        for frame in await database_sync_to_async(selectors.missed)(lacking, rev=rev):
            self._put(place, frame)
        shown.saw_all(rev)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


def open_sockets() -> int:
    """Return how many sockets are open in this process."""
    return sum(hub.sockets for hub in list(_hubs.values()))
