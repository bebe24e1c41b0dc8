"""A run's page: change what may be changed, find a key, see what was lost, delete."""

import re
import time

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.conftest import Opener, Site
from tests.e2e.test_pages import violations

from tidelog.wire.frames import FrameType


def a_run(site: Site, run: str) -> str:
    """Make a run and return its page's path."""
    writer = site.writer(run, "edited")
    config = {"lr": 0.1, "opt/name": "adam", **{f"data/{i}": i for i in range(8)}}
    writer.open(name=run, config=config, wall=time.time())
    writer.send(steps=[0], times=[time.time()], series={"loss": [1.0]})
    return f"/{site.team}/edited/runs/{run}"


def field(page: Page, name: str) -> tuple[str, str]:
    return f"tl-edit[field={name}] [data-shown]", f"tl-edit[field={name}] .input"


class TestEditing:
    def test_enter_saves_escape_restores_and_undo_takes_back(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(a_run(site, "named"))
        shown, box = field(page, "name")
        page.get_by_role("button", name="Edit name").click()
        page.locator(box).fill("nothing")
        page.keyboard.press("Escape")
        expect(page.locator(shown)).to_have_text("named")

        page.keyboard.press("Enter")  # the focus is back on the button
        page.locator(box).fill("better-name")
        page.keyboard.press("Enter")
        expect(page.locator(shown)).to_have_text("better-name")
        expect(page.locator(".toast")).to_contain_text("Renamed to better-name.")
        assert violations(page) == []

        page.get_by_role("button", name="Undo").click()
        expect(page.locator(shown)).to_have_text("named")
        page.reload()
        expect(page.locator("h1")).to_have_text("named")

    def test_what_the_server_refuses_comes_back_in_a_sentence(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(a_run(site, "refused"), calm=False)
        page.route("**/runs/refused", lambda route: route.abort())
        page.get_by_role("button", name="Edit name").click()
        page.locator(field(page, "name")[1]).fill("other")
        page.keyboard.press("Enter")
        expect(page.locator(".toast")).to_contain_text("Could not save.")
        expect(page.locator("h1")).to_have_text("refused")

    def test_tags_and_notes(self, site: Site, opened: Opener) -> None:
        page = opened(a_run(site, "noted"))
        page.get_by_role("button", name="Edit tags").click()
        page.locator(field(page, "tags")[1]).fill("base, sweep 3")
        page.keyboard.press("Enter")
        expect(page.locator(".tag")).to_have_text(["base", "sweep 3"])

        page.get_by_role("button", name="Edit notes").click()
        page.locator(field(page, "notes")[1]).fill("**warm** <img src=x onerror=alert(1)>")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".prose strong")).to_have_text("warm")
        expect(page.locator(".prose img")).to_have_count(0)

        other = opened(f"/{site.team}/edited/runs/noted")
        expect(other.locator(".tag")).to_have_text(["base", "sweep 3"])
        expect(other.locator("#live-text")).to_have_text("Live")
        page.get_by_role("button", name="Edit tags").click()
        page.locator(field(page, "tags")[1]).fill("late")
        page.keyboard.press("Enter")
        expect(other.locator(".tag")).to_have_text(["late"])


class TestConfig:
    def test_is_a_tree_that_can_be_searched(self, site: Site, opened: Opener) -> None:
        page = opened(a_run(site, "treed"))
        expect(page.locator("#config .group")).to_have_count(2)
        page.get_by_label("Find in the config").fill("adam")
        expect(page.locator("#config .leaf:visible")).to_have_text(
            re.compile("name.*adam", re.DOTALL)
        )
        page.get_by_label("Find in the config").fill("no such thing")
        expect(page.get_by_text("Nothing in the config matches.")).to_be_visible()


class TestLosses:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_are_told_on_the_page(self, site: Site, opened: Opener, theme: str) -> None:
        path = a_run(site, f"lossy-{theme}")
        writer = site.writer(f"lossy-{theme}", "edited")
        writer.next = 5
        record = (FrameType.DROPPED, {"t": 1, "n": 1204, "why": "disk_full"})
        writer.send(records=[record])
        page = opened(path, theme=theme)
        expect(page.locator("#losses")).to_have_text(
            "1,204 points were not recorded: the disk was full."
        )
        assert violations(page) == []


class TestMenu:
    def test_copies_and_deletes_after_saying_what_goes(self, site: Site, opened: Opener) -> None:
        page = opened(a_run(site, "doomed"), permissions=["clipboard-read", "clipboard-write"])
        more = page.get_by_role("button", name="More about this run")
        more.click()
        page.get_by_role("button", name="Copy resume command").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == "TIDELOG_RUN_ID=doomed python train.py"
        more.click()
        page.get_by_role("button", name="Delete run").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("1 point of 1 metric")
        assert violations(page) == []
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        more.click()
        page.get_by_role("button", name="Delete run").click()
        dialog.get_by_role("button", name="Delete run").click()
        page.wait_for_url(f"**/{site.team}/edited/")
        expect(page.locator('.run-row[data-run="doomed"]')).to_have_count(0)
