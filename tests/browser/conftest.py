"""A live server on the test database, and Debian's Chromium against it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.browser import stage as staging
from tests.browser.stage import Stage

PHONE_SIZE = {"width": 360, "height": 740}
DESK_SIZE = {"width": 1280, "height": 800}
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def chromium() -> str:
    names = (os.environ.get("CHROMIUM", "chromium"), "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.fail("Chromium is missing. Install it: apt-get install chromium (or set CHROMIUM).")
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=chromium(), args=QUIET)


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """The application writes its own line for each request."""


@pytest.fixture(scope="session")
def address(made_app: Flask) -> Iterator[str]:
    """The application behind a real socket, in threads of this process."""
    server = make_server("127.0.0.1", 0, made_app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def stage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Stage:
    # A browser sends the token that the page gave it: here it is checked as in production.
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    return staging.build(app)


OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def opener(request: pytest.FixtureRequest, playwright: Playwright) -> Iterator[Browser]:
    """The browser that the test's contexts are of: one of its own where a service worker is needed.

    Chromium now and then never closes a context whose service worker is just at work
    (https://github.com/puppeteer/puppeteer/issues/11627): such a browser ends as a whole.
    """
    if request.node.get_closest_marker("service_worker") is None:
        yield request.getfixturevalue("browser")
        return
    own = launch(playwright)
    yield own
    own.close()


@pytest.fixture
def context_with(request: pytest.FixtureRequest, opener: Browser, address: str) -> Iterator[OpenContext]:
    """Make a context; Vietnamese on a phone unless told otherwise. What goes wrong inside a page fails the test."""
    made: list[BrowserContext] = []
    wrong: list[str] = []
    with_worker = request.node.get_closest_marker("service_worker") is not None
    usual = {
        "viewport": PHONE_SIZE,
        "locale": "vi-VN",
        "base_url": address,
        "service_workers": "allow" if with_worker else "block",
    }

    def make(**options: object) -> BrowserContext:
        context = opener.new_context(**usual | options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        context.on("weberror", lambda error: wrong.append(f"script: {error.error}"))
        context.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        made.append(context)
        return context

    yield make
    if not with_worker:
        for context in made:
            context.close()
    assert wrong == []


@pytest.fixture
def page(context_with: OpenContext) -> Page:
    return context_with().new_page()
