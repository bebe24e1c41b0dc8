"""A page's conversation with the server."""

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.sessions.models import Session
from tests.server.live.conftest import cookie_of, floats

from tidelog_server.accounts.models import Membership
from tidelog_server.core import bus
from tidelog_server.live import consumers, hub, selectors
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.services import delete_run, reap_silent_runs


@pytest.fixture
def alice(harbour):
    return cookie_of(harbour.alice)


@pytest.fixture
def run(harbour):
    """A run with two points."""
    harbour.open("r1")
    harbour.log("r1", loss=0.5)
    harbour.log("r1", loss=0.25)
    return "r1"


@pytest.fixture
def quick_watcher(monkeypatch):
    monkeypatch.setattr(hub, "WATCH_EVERY", 0.05)


class TestHello:
    async def test_brings_rows_newer_than_the_page_knows(self, harbour, alice, run, pages):
        page = pages(harbour.path(), alice)
        await page.open()
        hello = await page.resume(rev=0)
        assert [row["id"] for row in hello["runs"]] == ["r1"]
        assert hello["rev"] == 3

    async def test_brings_no_row_to_a_page_that_knows_it(self, harbour, alice, run, pages):
        page = pages(harbour.path(), alice)
        await page.open()
        assert (await page.resume(rev=3))["runs"] == []

    async def test_says_how_many_points_running_runs_have(self, harbour, alice, run, pages):
        page = pages(harbour.path(), alice)
        await page.open()
        assert (await page.resume(rev=3))["series"] == {"r1": {"loss": 2}}

    async def test_says_nothing_of_the_points_of_ended_runs(self, harbour, alice, run, pages):
        await sync_to_async(harbour.finish)("r1")
        page = pages(harbour.path(), alice)
        await page.open()
        assert (await page.resume(rev=0))["series"] == {}

    async def test_starts_afresh_for_a_page_from_the_future(self, harbour, alice, run, pages):
        page = pages(harbour.path(), alice)
        await page.open()
        hello = await page.resume(rev=999)
        assert [row["id"] for row in hello["runs"]] == ["r1"]
        assert hello["rev"] == 3

    async def test_on_a_run_s_page_is_of_that_run_only(self, harbour, alice, run, pages):
        await sync_to_async(harbour.open)("r2")
        page = pages(harbour.path("r1"), alice)
        await page.open()
        assert [row["id"] for row in (await page.resume())["runs"]] == ["r1"]

    async def test_tells_that_a_run_is_gone(self, harbour, alice, run, pages):
        await sync_to_async(lambda: delete_run(run=Run.objects.get()))()
        page = pages(harbour.path(), alice)
        await page.open()
        assert (await page.resume(rev=3))["runs"] == []
        assert (await page.next("gone"))["run"] == "r1"


class TestForwarding:
    async def test_brings_points_as_they_are_stored(self, harbour, alice, run, pages):
        page = pages(harbour.path(), alice)
        await page.open()
        await page.resume(rev=3)
        await sync_to_async(harbour.log)("r1", loss=0.125)
        header, columns = await page.next_whole("points")
        assert header["run"] == "r1"
        assert header["series"] == [{"key": "loss", "axis": 0, "n": 1, "total": 3}]
        assert floats(columns) == [3.0, 3.0, 0.125]

    async def test_brings_the_row_that_changed(self, harbour, alice, run, pages):
        page = pages(harbour.path("r1"), alice)
        await page.open()
        await page.resume(rev=3)
        await sync_to_async(harbour.finish)("r1")
        assert (await page.next("run"))["run"]["state"] == "finished"

    async def test_brings_nothing_of_another_run_to_a_run_s_page(self, harbour, alice, run, pages):
        await sync_to_async(harbour.open)("r2")
        page = pages(harbour.path("r1"), alice)
        await page.open()
        await page.resume(rev=4)
        await sync_to_async(harbour.log)("r2", loss=1.0)
        await sync_to_async(harbour.log)("r1", loss=2.0)
        assert (await page.next("points"))["run"] == "r1"

    async def test_makes_uploaders_hurry_while_the_page_is_open(self, harbour, alice, run, pages):
        page = pages(harbour.path(), alice)
        await page.open()
        await page.resume()
        assert bus.watched(harbour.project.topic)
        await page.leave()
        assert not bus.watched(harbour.project.topic)


