"""Every component, readable in both themes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.conftest import Complaints
from tests.e2e.test_pages import violations
from tests.workers.serving import Serving


@pytest.fixture(scope="module")
def showing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("stories")
    with Serving(folder, "--no-worker", TIDELOG_STORIES="1") as serving:
        yield serving


class TestStories:
    def test_pass_axe_in_both_themes(self, showing: Serving, browser: Browser) -> None:
        context = browser.new_context(base_url=showing.url, reduced_motion="reduce")
        page = context.new_page()
        page.goto(showing.banner["sign_in_url"])
        complaints = Complaints()
        complaints.watch(page, showing.url)
        for theme in ("light", "dark"):
            context.add_cookies([{"name": "tidelog_theme", "value": theme, "url": showing.url}])
            page.goto("/_ui")
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            expect(page.get_by_role("button", name="Copy the command")).to_be_visible()
            assert violations(page) == []
        assert not complaints
        context.close()
