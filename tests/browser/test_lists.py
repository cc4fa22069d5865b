"""Lists of what can be exported, and the way from what one sees to a file of it."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Download, Page, expect

from tests.browser.acting import collect_downloads, pick, unfold, without_javascript
from tests.system.installation import Installation

pytestmark = pytest.mark.services


def lines(got: list[Download]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(got[0].path().read_bytes().decode("utf-8-sig"), newline="")))


def column_texts(page: Page, nth: int) -> list[str]:
    return page.locator(f".list tbody td:nth-child({nth})").all_inner_texts()


def test_search_filter_sort_and_export_what_one_sees(page: Page, installation: Installation) -> None:
    page.get_by_role("link", name="Lists").click()
    expect(page.get_by_role("heading", name="Assets")).to_be_visible()
    unfold(page, "Filters")
    pick(page, "Status").get_by_label("Lost or stolen").check()
    expect(pick(page, "Status").locator("output")).to_have_text("1 chosen")
    page.get_by_label("Search", exact=True).fill("ThinkPad")
    page.keyboard.press("Enter")
    expect(page.locator("summary", has_text="Filters (1)")).to_be_visible()
    page.get_by_role("button", name="Name").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Name")
    (wanted,) = installation.rows(
        "SELECT count(*) AS n FROM assets_asset a JOIN assets_assetstatus s ON s.id = a.status_id "
        "WHERE s.name = 'Lost or stolen' AND a.name LIKE '%thinkpad%'"
    )
    expect(page.locator(".count")).to_have_text(re.compile(rf"^{wanted['n']:,} rows?$"))
    assert "ThinkPad" not in page.url
    first = column_texts(page, 2)
    page.get_by_role("button", name="Export what I see").click()
    with collect_downloads(page) as got:
        page.get_by_role("button", name="Export", exact=True).click()
    titles, *rows = lines(got)
    assert titles[:2] == ["id", "name"]
    assert len(rows) == wanted["n"]
    assert [row[0] for row in rows[: len(first)]] == first


def test_the_ticked_rows_of_a_page_become_a_file(page: Page) -> None:
    page.goto("/lists/assets")
    button = page.get_by_role("button", name="Export the ticked ones")
    expect(button).to_be_disabled()
    page.get_by_label("Tick all of this page").check()
    expect(button).to_have_text("Export the ticked ones (50)")
    page.locator("#row-2").uncheck()
    expect(button).to_have_text("Export the ticked ones (49)")
    ids = column_texts(page, 2)
    button.click()
    expect(page.get_by_text("The 49 rows that you ticked")).to_be_visible()
    page.locator("#format-csv").check()
    with collect_downloads(page) as got:
        page.get_by_role("button", name="Export", exact=True).click()
    assert [row[0] for row in lines(got)[1:]] == [ids[0], *ids[2:]]


def test_pages_go_forth_to_the_end_and_back(page: Page) -> None:
    page.goto("/lists/tickets")
    first = column_texts(page, 2)
    page.get_by_role("button", name="Next").click()
    second = column_texts(page, 2)
    assert not set(first) & set(second)
    page.get_by_role("button", name="Last").click()
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("button", name="First").click()
    assert column_texts(page, 2) == first


def test_what_one_sees_is_looked_at_in_the_form_first(page: Page) -> None:
    page.goto("/lists/tickets")
    page.locator("select[name='filters.is_open']").select_option("Yes")
    page.get_by_role("button", name="Show", exact=True).first.click()
    page.get_by_role("button", name="Export what I see").click()
    page.get_by_role("button", name="More choices first").click()
    expect(page.locator("#line")).to_contain_text("because")
    expect(page.locator("select[name='filters.is_open']")).to_have_value("true")


def test_back_in_a_list_only_what_holds_is_ticked_and_filled_in(page: Page) -> None:
    page.goto("/lists/tickets")
    page.get_by_label("Search", exact=True).fill("never sent")
    page.locator("#row-2").check()
    page.get_by_role("link", name="My exports").first.click()
    page.wait_for_url("**/")
    page.go_back()
    expect(page.get_by_label("Search", exact=True)).to_have_value("")
    expect(page.locator("#row-2")).not_to_be_checked()
    expect(page.get_by_role("button", name="Export the ticked ones")).to_be_disabled()


def test_without_javascript_a_list_is_narrowed_ticked_and_exported(page: Page) -> None:
    with without_javascript(page) as other:
        other.goto("/lists/tickets")
        other.get_by_label("Search", exact=True).fill("TCK")
        other.get_by_role("button", name="Show", exact=True).first.click()
        ids = column_texts(other, 2)
        for number in (1, 3):
            other.locator(f"#row-{number}").check()
        other.get_by_role("button", name="Export the ticked ones").click()
        with collect_downloads(other) as got:
            other.get_by_role("button", name="Export", exact=True).click()
        assert [row[0] for row in lines(got)[1:]] == [ids[0], ids[2]]
