"""A site to look at: an installation with people, rows and processes, and a browser in front of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.services.packages import find_program
from tests.system.installation import Installation, create_installation

NAME, PASSWORD, EMAIL = "olga.owner", "correct horse", "olga@example.com"
RUN = "from rowferry.cli.main import run; run()"
ROOM = {"ROWFERRY_EXPORTS_PER_MINUTE": "1000", "ROWFERRY_PREVIEWS_PER_MINUTE": "1000"}
"""Tests ask faster than people."""
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1180, "height": 860}


@contextmanager
def run_site(folder: Path, assets: int, tickets: int, **settings: str) -> Iterator[tuple[Installation, str]]:
    """The installation and its address; web and scheduler run, a worker does not yet."""
    with create_installation(folder, assets, **ROOM, **settings) as installation:
        installation.command("seed_tickets", f"--tickets={tickets}")
        create_user(installation, NAME, EMAIL)
        installation.start_scheduler()
        yield installation, installation.start_web()


def create_user(installation: Installation, name: str, email: str) -> None:
    """Somebody with PASSWORD, who may export everything."""
    wish = ["user", name, "--email", email, "--password", PASSWORD]
    subprocess.run([sys.executable, "-c", RUN, *wish], env=installation.environment, check=True, capture_output=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_program("chromium", "chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def visitor(browser: Browser, address: str, **how: Any) -> BrowserContext:
    """Somebody who is not logged in; `how` as Playwright's contexts take it (color_scheme, viewport, …)."""
    return browser.new_context(base_url=address, **{"viewport": DESKTOP, "locale": "en-GB"} | how)


def log_in(context: BrowserContext) -> Page:
    """Through the form, as anybody does; then on the list."""
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    return page
