"""A new export, made with mouse and keyboard."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.acting import collect_downloads, columns, line, open_form, pick, unfold, without_javascript
from tests.browser.conftest import ASSETS
from tests.system.installation import Installation

pytestmark = pytest.mark.services
LONG = 30_000


def test_the_line_follows_what_is_chosen(page: Page, installation: Installation) -> None:
    open_form(page)
    expect(line(page)).to_have_text(re.compile(rf"{ASSETS:,} rows · about .* · will be queued because it is over"))
    pick(page, "Status").get_by_label("Lost or stolen").check()
    (wanted,) = installation.rows(
        "SELECT count(*) AS n FROM assets_asset a JOIN assets_assetstatus s ON s.id = a.status_id WHERE s.name = ?",
        "Lost or stolen",
    )
    expect(line(page)).to_contain_text(f"{wanted['n']:,} row", timeout=LONG)
    expect(line(page)).to_contain_text("will be answered at once")
    expect(pick(page, "Status").locator("output")).to_have_text("1 chosen")


def test_the_preview_is_what_the_file_will_hold(page: Page) -> None:
    open_form(page)
    page.get_by_label("Search", exact=True).fill("AST-0000007")
    expect(line(page)).to_contain_text("1 row ·", timeout=LONG)
    unfold(page, "Order, titles")
    page.get_by_label("Column titles").select_option("labels")
    expect(page.locator("#seen th", has_text="Asset tag")).to_be_visible(timeout=LONG)
    shown = page.locator("#seen tbody tr").first.locator("td").all_inner_texts()
    with collect_downloads(page) as got:
        page.get_by_role("button", name="Export", exact=True).click()
    text = got[0].path().read_bytes().decode("utf-8-sig")
    titles, row = csv.reader(io.StringIO(text, newline=""))
    assert titles == page.locator("#seen th").all_inner_texts()
    assert row == shown


def test_a_long_list_is_searched_and_what_is_ticked_stays(page: Page) -> None:
    open_form(page)
    people = pick(page, "Assigned to")
    people.get_by_role("checkbox").nth(3).check()
    name = people.locator("li", has=page.locator(":checked")).inner_text()
    people.get_by_role("searchbox").fill("zzzz")
    expect(people.locator("li")).to_have_count(1, timeout=LONG)
    expect(people.locator("li")).to_have_text(name)
    expect(people.get_by_role("checkbox")).to_be_checked()
    people.get_by_role("searchbox").press("Enter")
    assert page.url.endswith("/new/assets")


def test_days_come_from_a_preset(page: Page) -> None:
    open_form(page)
    page.get_by_role("button", name="Last month").click()
    first, last = page.get_by_label("From", exact=True).input_value(), page.get_by_label("To", exact=True).input_value()
    today = page.evaluate("new Date().toISOString().slice(0, 10)")
    assert (first[8:], first[:7]) == ("01", last[:7])
    assert last < today[:8]
    page.get_by_role("button", name="Any day").click()
    assert page.get_by_label("From", exact=True).input_value() == ""


def test_columns_are_ordered_by_keyboard_and_the_file_follows(page: Page) -> None:
    open_form(page, "tickets")
    page.get_by_role("button", name="None", exact=True).click()
    assert columns(page) == []
    for name in ("subject", "ticket_code"):
        page.locator(f"li[data-name={name}] input").check()
    assert columns(page) == ["subject", "ticket_code"]
    up = page.get_by_role("button", name="Move Ticket code up")
    up.focus()
    page.keyboard.press("Enter")
    assert columns(page) == ["ticket_code", "subject"]
    expect(up).to_be_focused()
    expect(page.locator("#said")).to_contain_text("is now column 1 of 2")
    expect(page.locator("#seen th")).to_have_text(["ticket_code", "subject"], timeout=LONG)
    with collect_downloads(page) as got:
        page.get_by_role("button", name="Export", exact=True).click()
    assert got[0].path().read_text("utf-8-sig").splitlines()[0] == "ticket_code,subject"


def test_columns_are_dragged(page: Page) -> None:
    open_form(page)
    before = columns(page)
    page.locator(f"li[data-name={before[3]}]").drag_to(
        page.locator(f"li[data-name={before[0]}]"), target_position={"x": 40, "y": 2}
    )
    assert columns(page)[0] == before[3]
    assert sorted(columns(page)) == sorted(before)


def test_default_all_and_search(page: Page) -> None:
    open_form(page)
    default = columns(page)
    page.get_by_role("button", name="All", exact=True).click()
    assert len(columns(page)) > len(default)
    page.get_by_role("button", name="Default", exact=True).click()
    assert columns(page) == default
    page.get_by_placeholder("Search columns").fill("warranty")
    assert page.locator("li[data-name]:visible").count() == 1


def test_only_the_options_of_the_chosen_format_are_there(page: Page) -> None:
    open_form(page)
    expect(page.locator("[data-format=csv]")).to_be_visible()
    page.locator("#format-json").check()
    expect(page.locator("[data-format=csv]")).to_be_hidden()
    expect(page.locator("[data-format=json]")).to_be_visible()


def test_a_mistake_is_shown_where_it_is_and_nothing_is_lost(page: Page) -> None:
    open_form(page)
    page.get_by_label("Search", exact=True).fill("kept")
    unfold(page, "Order, titles")
    page.get_by_label("Time zone").fill("Mars/Olympus")
    expect(line(page)).to_contain_text("Must be the name of a time zone", timeout=LONG)
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("could not be done")
    zone = page.get_by_label("Time zone")
    expect(zone).to_be_visible()
    expect(zone).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Search", exact=True)).to_have_value("kept")


def test_export_pressed_twice_is_one_export(page: Page, installation: Installation) -> None:
    open_form(page, "tickets")
    unfold(page, "Delivery")
    page.get_by_label("Put it in the queue").check()
    before, held = exports_in(installation), list[Route]()

    def answer_late(route: Route) -> None:
        route.fetch(max_redirects=0)
        held.append(route)

    page.route("**/new/tickets", answer_late)
    page.evaluate("""() => {
        const button = document.querySelector('#order button.main');
        for (const at of [0, 300]) setTimeout(() => button.click(), at);
    }""")
    page.wait_for_timeout(1_500)
    assert exports_in(installation) == before + 1
    for route in held:
        route.abort()


def test_a_file_that_was_sent_can_be_exported_anew(page: Page, installation: Installation) -> None:
    open_form(page, "tickets")
    before = exports_in(installation)
    for number in (1, 2):
        key = page.locator("#order [name=order_key]").input_value()
        with collect_downloads(page):
            page.get_by_role("button", name="Export", exact=True).dblclick()
        assert exports_in(installation) == before + number
        expect(page.locator("#order [name=order_key]")).not_to_have_value(key, timeout=LONG)


def test_back_in_the_form_what_is_shown_is_what_is_exported(page: Page, installation: Installation) -> None:
    open_form(page)
    page.get_by_label("Search", exact=True).fill("ThinkPad")
    page.get_by_role("button", name="None", exact=True).click()
    page.locator("li[data-name=id] input").check()
    page.locator("#format-ndjson").check()
    expect(page.locator("#seen th")).to_have_text(["id"], timeout=LONG)
    page.get_by_role("link", name="My exports").first.click()
    page.wait_for_url("**/")
    page.go_back()
    expect(line(page)).to_contain_text("because", timeout=LONG)
    shown = columns(page), int(re.sub(r"\D", "", line(page).inner_text().split(" row")[0]))
    page.locator("[name=async]").evaluate("field => { field.checked = true; }")
    page.get_by_role("button", name="Export", exact=True).click()
    page.wait_for_url("**/")
    (made,) = installation.rows("SELECT spec, total_items FROM rowferry_export ORDER BY created_at DESC LIMIT 1")
    assert shown == (json.loads(made["spec"])["columns"], made["total_items"])


def exports_in(installation: Installation) -> int:
    return int(installation.rows("SELECT count(*) AS n FROM rowferry_export")[0]["n"])


def test_without_javascript_it_is_still_a_form(page: Page) -> None:
    with without_javascript(page) as other:
        other.goto("/new/tickets")
        other.get_by_label("Search", exact=True).fill("TCK")
        other.get_by_role("button", name="Preview").click()
        expect(other.locator("#line")).to_contain_text("rows · about")
        with collect_downloads(other) as got:
            other.get_by_role("button", name="Export", exact=True).click()
        assert got[0].suggested_filename.startswith("tickets_")
