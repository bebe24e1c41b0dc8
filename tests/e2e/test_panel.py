"""A panel over the whole page, its menu, and what a drag does."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.charts import painted, shown
from tests.e2e.conftest import Opener, Site
from tests.e2e.test_pages import violations

KEY = "val/accuracy"


class TestFullScreen:
    def test_opens_by_key_steps_by_arrows_and_returns(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        found = painted(page, "train/lr")
        box = page.locator(".sections")
        box.evaluate("box => box.scrollTo(0, 90)")
        found.locator("tl-lines").focus()
        scrolled = box.evaluate("box => box.scrollTop")
        page.keyboard.press("f")
        dialog = page.get_by_role("dialog", name="train/lr, full screen")
        expect(dialog.locator("tbody tr")).to_have_count(10)
        page.wait_for_url(re.compile("panel=train/lr"))
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("dialog", name="train/loss, full screen")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".full")).to_have_count(0)
        assert box.evaluate("box => box.scrollTop") == scrolled
        expect(found.locator("tl-lines")).to_be_focused()

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_is_a_link_and_its_table_sorts(self, site: Site, opened: Opener, theme: str) -> None:
        page = opened(f"{site.workspace}?panel={KEY}", theme=theme)
        rows = page.locator(".full tbody tr")
        expect(rows).to_have_count(10)
        page.locator(".full th[data-column=max] button").click()
        values = [float(text) for text in page.locator(".full td:last-child").all_inner_texts()]
        assert values == sorted(values, reverse=True)
        assert violations(page) == []


class TestMenu:
    def test_downloads_a_picture_and_a_table(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        found = painted(page, KEY)
        found.hover()
        more = found.get_by_role("button", name=f"More about {KEY}")
        more.click()
        with page.expect_download() as begun:
            page.get_by_role("button", name="Download CSV").click()
        lines = begun.value.path().read_text().splitlines()
        assert begun.value.suggested_filename == "val-accuracy.csv"
        assert lines[0] == "run,step,value,smoothed"
        assert len({line.split(",")[0] for line in lines[1:]}) == 10
        more.click()
        with page.expect_download() as begun:
            page.get_by_role("button", name="Download PNG").click()
        assert begun.value.path().read_bytes().startswith(b"\x89PNG")


class TestDrags:
    def test_shift_zooms_y_and_a_double_click_resets_it(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        found = painted(page, KEY)
        box = found.locator(".u-over").bounding_box()
        assert box is not None
        before = shown(found)["domain"]
        page.keyboard.down("Shift")
        page.mouse.move(box["x"] + 80, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 90, box["y"] + 40)
        page.mouse.move(box["x"] + 90, box["y"] + 60)
        page.mouse.up()
        page.keyboard.up("Shift")
        page.wait_for_function("p => p.lines.tall", arg=found.element_handle())
        assert shown(found)["domain"] == before
        found.locator(".u-over").dblclick()
        page.wait_for_function("p => !p.lines.tall", arg=found.element_handle())

    def test_ignoring_outliers_is_kept_in_the_address(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        painted(page, KEY)
        page.get_by_role("button", name="Ignore outliers").click()
        page.wait_for_url(re.compile("out=1"))
