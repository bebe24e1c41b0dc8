"""A real server, a real browser, and what a page must never do."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from tests.e2e.seed import Writer, seed
from tests.workers.serving import Serving

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# A sandbox needs rights that a container lacks; the rest keeps the browser from calling home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PROJECT = "vit-imagenet"


class Site:
    """A server with a seeded project, and its running runs."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.url = serving.url
        self.team: str = serving.banner["team"]
        self.key: str = serving.banner["api_key"]
        self.running = seed(self.url, self.key, f"{self.team}/{PROJECT}", points_each=600)

    @property
    def workspace(self) -> str:
        return f"/{self.team}/{PROJECT}/"

    def writer(self, run: str, project: str) -> Writer:
        return Writer(self.url, self.key, f"{self.team}/{project}", run)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Serving(tmp_path_factory.mktemp("e2e"), "--no-worker") as serving:
        yield Site(serving)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(site: Site, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sign the owner in by the banner's link; returns the browser's cookies as a file."""
    kept = tmp_path_factory.mktemp("cookies") / "state.json"
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.serving.banner["sign_in_url"])
    assert page.url == f"{site.url}/"
    context.storage_state(path=kept)
    context.close()
    return kept


class Complaints(list[str]):
    """What a page's console said and whom else it asked; must be empty at the end."""

    def watch(self, page: Page, url: str) -> None:
        own = urlsplit(url).netloc
        page.on("pageerror", lambda error: self.append(f"error: {error}"))
        page.on("console", self._heard)
        page.on("request", lambda request: self._asked(request.url, own))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.append(f"{message.type}: {message.text}")

    def _asked(self, url: str, own: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != own:
            self.append(f"another host: {url}")


Opener = Callable[..., Page]


@pytest.fixture
def opened(site: Site, browser: Browser, signed_in: Path) -> Iterator[Opener]:
    """Open pages as the signed-in owner; afterwards none may have complained."""
    contexts: list[BrowserContext] = []
    complaints = Complaints()

    def open_page(path: str, *, theme: str = "light", calm: bool = True, **options: Any) -> Page:
        context = browser.new_context(
            storage_state=signed_in,
            base_url=site.url,
            viewport=options.pop("viewport", {"width": 1440, "height": 900}),
            reduced_motion="reduce",
            **options,
        )
        context.add_cookies([{"name": "tidelog_theme", "value": theme, "url": site.url}])
        context.set_default_timeout(8_000)
        contexts.append(context)
        page = context.new_page()
        if calm:
            complaints.watch(page, site.url)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