class TestWatcher:
    """What is published may be lost; what is stored is found."""

    async def test_brings_rows_and_totals_that_were_never_published(
        self, harbour, alice, run, pages, quick_watcher, monkeypatch
    ):
        page = pages(harbour.path(), alice)
        await page.open()
        await page.resume(rev=3)
        monkeypatch.setattr(bus, "publish", lambda *_: None)
        await sync_to_async(harbour.log)("r1", loss=0.125)
        healed = await page.next("hello")
        assert [row["rev"] for row in healed["runs"]] == [4]
        assert healed["series"] == {"r1": {"loss": 3}}

    async def test_says_nothing_of_what_was_seen(
        self, harbour, alice, run, pages, quick_watcher, monkeypatch
    ):
        page = pages(harbour.path(), alice)
        await page.open()
        await page.resume(rev=3)
        await sync_to_async(harbour.log)("r1", loss=0.125)
        await page.next("run")
        with monkeypatch.context() as silent:
            silent.setattr(bus, "publish", lambda *_: None)
            await sync_to_async(harbour.open)("r2")
        assert [row["id"] for row in (await page.next("hello"))["runs"]] == ["r2"]

    async def test_finds_what_another_process_did(
        self, harbour, alice, run, pages, quick_watcher, monkeypatch
    ):
        page = pages(harbour.path("r1"), alice)
        await page.open()
        await page.resume(rev=3)
        monkeypatch.setattr(bus, "publish", lambda *_: None)
        await sync_to_async(reap_silent_runs)(seconds=0)
        assert (await page.next("hello"))["runs"][0]["state"] == "crashed"


class DeadLayer:
    """A channel layer whose Redis is gone."""

    async def fail(self, *_: object) -> None:
        raise ConnectionError("Redis is gone")

    new_channel = receive = group_add = group_discard = group_send = fail


class TestDeadChannelLayer:
    async def test_keeps_no_page_from_the_past_and_from_what_happens_here(
        self, harbour, alice, run, pages
    ):
        before = channel_layers.set("default", DeadLayer())
        try:
            page = pages(harbour.path(), alice)
            await page.open()
            assert (await page.resume(rev=3))["series"] == {"r1": {"loss": 2}}
            await sync_to_async(harbour.log)("r1", loss=0.125)
            assert (await page.next("points"))["run"] == "r1"
        finally:
            channel_layers.set("default", before)


class TestClosing:
    async def test_of_a_stranger_is_4404_before_any_data(self, harbour, run, pages):
        cookie = await sync_to_async(cookie_of)(harbour.charlie)
        page = pages(harbour.path(), cookie)
        assert await page.open()
        assert await page.close_code() == 4404

    async def test_of_a_missing_project_looks_the_same(self, harbour, alice, pages):
        page = pages("/ws/v1/harbour/nothing/", alice)
        assert await page.open()
        assert await page.close_code() == 4404

    async def test_of_one_who_is_not_signed_in_is_4401(self, harbour, run, pages):
        page = pages(harbour.path(), b"")
        assert await page.open()
        assert await page.close_code() == 4401

    async def test_spares_a_colleague(self, harbour, run, pages):
        page = pages(harbour.path(), await sync_to_async(cookie_of)(harbour.bob))
        await page.open()
        assert (await page.resume())["runs"]

    async def test_of_one_who_signs_out_is_4401(self, harbour, alice, run, pages, monkeypatch):
        monkeypatch.setattr(consumers, "CHECK_EVERY", 0.05)
        page = pages(harbour.path(), alice)
        await page.open()
        await page.resume()
        await sync_to_async(Session.objects.all().delete)()
        assert await page.close_code() == 4401

    async def test_of_a_removed_member_is_4404(self, harbour, run, pages, monkeypatch):
        monkeypatch.setattr(consumers, "CHECK_EVERY", 0.05)
        page = pages(harbour.path(), await sync_to_async(cookie_of)(harbour.bob))
        await page.open()
        await page.resume()
        await sync_to_async(Membership.objects.filter(user=harbour.bob).delete)()
        assert await page.close_code() == 4404

    async def test_of_one_who_talks_nonsense_is_4400(self, harbour, alice, run, pages):
        page = pages(harbour.path(), alice)
        await page.open()
        await page.say('{"type":"resume","rev":"x"}')
        assert await page.close_code() == 4400

    async def test_comes_before_accepting_for_a_page_of_another_site(
        self, harbour, alice, run, pages
    ):
        page = pages(harbour.path(), alice, origin="http://evil.example")
        assert not await page.open()

    async def test_of_a_conversation_that_broke_is_1011(
        self, harbour, alice, run, pages, monkeypatch
    ):
        def broken(*_args: object, **_kwargs: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(selectors, "greeting", broken)
        page = pages(harbour.path(), alice)
        await page.open()
        await page.say('{"type":"resume","rev":0}')
        assert await page.close_code() == 1011
