"""`make screenshots`: pictures of every page in docs/screenshots, taken from a site that is made for them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import reset_link
from tests.browser.site import DESKTOP, NAME, PHONE, chromium, log_in, run_site, visitor
from tests.pages import ROOT
from tests.system.installation import Installation, wait_for

FOLDER = ROOT / "docs" / "screenshots"
ASSETS, TICKETS = 30_000, 12_000


def take() -> None:
    """All scenes in light, in dark, and on a phone."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        run_site(Path(folder), ASSETS, TICKETS) as (installation, address),
        chromium() as browser,
    ):
        fill(installation, browser, address)
        link = reset_link(installation, browser, address)
        shoot(browser, address, link, "", viewport=DESKTOP)
        shoot(browser, address, link, "-dark", viewport=DESKTOP, color_scheme="dark")
        shoot(browser, address, link, "-phone", viewport=PHONE)


def fill(installation: Installation, browser: Browser, address: str) -> None:
    """Exports in several states, each come about as it does in life."""
    page = log_in(visitor(browser, address))
    order(page, "assets", "parquet")
    order(page, "tickets", "excel")
    worker = installation.start_worker()
    wait_for(
        lambda: not installation.rows("SELECT 1 FROM rowferry_export WHERE status <> 'completed'"), "The first exports"
    )
    installation.kill(worker)
    order(page, "tickets", "json")
    installation.change("UPDATE auth_user SET is_active = 0 WHERE username = ?", NAME)
    worker = installation.start_worker()
    wait_for(lambda: installation.rows("SELECT 1 FROM rowferry_export WHERE status = 'failed'"), "The failure")
    installation.change("UPDATE auth_user SET is_active = 1 WHERE username = ?", NAME)
    installation.kill(worker)
    order(page, "assets", "excel")
    installation.change("UPDATE auth_user SET is_staff = 1, is_superuser = 1 WHERE username = ?", NAME)


def order(page: Page, resource: str, kind: str) -> None:
    page.goto(f"/new/{resource}")
    page.locator(f"#format-{kind}").check()
    page.get_by_role("button", name="Export").click()
    page.wait_for_url("**/")


def shoot(browser: Browser, address: str, link: str, suffix: str, **how: Any) -> None:
    context = visitor(browser, address, **how)
    page = context.new_page()
    for name, public in {**PUBLIC, "password-choose": link}.items():
        page.goto(public)
        save(page, f"{name}{suffix}")
    page.close()
    page = log_in(context)
    for name, scene in SCENES.items():
        scene(page)
        save(page, f"{name}{suffix}")
    context.close()


def exports(page: Page) -> None:
    page.goto("/")


def one(page: Page) -> None:
    page.goto("/?status=completed")
    page.locator("article h2 a").first.click()
    page.wait_for_load_state()


def new(page: Page) -> None:
    page.goto("/new/assets")
    expect(page.locator("#line")).to_contain_text("because", timeout=60_000)
    before = str(page.locator("#line").text_content())
    page.locator(".pick", has_text="Status").locator("summary").click()
    page.get_by_label("In use").check()
    expect(page.locator("#line")).not_to_have_text(before, timeout=60_000)
    page.evaluate("window.scrollTo(0, 0)")


def columns(page: Page) -> None:
    page.evaluate("document.getElementById('columns-title').scrollIntoView()")


def preview(page: Page) -> None:
    page.evaluate("document.querySelector('.bar').scrollIntoView()")


def rows(page: Page) -> None:
    page.goto("/lists/assets")
    page.get_by_role("button", name="Name").click()
    for number in (2, 3, 5):
        page.locator("tbody input").nth(number).check()


def list_filters(page: Page) -> None:
    page.goto("/lists/tickets")
    page.locator("summary", has_text="Filters").click()
    page.locator(".pick", has_text="Priority").locator("summary").click()
    page.get_by_label("High").check()


def leaving(page: Page) -> None:
    page.goto("/lists/assets")
    page.get_by_role("button", name="Export what I see").click()


def tokens(page: Page) -> None:
    page.goto("/tokens")
    page.get_by_label("Name", exact=True).fill("nightly report")
    page.get_by_role("button", name="Make a token").click()


def admin(page: Page) -> None:
    page.goto("/admin/rowferry/export/")


def save(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


PUBLIC = {"login": "/login", "password-ask": "/password", "password-asked": "/password/asked"}
SCENES: dict[str, Callable[[Page], None]] = {
    "new-export": new,
    "columns": columns,
    "preview": preview,
    "my-exports": exports,
    "one-export": one,
    "list": rows,
    "list-filters": list_filters,
    "list-export": leaving,
    "tokens": tokens,
    "admin-exports": admin,
}

if __name__ == "__main__":
    take()
