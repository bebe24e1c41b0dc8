"""What pages have missed, read once for all that ask at the same time."""

import asyncio
import threading
from uuid import uuid4

import pytest

from tidelog_server.live import selectors
from tidelog_server.live.greetings import Greetings
from tidelog_server.live.places import Place


class Database:
    """Stands for the reading, which can be made to take as long as a test needs."""

    def __init__(self):
        self.readings = 0
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def greeting(self, place, *, after):
        self.readings += 1
        self.begun.set()
        revision = self.readings
        assert self.may_go_on.wait(20)
        if after == 666:
            raise RuntimeError("a bug")
        return revision, [b"%d" % revision]


@pytest.fixture
def database(monkeypatch):
    made = Database()
    monkeypatch.setattr(selectors, "greeting", made.greeting)
    return made


@pytest.fixture
async def greetings():
    return Greetings()


PLACE = Place(uuid4())


async def first_reading(greetings, database):
    """Ask, and return once the database is being read."""
    database.may_go_on.clear()
    asking = asyncio.create_task(greetings.greet(PLACE, after=0))
    assert await asyncio.to_thread(database.begun.wait, 20)
    return asking


class TestGreetings:
    async def test_of_five_hundred_pages_are_two_readings(self, greetings, database):
        first = await first_reading(greetings, database)
        others = [asyncio.create_task(greetings.greet(PLACE, after=0)) for _ in range(500)]
        await asyncio.sleep(0)
        database.may_go_on.set()
        assert (await first)[0] == 1
        assert {rev for rev, _ in await asyncio.gather(*others)} == {2}
        assert database.readings == 2

    async def test_are_never_older_than_the_question(self, greetings, database):
        first = await first_reading(greetings, database)
        second = asyncio.create_task(greetings.greet(PLACE, after=0))
        await asyncio.sleep(0)
        database.may_go_on.set()
        assert ((await first)[0], (await second)[0]) == (1, 2)

    async def test_are_one_message_that_all_share(self, greetings, database):
        one, two = await asyncio.gather(*(greetings.greet(PLACE, after=0) for _ in range(2)))
        assert one[1] is two[1]

    async def test_of_different_revisions_are_different_readings(self, greetings, database):
        found = await asyncio.gather(*(greetings.greet(PLACE, after=rev) for rev in (0, 1)))
        assert {rev for rev, _ in found} == {1, 2}

    async def test_survive_a_page_that_goes_away(self, greetings, database):
        leaving = await first_reading(greetings, database)
        staying = asyncio.create_task(greetings.greet(PLACE, after=0))
        await asyncio.sleep(0)
        leaving.cancel()
        database.may_go_on.set()
        assert (await staying)[0] == 2

    async def test_that_fail_tell_everyone_and_the_next_one_is_read_again(
        self, greetings, database
    ):
        asked = [asyncio.create_task(greetings.greet(PLACE, after=666)) for _ in range(2)]
        for each in asked:
            with pytest.raises(RuntimeError):
                await each
        assert (await greetings.greet(PLACE, after=0))[0] == 2
