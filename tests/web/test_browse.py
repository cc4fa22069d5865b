"""Lists to look through, and the way from what one sees to a file of it."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rowferry.assets.models import Asset
from rowferry.exports import browsing
from rowferry.exports.resources import registry
from tests.factories.assets import AssetFactory, AssetStatusFactory
from tests.factories.people import UserFactory
from tests.web.conftest import Page

LIST = "/lists/assets"


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a page."""
    monkeypatch.setattr(browsing.page, "__defaults__", (None, 3))


def press(browser: Client, do: str, at: Any = None, **body: Any) -> Any:
    """Press a button of the list that is shown; what is shown then."""
    page = Page(at if at is not None else browser.get(LIST))
    hidden = {one["name"]: one.get("value", "") for one in page.all("input", type="hidden")}
    return browser.post(LIST, {**hidden, "do": do, **body}, follow=True)


def cells(response: Any) -> list[list[str]]:
    """The rows of the table, the ticks left out."""
    rows = re.findall(r"<tr>(<td>.*?)</tr>", response.content.decode(), re.DOTALL)
    found = [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in rows]
    return [[cell for cell in row if not cell.startswith("<input")] for row in found]


def read_csv(response: Any) -> list[list[str]]:
    """The rows of a CSV that was sent, with its header."""
    data = b"".join(response.streaming_content)
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def order(browser: Client, shown: Any, **more: str) -> Any:
    """From the page on the way to a file, on to what its form leads to."""
    page = Page(shown)
    body: dict[str, Any] = {"format": "csv", **more}
    for one in page.all("input", type="hidden"):
        body.setdefault(one["name"], []).append(one.get("value", ""))
    return browser.post("/new/assets", body)


def test_the_list_shows_names_instead_of_ids(browser: Client) -> None:
    asset = AssetFactory(name="Laptop 7", status=AssetStatusFactory(name="In repair"))
    (row,) = cells(browser.get(LIST))
    assert row[:3] == [str(asset.pk), "Laptop 7", asset.asset_tag]
    assert "In repair" in row


def test_every_declared_resource_has_a_list(browser: Client) -> None:
    assert browser.get("/lists/tickets").status_code == 200
    assert browser.get("/lists/nothing").status_code == 404
    assert browser.get("/lists")["Location"] == LIST


def test_a_list_needs_the_right_to_export(client: Client, db: None) -> None:
    assert client.get(LIST)["Location"] == f"/login?next={LIST}"
    client.force_login(UserFactory())
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}/export").status_code == 403


def test_searching_filtering_and_choosing_columns(browser: Client) -> None:
    AssetFactory(name="Printer")
    wanted = AssetFactory(name="Laptop", status=AssetStatusFactory(name="In repair"))
    AssetFactory(name="Laptop 2")
    body = {"filters.search": "lapt", "filters.status_id": [wanted.status_id], "columns": ["name", "status_id"]}
    shown = press(browser, "apply", **body)
    assert cells(shown) == [["Laptop", str(wanted.status_id)]]
    page = Page(shown)
    assert page.values("input", name="filters.search") == ["lapt"]
    assert len(page.all("input", name="filters.status_id", value=str(wanted.status_id), checked="")) == 1
    assert len(cells(press(browser, "clear", shown))) == 3


def test_what_one_searches_for_is_in_no_address(browser: Client) -> None:
    shown = press(browser, "apply", **{"filters.search": "Zanzibar"})
    assert "Zanzibar" not in str(shown.redirect_chain)
    assert re.fullmatch(r"/lists/assets\?view=\w{10}", shown.redirect_chain[0][0])


def test_a_wrong_filter_says_what_is_wrong_and_stays_in_the_form(browser: Client) -> None:
    shown = press(browser, "apply", **{"filters.date_from": "2025-02-01", "filters.date_to": "2025-01-01"})
    assert shown.status_code == 422
    assert "date_to is before date_from" in shown.content.decode()
    assert Page(shown).values("input", name="filters.date_to") == ["2025-01-01"]


def test_pressing_a_title_sorts_and_again_the_other_way(browser: Client) -> None:
    for name, bought in (("b", date(2025, 1, 2)), ("a", None), ("c", date(2025, 1, 1))):
        AssetFactory(name=name, purchase_date=bought)
    shown = press(browser, "sort:purchase_date")
    assert [row[1] for row in cells(shown)] == ["c", "b", "a"]
    assert len(Page(shown).all("th", **{"aria-sort": "ascending"})) == 1
    again = press(browser, "sort:purchase_date", shown)
    assert [row[1] for row in cells(again)] == ["b", "c", "a"]
    assert len(Page(again).all("th", **{"aria-sort": "descending"})) == 1


def test_the_list_is_walked_forth_back_and_to_its_ends(browser: Client, small_pages: None) -> None:
    for n in range(8):
        AssetFactory(name=f"n{n}")
    first = browser.get(LIST)
    names = lambda shown: [row[1] for row in cells(shown)]  # noqa: E731
    second = press(browser, "next", first)
    third = press(browser, "next", second)
    assert [names(one) for one in (first, second, third)] == [["n0", "n1", "n2"], ["n3", "n4", "n5"], ["n6", "n7"]]
    assert names(press(browser, "previous", third)) == ["n3", "n4", "n5"]
    assert names(press(browser, "last", first)) == ["n5", "n6", "n7"]
    assert names(press(browser, "first", third)) == ["n0", "n1", "n2"]
    assert len(Page(first).all("button", disabled="")) == 2


