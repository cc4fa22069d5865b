"""What people do on the pages, in one word each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Download, Locator, Page, expect

from tests.browser.site import EMAIL, visitor
from tests.system.installation import Installation, wait_for

SLOW = 60_000
"""Milliseconds that something may take on a busy machine."""


def open_form(page: Page, resource: str = "assets") -> None:
    """The form, once it has counted."""
    page.goto(f"/new/{resource}")
    expect(line(page)).to_contain_text("because", timeout=SLOW)


@contextmanager
def without_javascript(page: Page) -> Iterator[Page]:
    """Another page of the same person, in a browser that runs no script."""
    plain = page.context.browser.new_context(
        base_url=page.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    yield plain.new_page()
    plain.close()


def line(page: Page) -> Locator:
    return page.locator("#line")


def pick(page: Page, label: str) -> Locator:
    """The list of a filter, opened."""
    found = page.locator("details.pick").filter(has=page.locator("summary", has_text=label))
    if not found.evaluate("one => one.open"):
        found.locator("summary").click()
    return found


def unfold(page: Page, title: str) -> None:
    page.locator("details.more summary", has_text=title).click()


def queue(page: Page, resource: str = "assets", kind: str = "csv") -> Locator:
    """Order an export through the queue; its card."""
    open_form(page, resource)
    page.locator(f"#format-{kind}").check()
    unfold(page, "Delivery")
    page.get_by_label("Put it in the queue").check()
    page.get_by_role("button", name="Export", exact=True).click()
    page.wait_for_url("**/")
    return newest(page)


def newest(page: Page) -> Locator:
    """The card of the newest export, by its own id, so that it stays itself when others come."""
    key = page.locator("article h2").first.get_attribute("id")
    return page.locator(f"article[aria-labelledby='{key}']")


def columns(page: Page) -> list[str]:
    return [str(row.get_attribute("data-name")) for row in page.locator("#chosen li").all()]


@contextmanager
def collect_downloads(page: Page) -> Iterator[list[Download]]:
    """What is downloaded meanwhile."""
    got: list[Download] = []
    with page.expect_download(timeout=SLOW) as coming:
        yield got
    got.append(coming.value)


def reset_link(installation: Installation, browser: Browser, address: str, email: str = EMAIL) -> str:
    """Ask for a new password as one who has forgotten it; where the link in the mail leads."""
    before = set(installation.mails())
    context = visitor(browser, address)
    page = context.new_page()
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E").first.fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    context.close()
    wait_for(lambda: set(installation.mails()) - before, "The mail with the link")
    return next(link for mail in set(installation.mails()) - before for link in links(mail))


def links(mail: bytes) -> Iterator[str]:
    """The paths of a mail's links to a new password."""
    for part in message_from_bytes(mail).walk():
        if part.get_content_type() == "text/plain":
            text = bytes(part.get_payload(decode=True) or b"").decode()  # type: ignore[arg-type]
            yield from (urlsplit(url).path for url in re.findall(r"https?://\S+/password/\S+", text))
