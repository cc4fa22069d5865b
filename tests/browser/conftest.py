"""One site and one Chromium for all tests of this folder; each test gets a visitor of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.site import chromium, log_in, run_site, visitor
from tests.system.installation import Installation

ASSETS, TICKETS = 30_000, 300


@pytest.fixture(scope="package")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, str]]:
    with run_site(tmp_path_factory.mktemp("site"), ASSETS, TICKETS) as started:
        yield started


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ended with the folder: as long as it runs there is an event loop, in which Django refuses to use a database."""
    with chromium() as started:
        yield started


@pytest.fixture
def installation(running_site: tuple[Installation, str]) -> Installation:
    return running_site[0]


@pytest.fixture
def worker(installation: Installation) -> Iterator[None]:
    """A worker for as long as the test lasts."""
    process = installation.start_worker()
    yield
    installation.kill(process)


def is_complaint(said: ConsoleMessage) -> bool:
    """A form that is refused is no fault of the page, nor is a question that is left behind with it."""
    expected = ("status of 422", "htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
    return said.type == "error" and not any(text in said.text for text in expected)


@pytest.fixture
def page(running_site: tuple[Installation, str], browser: Browser) -> Iterator[Page]:
    """The list of exports, logged in. Whatever the browser complains about fails the test."""
    complaints: list[str] = []
    context = visitor(browser, running_site[1])
    context.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield log_in(context)
    context.close()
    assert complaints == []
