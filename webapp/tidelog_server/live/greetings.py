"""What pages have missed, read once for all that ask at the same time."""

import asyncio

from channels.db import database_sync_to_async

from tidelog_server.live import selectors
from tidelog_server.live.outbox import pack
from tidelog_server.live.places import Place

Question = tuple[Place, int]
Greeting = tuple[int, bytes]


class Greetings:
    """Answers pages that open; after a restart of the server all of them do, within a second.

    One reading of the database is under way at a time. Who asks meanwhile waits for the next one,
    together with everyone who has the same question: so no answer is older than its question,
    and five hundred pages of a project cost two readings.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting: dict[Question, asyncio.Task[Greeting]] = {}

    async def greet(self, place: Place, *, after: int) -> Greeting:
        """Return the present revision, and the message for a page that knows revision `after`."""
        question = place, after
        if question not in self._waiting:
            self._waiting[question] = asyncio.create_task(self._answer(question))
        # One page that goes away must not take the answer from the others.
        return await asyncio.shield(self._waiting[question])

    async def _answer(self, question: Question) -> Greeting:
        async with self._turn:
            del self._waiting[question]
            place, after = question
            rev, frames = await database_sync_to_async(selectors.greeting)(place, after=after)
            return rev, pack(frames)
