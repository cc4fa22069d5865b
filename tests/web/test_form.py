"""The form of a resource: what it offers, what it keeps, and what comes of it."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rowferry.exports import catalogue
from rowferry.exports.execution.queued import run_next
from tests.factories.assets import AssetFactory, AssetStatusFactory, LocationFactory
from tests.factories.people import UserFactory
from tests.factories.tickets import TicketFactory
from tests.web.conftest import Page

Exports = Callable[[], list[Any]]
CSV = {"format": "csv", "columns": ["id", "name"]}


def read_file(response: Any) -> bytes:
    """The bytes of the file that came."""
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment; filename=")
    return b"".join(response.streaming_content)


def table(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """A CSV file as a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", ["assets", "tickets"])
def test_the_form_offers_what_the_catalogue_has(browser: Client, owner: User, name: str) -> None:
    AssetFactory(), TicketFactory()
    resource = catalogue.resource(name, owner)
    page = Page(browser.get(f"/new/{name}"))
    offered = {
        a["name"] for tag in ("input", "select") for a in page.all(tag) if a.get("name", "").startswith("filters.")
    }
    assert offered == {f"filters.{parameter.name}" for parameter in resource.filters if parameter.name != "ids"}
    assert page.values("input", name="columns") == [column.name for column in resource.columns]
    assert page.values("input", name="format") == [one.name for one in catalogue.formats()]


def test_the_default_columns_are_ticked(browser: Client, owner: User) -> None:
    ticked = [a["value"] for a in Page(browser.get("/new/assets")).all("input", name="columns") if "checked" in a]
    assert ticked == [column.name for column in catalogue.resource("assets", owner).columns if column.default]
    assert len(ticked) == 13


def test_a_filter_that_may_be_empty_offers_none(browser: Client) -> None:
    LocationFactory()
    page = Page(browser.get("/new/assets")).text
    assert page.count('value="null">(none)</label>') == 3  # location, manufacturer, person


def test_a_list_that_is_too_long_can_be_typed_on(browser: Client) -> None:
    wanted = [LocationFactory() for _ in range(201)][-1]
    AssetFactory(name="far away", location=wanted)
    AssetFactory(name="nowhere")
    assert Page(browser.get("/new/assets")).all("input", name="filters.location_id.more")
    body = {"format": "csv", "columns": ["name"], "filters.location_id.more": f" {wanted.pk} ,"}
    assert table(read_file(browser.post("/new/assets", body))) == [["name"], ["far away"]]


@pytest.mark.django_db
def test_who_may_export_nothing_is_told_so(client: Client) -> None:
    client.force_login(UserFactory())
    assert "ask an administrator" in client.get("/").content.decode()
    response = client.get("/new/assets")
    assert response.status_code == 403
    assert "assets.export_asset" in response.content.decode()


def test_a_resource_that_does_not_exist_is_not_found(browser: Client) -> None:
    assert browser.get("/new/nothing").status_code == 404


