"""Search and commands, by keyboard."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.charts import painted
from tests.e2e.conftest import Opener, Site
from tests.e2e.test_pages import violations


class TestSearch:
    def test_is_fetched_on_first_use(self, site: Site, opened: Opener) -> None:
        page = opened("/start")
        loaded = "performance.getEntriesByType('resource').some(e => e.name.includes('command'))"
        assert not page.evaluate(loaded)
        page.keyboard.press("Control+k")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate(loaded)

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_finds_runs_metrics_and_projects(self, site: Site, opened: Opener, theme: str) -> None:
        page = opened(site.workspace, theme=theme)
        painted(page, "val/accuracy")
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Search").fill("tide-sw")
        expect(page.get_by_role("option", name="tide-swift-119")).to_be_visible()
        page.get_by_role("combobox", name="Search").fill("loss")
        expect(page.get_by_role("group", name="Metrics").get_by_role("option")).to_have_count(2)
        assert violations(page) == []
        page.get_by_role("combobox", name="Search").fill("imagenet")
        expect(page.get_by_role("group", name="Projects").get_by_role("option")).to_have_count(1)

    def test_the_arrows_choose_enter_opens_and_it_is_recent_then(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(site.workspace)
        page.locator("#open-find").click()
        page.keyboard.type("swell-amber")
        option = page.get_by_role("option", name="swell-amber-114")
        expect(option).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/swell-amber-114")
        page.keyboard.press("Control+k")
        recent = page.get_by_role("group", name="Recent").get_by_role("option")
        expect(recent).to_have_text([re.compile("swell-amber-114")])

    def test_commands_alone_after_an_angle_and_escape_returns_the_focus(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(site.workspace)
        page.locator("#open-find").focus()
        page.keyboard.press("Enter")
        page.get_by_role("combobox", name="Search").fill("> dark")
        expect(page.locator(".option")).to_have_text(["Toggle dark theme"])
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.keyboard.press("Control+k")
        page.keyboard.press("Escape")
        expect(page.locator("#open-find")).to_be_focused()
