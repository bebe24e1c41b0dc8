"""Conversations with open pages: what a page has missed, then the rest as it happens."""

import asyncio
import logging
import random
from typing import Any, ClassVar

import orjson
from channels.db import database_sync_to_async
from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError

from tidelog_server.core import gate
from tidelog_server.core.errors import ApiError
from tidelog_server.core.gate import Action, Opens, Unauthenticated
from tidelog_server.live.hub import hub
from tidelog_server.live.origin import is_ours
from tidelog_server.live.outbox import Outbox, SlowReader
from tidelog_server.live.places import Place
from tidelog_server.live.visitor import caller_now
from tidelog_server.tracking.models import Project, Run

logger = logging.getLogger(__name__)
SIGNED_OUT, UNKNOWN, SLOW, BAD_REQUEST = 4401, 4404, 4008, 4400
BROKEN, TRY_AGAIN = 1011, 1013
CHECK_EVERY = 14.0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """One page and one place.

    The page says which revision it knows; it is told what came since, then everything as it
    happens. The place is joined before the past is read, so no frame falls between the two; one
    can come twice that way, and the page drops it by its totals and revisions. The caller's right
    to be here is asked again every few seconds.
    """

    # The hub joins a topic once for the process. With a channel of its own each socket would hold
    # a connection to Redis, and would end with it.
    channel_layer_alias = "none"
    opens: ClassVar[Opens]
    place: Place | None = None
    pumping: "asyncio.Task[None] | None" = None

    def place_of(self, found: Any) -> Place:
        raise NotImplementedError

    async def connect(self) -> None:
        if not is_ours(self.scope):
            raise DenyConnection
        await self.accept()
        found = await self.admitted()
        if found is not None:
            self.place = self.place_of(found)

    async def admitted(self) -> Any:
        """Return what the address names, or close and return None."""
        try:
            caller = await caller_now(self.scope)
            kwargs = self.scope["url_route"]["kwargs"]
            return await database_sync_to_async(gate.check)(caller, self.opens, "GET", kwargs)
        except Unauthenticated:
            await self.close(SIGNED_OUT)
        except ApiError:
            # Not found and not allowed look alike from outside.
            await self.close(UNKNOWN)
        return None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Begin when the page says what it knows; it has nothing else to say."""
        known = _known_revision(text_data)
        if known is None:
            await self.close(BAD_REQUEST)
        elif self.place is not None and self.pumping is None:
            self.pumping = asyncio.create_task(self.converse(self.place, known))

    async def converse(self, place: Place, known: int) -> None:
        outbox = Outbox(self.send_binary)
        hub().join(place, outbox)
        try:
            await self.catch_up(place, known)
            async with asyncio.TaskGroup() as together:
                together.create_task(outbox.pump())
                together.create_task(self.check_rights())
        except* SlowReader:
            await self.close(SLOW)
        except* DatabaseError:
            await self.close(TRY_AGAIN)
        except* (_Left, OSError):  # it was closed, by us or by the other end
            pass
        except* Exception:
            # Whatever broke, a page that hears nothing more must not look live: it comes back.
            logger.exception("a conversation about %s broke", place)
            await self.close(BROKEN)
        finally:
            hub().leave(place, outbox)

    async def catch_up(self, place: Place, known: int) -> None:
        rev, message = await hub().greetings.greet(place, after=known)
        await self.send_binary(message)
        hub().caught_up(place, rev)

    async def check_rights(self) -> None:
        while True:
            # Not all at once: pages that came together after a restart would ask together, too.
            await asyncio.sleep(CHECK_EVERY * random.uniform(0.8, 1.2))
            if await self.admitted() is None:
                raise _Left

    async def send_binary(self, message: bytes) -> None:
        await self.send(bytes_data=message)

    async def disconnect(self, code: int) -> None:
        if self.pumping is not None:
            self.pumping.cancel()


class ProjectConsumer(LiveConsumer):
    opens = Opens("project", {"GET": Action.READ})

    def place_of(self, found: Project) -> Place:
        return Place(found.pk)


class RunConsumer(LiveConsumer):
    opens = Opens("run", {"GET": Action.READ})

    def place_of(self, found: Run) -> Place:
        return Place(found.project_id, found.pk)


class _Left(Exception):
    """The socket was closed because its caller may no longer read here."""


def _known_revision(text: str | None) -> int | None:
    try:
        message = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return None
    match message:
        case {"type": "resume", "rev": int(rev)} if rev >= 0:
            return rev
    return None