def test_a_small_export_comes_at_once_and_is_kept(browser: Client, exports: Exports) -> None:
    first, second = AssetFactory(name="Ünïcode"), AssetFactory(name='a "b", c')
    response = browser.post("/new/assets", CSV)
    data = read_file(response)
    assert table(data) == [["id", "name"], [str(first.pk), "Ünïcode"], [str(second.pk), 'a "b", c']]
    [export] = exports()
    assert (export.mode, export.status) == ("immediate", "completed")
    assert response["X-Export-Id"] == str(export.pk)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Length"] == str(len(data))
    assert response["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert export.filename in browser.get("/").content.decode()


def test_a_middle_sized_export_is_streamed(browser: Client, exports: Exports, settings: Any) -> None:
    settings.ROWFERRY_IMMEDIATE_BELOW = 1
    names = [AssetFactory().name for _ in range(5)]
    response = browser.post("/new/assets", {"format": "json", "columns": ["name"]})
    assert [row["name"] for row in json.loads(read_file(response))["data"]] == names
    assert (exports()[0].mode, exports()[0].status) == ("streamed", "completed")
    assert response["X-Export-Id"] == str(exports()[0].pk)


@pytest.mark.usefixtures("queue_every_export")
def test_a_large_export_is_queued_done_and_downloaded(browser: Client, exports: Exports) -> None:
    asset = AssetFactory(name="one")
    response = browser.post("/new/assets", CSV, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert "is queued, because it is over 0 rows" in response.content.decode()
    assert "hx-get" in Page(response).all("div", id="poll")[0]
    run_next()
    listed = Page(browser.get("/"))
    assert "hx-get" not in listed.all("div", id="poll")[0]
    [link] = [a for a in listed.all("a") if a["href"].endswith("/download")]
    response = browser.get(link["href"])
    assert table(read_file(response)) == [["id", "name"], [str(asset.pk), "one"]]
    assert exports()[0].download_count == 1
    log = browser.get(f"/exports/{exports()[0].pk}").content.decode()
    assert "Downloaded from the page." in log
    assert exports()[0].sha256 in log


def test_every_field_reaches_the_spec(browser: Client, exports: Exports) -> None:
    location, status = LocationFactory(), AssetStatusFactory(name="Lost")
    AssetFactory(name="=1+1", location=location, status=status)
    body = {
        "format": "csv",
        "columns": ["name", "status"],
        "filters.status_id": [str(status.pk)],
        "filters.location_id": ["null", str(location.pk)],
        "filters.include_sublocations": "true",
        "filters.date_from": "2000-01-01",
        "filters.date_column": "updated_at",
        "filters.search": "1+1",
        "sort_by": "name",
        "sort_order": "desc",
        "headers": "labels",
        "time_zone": "Europe/Berlin",
        "csv.delimiter": "tab",
        "csv.formula_guard": "False",
        "email_notification": "on",
    }
    data = read_file(browser.post("/new/assets", body))
    assert not data.startswith(codecs.BOM_UTF8)
    assert table(data, "\t") == [["Name", "Status"], ["=1+1", "Lost"]]
    assert exports()[0].spec == {
        "resource": "assets",
        "format": "csv",
        "columns": ["name", "status"],
        "filters": {
            "status_id": [status.pk],
            "location_id": [None, location.pk],
            "include_sublocations": True,
            "date_from": "2000-01-01",
            "date_column": "updated_at",
            "search": "1+1",
        },
        "sort_by": "name",
        "sort_order": "desc",
        "nested": False,
        "headers": "labels",
        "time_zone": "Europe/Berlin",
        "options": {"delimiter": "tab", "bom": False, "formula_guard": False, "compress": "none"},
    }


def test_a_yes_or_no_filter_narrows(browser: Client) -> None:
    TicketFactory(subject="open", is_open=True)
    TicketFactory(subject="shut", is_open=False)
    body = {"format": "csv", "columns": ["subject"], "filters.is_open": "false"}
    assert table(read_file(browser.post("/new/tickets", body))) == [["subject"], ["shut"]]


@pytest.mark.parametrize(("ticked", "wanted"), [({}, False), ({"email_notification": "on"}, True)])
def test_mail_comes_to_those_who_want_it(
    browser: Client, exports: Exports, ticked: dict[str, str], wanted: bool
) -> None:
    browser.post("/new/assets", CSV | {"async": "on"} | ticked)
    assert (exports()[0].mode, exports()[0].notify) == ("queued", wanted)


def test_a_preview_counts_shows_and_stores_nothing(browser: Client, exports: Exports) -> None:
    AssetFactory(name="=SUM(A1)", purchase_date=None)
    AssetFactory(name="plain")
    body = {"format": "csv", "columns": ["name", "purchase_date"], "csv.formula_guard": "True", "preview": "1"}
    page = browser.post("/new/assets", body).content.decode()
    assert "2 rows · about" in page
    assert "will be answered at once because it is under 1,000 rows" in page
    assert "looks like a formula" in page
    assert "<td>&#x27;=SUM(A1)</td><td></td>" in page
    assert exports() == []


@pytest.mark.usefixtures("queue_every_export")
def test_a_preview_says_that_it_would_be_queued(browser: Client) -> None:
    AssetFactory()
    page = browser.post("/new/assets", CSV | {"preview": "1"}).content.decode()
    assert "1 row · about" in page
    assert "will be queued because it is over 0 rows" in page


def test_a_preview_of_nothing_says_so(browser: Client) -> None:
    assert "No row fits these filters" in browser.post("/new/assets", CSV | {"preview": "1"}).content.decode()


def test_mistakes_are_shown_at_their_fields_and_the_rest_is_kept(browser: Client, exports: Exports) -> None:
    body = {
        "format": "excel",
        "columns": ["name"],
        "filters.search": "<kept>",
        "filters.date_from": "yesterday",
        "time_zone": "Mars/Olympus",
        "sort_order": "desc",
    }
    response = browser.post("/new/assets", body)
    assert response.status_code == 422
    page = Page(response)
    assert page.values("input", name="filters.search") == ["<kept>"]
    assert [a["value"] for a in page.all("input", name="columns") if "checked" in a] == ["name"]
    assert [a["value"] for a in page.all("input", name="format") if "checked" in a] == ["excel"]
    wrong = {a["name"] for a in page.all("input") if a.get("aria-invalid")}
    assert wrong == {"filters.date_from", "time_zone"}
    assert "Must be a calendar day such as 2025-10-30." in page.text
    assert exports() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": []}, "The list is empty"),
        ({"columns": ["password"]}, "Unknown: password."),
        ({"format": ""}, "This field is required"),
        ({"format": "csv", "nested": "on"}, "csv has no nested values"),
        ({"filters.date_from": "2025-02-01", "filters.date_to": "2025-01-01"}, "no day would be left"),
        ({"filters.status_id": ["\x00"]}, "Must be a whole number"),
    ],
)
def test_what_the_engine_refuses_is_a_message(browser: Client, change: dict[str, Any], message: str) -> None:
    response = browser.post("/new/assets", CSV | change)
    assert response.status_code == 422
    assert message in response.content.decode()


def test_too_many_exports_in_a_minute_keep_the_form(browser: Client, settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    read_file(browser.post("/new/assets", CSV))
    response = browser.post("/new/assets", CSV | {"filters.search": "kept"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "You have used all 1 exports of this minute" in response.content.decode()
    assert Page(response).values("input", name="filters.search") == ["kept"]