@pytest.mark.parametrize("after", ["", "no json", "[]", '{"key": "x"}', '{"key": null}', '{"key": 1e400}'])
def test_a_place_that_somebody_made_up_is_no_error_of_ours(browser: Client, after: str) -> None:
    AssetFactory()
    assert press(browser, "next", after=after).status_code in (200, 422)


def test_a_view_of_another_session_begins_anew(browser: Client, other_browser: Client) -> None:
    AssetFactory(name="Printer")
    shown = press(browser, "apply", **{"filters.search": "nothing of this name"})
    address = shown.redirect_chain[0][0]
    assert cells(shown) == []
    assert len(cells(other_browser.get(address))) == 1


def test_a_session_keeps_so_many_views_and_no_more(browser: Client) -> None:
    for _ in range(35):
        browser.post(LIST, {"do": "last"})
    assert len(browser.session["lists"]) == 30


def test_the_ticked_rows_become_a_file(browser: Client) -> None:
    wanted = [AssetFactory(name="one"), AssetFactory(name="two")]
    AssetFactory(name="three")
    shown = press(browser, "these", **{"filters.ids": [asset.pk for asset in wanted]})
    assert "The 2 rows that you ticked" in shown.content.decode()
    rows = read_csv(order(browser, shown))
    assert [row[1] for row in rows] == ["name", "one", "two"]


def test_nothing_ticked_exports_nothing(browser: Client, exports: Callable[[], list[Any]]) -> None:
    AssetFactory()
    shown = press(browser, "these")
    assert "Tick the rows that you want first." in shown.content.decode()
    assert exports() == []


def test_what_one_sees_becomes_a_file_with_its_filters_sort_and_columns(browser: Client) -> None:
    keep = AssetStatusFactory(name="Kept")
    for name in ("b", "c", "a"):
        AssetFactory(name=name, status=keep)
    AssetFactory(name="d")
    shown = press(browser, "apply", **{"filters.status_id": [keep.pk], "columns": ["asset_tag", "name", "status"]})
    sorted_down = press(browser, "sort:name", press(browser, "sort:name", shown))
    rows = read_csv(order(browser, press(browser, "all", sorted_down)))
    assert [[row[0], row[2]] for row in rows] == [["name", "status"], ["c", "Kept"], ["b", "Kept"], ["a", "Kept"]]


@pytest.mark.parametrize("way", ["asc", "desc"])
def test_a_file_has_equal_rows_in_the_order_of_the_list(browser: Client, way: str) -> None:
    for name in ("b", "a", "b", "a", "b"):
        AssetFactory(name=name)
    shown = press(browser, "apply", columns=["id", "name"], sort_by="name", sort_order=way)
    assert read_csv(order(browser, press(browser, "all", shown)))[1:] == cells(shown)


@pytest.mark.parametrize("do", ["apply", "clear"])
def test_a_file_has_the_order_of_a_list_that_cannot_be_sorted_by_the_default(
    browser: Client, do: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No index leads to the default sort, so the list comes by key."""
    monkeypatch.setattr(type(registry.resource("assets")), "sort_by", "status")
    for name in ("z", "y", "x"):
        AssetFactory(status=AssetStatusFactory(name=name))
    shown = press(browser, do, columns=["id"])
    ids = [row[0] for row in cells(shown)]
    assert [row[0] for row in read_csv(order(browser, press(browser, "all", shown)))[1:]] == ids


def test_what_one_sees_can_be_looked_at_in_the_form_first(browser: Client, exports: Callable[[], list[Any]]) -> None:
    AssetFactory(name="Laptop 7")
    AssetFactory(name="Printer")
    shown = press(browser, "all", press(browser, "apply", **{"filters.search": "Laptop", "columns": ["name"]}))
    page = Page(order(browser, shown, preview="1"))
    assert page.values("input", name="filters.search") == ["Laptop"]
    assert "Laptop 7" in page.text
    assert exports() == []


def test_every_filter_of_a_list_arrives_at_the_form(browser: Client) -> None:
    asset = AssetFactory(location=None)
    body = {
        "filters.location_id": ["null"],
        "filters.status_id": [asset.status_id],
        "filters.date_from": "2020-01-01",
        "filters.date_column": "created_at",
        "columns": ["id"],
    }
    rows = read_csv(order(browser, press(browser, "all", press(browser, "apply", **body))))
    assert rows == [["id"], [str(asset.pk)]]


def test_names_that_are_html_stay_text(browser: Client) -> None:
    AssetFactory(name="<script>alert(1)</script>")
    assert "<script>alert" not in browser.get(LIST).content.decode()


def test_every_box_has_a_label_and_the_table_a_caption(browser: Client) -> None:
    AssetFactory.create_batch(2)
    page = Page(browser.get(LIST))
    labelled = {label.get("for") for label in page.all("label")}
    fields = [a for tag in ("input", "select") for a in page.all(tag) if a.get("type") != "hidden"]
    assert {field.get("id") for field in fields} <= labelled
    assert len(page.all("caption")) == 1
    assert {one.get("scope") for one in page.all("th")} == {"col"}


def test_a_list_changes_no_row(browser: Client, owner: User) -> None:
    before = AssetFactory().updated_at
    press(browser, "these", **{"filters.ids": [1]})
    assert Asset.objects.get().updated_at == before
