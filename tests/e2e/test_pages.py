"""Every page: readable by everyone, quiet, light, and closed to strangers."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.charts import painted
from tests.e2e.conftest import Opener, Site

AXE = (Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js").read_text()
RUN = "tide-swift-119"
PAGES = {
    "home": "/",
    "team": "/{team}/",
    "start": "/start",
    "workspace": "/{team}/vit-imagenet/",
    "overview": f"/{{team}}/vit-imagenet/runs/{RUN}",
    "charts": f"/{{team}}/vit-imagenet/runs/{RUN}/charts",
    "logs": f"/{{team}}/vit-imagenet/runs/{RUN}/logs",
    "failed run": "/{team}/vit-imagenet/runs/fjord-plain-107/logs",
}
# Bytes on the wire of a first visit, compressed.
BUDGET = {"document": 20_000, "stylesheet": 20_000, "script": 90_000, "font": 90_000}


def violations(page: Page) -> list[str]:
    """Return what axe finds, in one line each."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def settle(page: Page, name: str) -> None:
    if name in {"workspace", "charts"}:
        painted(page, "val/accuracy")
    if name in {"logs", "failed run"}:
        page.locator(".log-line").first.wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
class TestEveryPage:
    def test_passes_axe_and_says_nothing_to_the_console(
        self, site: Site, opened: Opener, name: str, theme: str
    ) -> None:
        page = opened(PAGES[name].format(team=site.team), theme=theme)
        settle(page, name)
        assert page.locator("h1").count() == 1
        assert page.locator("html").get_attribute("data-theme") == theme
        assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
