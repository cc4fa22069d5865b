"""Who comes in, how somebody comes back who forgot the password, and what programs come in with."""

from __future__ import annotations

import json
import subprocess

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import collect_downloads, reset_link
from tests.browser.site import NAME, PASSWORD, create_user, log_in, visitor
from tests.system.installation import Installation

pytestmark = pytest.mark.services


def test_a_wrong_password_is_told_and_the_right_one_leads_where_one_wanted_to_go(
    running_site: tuple[Installation, str], browser: Browser
) -> None:
    context = visitor(browser, running_site[1])
    page = context.new_page()
    page.goto("/tokens")
    for password in ("wrong", PASSWORD):
        page.get_by_label("Username").fill(NAME)
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
        if password == "wrong":
            expect(page.locator(".errorlist")).to_contain_text("correct username and password")
    expect(page.get_by_role("heading", name="API tokens")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto("/tokens")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    context.close()


def test_a_forgotten_password_is_set_anew_by_mail(running_site: tuple[Installation, str], browser: Browser) -> None:
    installation, address = running_site
    create_user(installation, "rita", "rita@example.com")
    link = reset_link(installation, browser, address, "rita@example.com")
    context = visitor(browser, address)
    page = context.new_page()
    page.goto(link)
    for field in page.locator("input[type=password]").all():
        field.fill("battery staple")
    page.get_by_role("button", name="Set this password").click()
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Username").fill("rita")
    page.get_by_label("Password").fill("battery staple")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="My exports")).to_be_visible()
    page.goto(link)
    expect(page.locator("input[type=password]")).to_have_count(0)
    context.close()


def test_a_token_is_copied_opens_the_api_and_is_revoked(page: Page, running_site: tuple[Installation, str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("Name", exact=True).fill("by hand")
    page.get_by_label("Valid for").select_option("30 days")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    token = page.evaluate("navigator.clipboard.readText()")

    def status() -> str:
        ask = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{running_site[1]}/api/v1/exports"]
        return subprocess.run([*ask, "-H", f"Authorization: Bearer {token}"], capture_output=True, text=True).stdout

    assert status() == "200"
    page.goto("/tokens")
    assert token not in page.content()
    row = page.locator("tr", has_text="by hand")
    row.get_by_text("Revoke…").click()
    row.get_by_role("button", name="Yes, revoke it").click()
    expect(page.get_by_role("status")).to_contain_text("The token is revoked")
    assert status() == "401"


def test_a_german_browser_gets_every_page_in_german(running_site: tuple[Installation, str], browser: Browser) -> None:
    state = log_in(visitor(browser, running_site[1])).context.storage_state()
    context = visitor(browser, running_site[1], locale="de-DE", storage_state=state)
    page = context.new_page()
    said = {
        "/": "Meine Exporte",
        "/lists/tickets": "Tickets",
        "/tokens": "API-Token",
        "/new/assets": "Inventar exportieren",
    }
    for address, title in said.items():
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == "de"
        expect(page.locator("h1")).to_have_text(title)
    page.goto("/lists/tickets")
    expect(page.locator("th", has_text="Betreff")).to_be_visible()
    context.close()


def test_in_the_admin_ticked_rows_are_exported_and_exports_only_looked_at(
    running_site: tuple[Installation, str], browser: Browser
) -> None:
    installation, address = running_site
    page = log_in(visitor(browser, address))
    installation.change("UPDATE auth_user SET is_staff = 1, is_superuser = 1 WHERE username = ?", NAME)
    try:
        page.goto("/admin/assets/asset/")
        for box in page.locator("input.action-select").all()[:3]:
            box.check()
        page.locator("select[name=action]").select_option(label="Export selected rows as JSON")
        with collect_downloads(page) as got:
            page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).first.click()
        assert len(json.loads(got[0].path().read_text())["data"]) == 3
        page.goto("/admin/rowferry/export/?format__exact=json")
        page.locator("#result_list tbody th a").first.click()
        expect(page.get_by_role("heading", name="View export")).to_be_visible()
        assert page.locator("#content-main input[type=submit]").count() == 0
    finally:
        installation.change("UPDATE auth_user SET is_staff = 0, is_superuser = 0 WHERE username = ?", NAME)
        page.context.close()