class TestDoor:
    def test_turns_a_wrong_password_away_in_a_sentence(
        self, site: Site, browser: Browser, theme: str
    ) -> None:
        context = browser.new_context(base_url=site.url, color_scheme=theme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto("/login?next=/start")
        page.get_by_label("E-mail").fill("nobody@example.org")
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
        assert violations(page) == []
        context.close()

    def test_says_that_nothing_is_here(self, opened: Opener, theme: str) -> None:
        page = opened("/nobody/nothing/", theme=theme, calm=False)
        expect(page.locator("h1")).to_have_text("There is nothing here that you can see")
        assert violations(page) == []


class TestSigningIn:
    def test_a_link_signs_in_once_and_not_for_a_prefetch(
        self, site: Site, browser: Browser, signed_in: Path
    ) -> None:
        link = site.serving.banner["sign_in_url"]
        context = browser.new_context()
        assert context.request.head(link).status == 204
        page = context.new_page()
        answer = page.goto(link)
        assert answer is not None
        assert answer.status == 410
        expect(page.locator("h1")).to_have_text("This link is used up")
        context.close()

    def test_a_stranger_is_sent_to_the_door_and_back(self, site: Site, browser: Browser) -> None:
        context = browser.new_context(base_url=site.url)
        page = context.new_page()
        page.goto(site.workspace)
        assert page.url == f"{site.url}/login?next=%2F{site.team}%2Fvit-imagenet%2F"
        context.close()


class TestTheme:
    def test_is_chosen_without_a_reload_and_kept(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        painted(page, "val/accuracy")
        light = background(page)
        page.get_by_role("button", name="Theme").click()
        page.get_by_role("menuitemradio", name="Dark").click()
        assert background(page) != light
        page.reload()
        assert background(page) != light


def background(page: Page) -> Any:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


class TestWeight:
    def test_a_first_visit_of_the_workspace_keeps_its_budget(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened("/start")
        sizes = dict.fromkeys(BUDGET, 0)

        def weigh(response: Any) -> None:
            kind = response.request.resource_type
            if kind in sizes:
                body = response.body()
                woff = response.url.endswith(".woff2")
                sizes[kind] += len(body) if woff else len(gzip.compress(body))

        page.context.on("response", weigh)
        fresh = page.context.new_page()
        fresh.goto(site.workspace)
        painted(fresh, "val/accuracy")
        assert all(0 < sizes[kind] <= most for kind, most in BUDGET.items()), sizes

    def test_files_are_sent_compressed_and_kept_for_ever(self, site: Site, opened: Opener) -> None:
        page = opened("/start")
        source = page.locator("script[type=module]").get_attribute("src")
        answer = page.request.get(f"{site.url}{source}")
        assert answer.headers["content-encoding"] == "gzip"
        assert "immutable" in answer.headers["cache-control"]


class TestStart:
    def test_becomes_the_live_chart_with_the_first_point(self, site: Site, opened: Opener) -> None:
        page = opened("/start")
        page.get_by_role("button", name="Create a key").click()
        command = page.locator("tl-copy[secret]")
        expect(command).to_contain_text("••••")
        command.get_by_role("button", name="Show key").click()
        expect(command).to_contain_text("tl_u")
        expect(page.locator("#waiting")).to_contain_text("Waiting")

        writer = site.writer("tide-first-001", "first")
        writer.open(name="tide-first-001", config={}, wall=0)
        writer.send(steps=[0, 1], times=[0, 1], series={"train/loss": [2.0, 1.5]})

        expect(page.locator("h1")).to_have_text("It works. tide-first-001 is live.")
        painted(page, "train/loss")
        page.get_by_role("link", name="Open workspace").click()
        assert page.url == f"{site.url}/{site.team}/first/"

    def test_offers_code_for_each_way_to_train(self, opened: Opener) -> None:
        page = opened("/start")
        page.get_by_role("tab", name="PyTorch").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Lightning")).to_be_focused()
        expect(page.get_by_role("tabpanel")).to_contain_text("L.Callback")
        assert violations(page) == []


class TestHome:
    def test_lists_what_was_viewed_last(self, site: Site, opened: Opener) -> None:
        writer = site.writer("seen", "seen")
        writer.open(name="seen", config={}, wall=1)
        page = opened(f"/{site.team}/seen/")
        page.goto(site.workspace)
        page.goto("/")
        names = [f"{site.team}/vit-imagenet", f"{site.team}/seen"]
        expect(page.locator("#recent a")).to_have_text(names)
        assert violations(page) == []


class TestLog:
    def test_shows_colours_collapses_progress_and_follows(self, site: Site, opened: Opener) -> None:
        writer = site.writer("talker", "talk")
        writer.open(name="talker", config={}, wall=1)
        writer.say("\x1b[31mred\x1b[0m plain\n10%\r100%\n", wall=1)
        writer.say("\n".join(f"line {i}" for i in range(2000)) + "\n", wall=2)
        page = opened(f"/{site.team}/talk/runs/talker/logs")
        expect(page.locator(".log-line").last).to_contain_text("line 1999")
        writer.say("the newest\n", wall=3)
        expect(page.locator(".log-line").last).to_contain_text("the newest")
        assert page.locator(".log-line").count() < 120

        page.locator("[data-log=search]").fill("line 12\\d\\d")
        page.locator("[data-log=next]").click()
        expect(page.locator("[data-log=found]")).to_have_text("1 of 100")
        expect(page.locator(".log-line.hit")).to_contain_text("line 1200")

    def test_counts_matches_and_steps_both_ways(self, site: Site, opened: Opener) -> None:
        page = opened(f"{site.workspace}runs/{RUN}/logs")
        page.locator(".log-line").first.wait_for()
        found = page.locator("[data-log=found]")
        page.get_by_label("Search the log").fill("^epoch")
        expect(found).to_have_text("46 matches")
        page.get_by_role("button", name="Previous match").click()
        expect(found).to_have_text("46 of 46")
        page.get_by_role("button", name="Next match").click()
        expect(found).to_have_text("1 of 46")
        page.get_by_label("Search the log").fill("(")
        expect(found).to_contain_text("Not a regular expression")

    def test_shows_only_what_is_serious_and_when(self, site: Site, opened: Opener) -> None:
        writer = site.writer("serious", "talk")
        writer.open(name="serious", config={}, wall=1000)
        writer.say("all is well\nUserWarning: slow disk\n", wall=1000)
        writer.say("Traceback:\n  File x\nValueError: no\n", wall=1252, fd=2)
        page = opened(f"/{site.team}/talk/runs/serious/logs")
        lines = page.locator(".log-line .t")
        expect(lines).to_have_count(5)
        page.get_by_label("Lines shown").select_option("warning")
        expect(lines).to_have_count(4)
        page.get_by_label("Lines shown").select_option("error")
        expect(lines).to_have_text(["Traceback:", "ValueError: no"])
        expect(page.locator("[data-log=count]")).to_have_text("2 of 5 lines")
        page.get_by_label("Times").select_option("since")
        expect(page.locator(".log-line .at").first).to_have_text("0:04:12")
        assert violations(page) == []

    def test_is_downloaded_whole_without_colours(self, site: Site, opened: Opener) -> None:
        writer = site.writer("long", "talk")
        writer.open(name="long", config={}, wall=1)
        writer.say("\x1b[31mred\x1b[0m\n" + "\n".join(map(str, range(12_000))) + "\n", wall=1)
        page = opened(f"/{site.team}/talk/runs/long/logs")
        with page.expect_download() as begun:
            page.get_by_role("link", name="Download").click()
        text = begun.value.path().read_text()
        assert begun.value.suggested_filename == "long.txt"
        assert text.splitlines() == ["red", *map(str, range(12_000))]

    def test_a_link_opens_at_its_line(self, site: Site, opened: Opener) -> None:
        page = opened(f"{site.workspace}runs/{RUN}/logs#L3")
        expect(page.locator(".log-line.target")).to_contain_text("val/accuracy")
        expect(page.locator(".ansi-green").first).to_have_text("100%")
