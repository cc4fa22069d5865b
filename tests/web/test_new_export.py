"""What the form does beyond being sent: it counts while it is filled in, finds choices, and comes back filled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rowferry.exports import catalogue, submission
from rowferry.exports.errors import NotFound
from rowferry.exports.execution.queued import run_next
from rowferry.exports.limits import quota
from rowferry.exports.models import QuotaUse
from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.exports import create_export_in_state, queue_export
from tests.factories.people import UserFactory
from tests.web.conftest import Page

Exports = Callable[[], list[Any]]
CSV = {"format": "csv", "columns": ["id", "name"]}
PREVIEW, LOCATIONS = "/new/assets/preview", "/new/assets/choices/location_id"


def page_text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def checked_values(page: Page, name: str) -> list[str]:
    return [a["value"] for a in page.all("input", name=name) if "checked" in a]


def test_a_look_says_how_many_how_big_and_how(browser: Client, exports: Exports) -> None:
    AssetFactory(name="=SUM(A1)")
    text = page_text(browser.post(PREVIEW, CSV | {"csv.formula_guard": "True"}))
    assert "1 row · about" in text
    assert "will be answered at once because it is under 1,000 rows" in text
    assert "looks like a formula" in text
    assert "<td>&#x27;=SUM(A1)</td>" in text
    assert exports() == []


def test_a_look_shows_the_titles_that_the_file_will_have(browser: Client) -> None:
    AssetFactory()
    body = {"format": "csv", "columns": ["asset_tag"]}
    assert '<th scope="col">asset_tag</th>' in page_text(browser.post(PREVIEW, body))
    assert '<th scope="col">Asset tag</th>' in page_text(browser.post(PREVIEW, body | {"headers": "labels"}))


def test_a_look_shows_objects_and_truth_as_json_has_them(browser: Client) -> None:
    AssetFactory()
    text = page_text(browser.post(PREVIEW, {"format": "json", "columns": ["status"], "nested": "on"}))
    assert "{&quot;id&quot;:" in text


def test_a_look_at_a_mistake_says_what_is_wrong(browser: Client) -> None:
    response = browser.post(PREVIEW, CSV | {"filters.date_from": "yesterday"})
    assert response.status_code == 200
    assert "Must be a calendar day such as 2025-10-30." in page_text(response)


def test_looks_leave_the_dry_runs_alone_and_wait_when_they_are_used_up(
    browser: Client, owner: User, settings: Any
) -> None:
    settings.ROWFERRY_PREVIEWS_PER_MINUTE, settings.ROWFERRY_DRY_RUNS_PER_MINUTE = 1, 1
    browser.post(PREVIEW, CSV)
    response = browser.post(PREVIEW, CSV)
    assert response.status_code == 200
    assert "You can export all the same." in page_text(response)
    assert 'hx-trigger="load delay:' in page_text(response)
    assert not QuotaUse.objects.filter(user=owner, allowance=quota.DRY_RUNS).exists()
    assert browser.post("/new/assets", CSV).status_code == 200


def test_a_look_without_a_right_is_refused(client: Client, db: None) -> None:
    client.force_login(UserFactory())
    assert client.post(PREVIEW, CSV).status_code == 403


def test_a_part_of_a_page_leads_to_the_login_as_a_whole(client: Client, db: None) -> None:
    response = client.post(PREVIEW, CSV, headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"


def test_choices_are_found_by_a_piece_of_their_title(browser: Client) -> None:
    wanted, other = LocationFactory(name="Far Away"), LocationFactory(name="Nearby")
    text = page_text(browser.post(LOCATIONS, {"find.location_id": "far"}))
    assert f'value="{wanted.pk}">Far Away' in text
    assert other.name not in text
    assert "(none)" not in text


def test_what_is_ticked_stays_while_one_searches(browser: Client) -> None:
    kept = LocationFactory(name="Kept")
    page = Page(
        browser.post(LOCATIONS, {"find.location_id": "zzz", "filters.location_id": ["null", str(kept.pk), "junk"]})
    )
    assert checked_values(page, "filters.location_id") == ["null", str(kept.pk)]


def test_a_search_finds_what_the_first_list_is_too_short_for(browser: Client) -> None:
    last = [LocationFactory(name=f"Room {number:03}") for number in range(205)][-1]
    assert f'value="{last.pk}"' not in browser.get("/new/assets").content.decode()
    assert f'value="{last.pk}"' in page_text(browser.post(LOCATIONS, {"find.location_id": "Room 204"}))


def test_a_choice_beyond_the_list_comes_back_by_its_name(browser: Client) -> None:
    last = [LocationFactory(name=f"Room {number:03}") for number in range(205)][-1]
    body = CSV | {"filters.location_id": [str(last.pk)], "filters.date_from": "wrong"}
    page = Page(browser.post("/new/assets", body))
    assert checked_values(page, "filters.location_id") == [str(last.pk)]
    assert "Room 204" in page.text


@pytest.mark.parametrize("address", ["/new/assets/choices/search", "/new/assets/choices/nope", "/new/x/choices/y"])
def test_only_lists_can_be_searched(browser: Client, address: str) -> None:
    assert browser.post(address, {"find.y": "a"}).status_code == 404


def test_choices_of_a_filter_are_for_those_who_may_use_it(owner: User) -> None:
    person = UserFactory(username="wanted")
    assert (person.pk, "wanted") in catalogue.choices("assets", owner, "assigned_to", "wan").offered
    with pytest.raises(NotFound):
        catalogue.choices("assets", owner, "search")


def test_the_switch_of_a_filter_that_is_not_set_says_nothing(browser: Client, exports: Exports) -> None:
    browser.post("/new/assets", CSV | {"filters.include_sublocations": "true"})
    assert exports()[0].spec["filters"] == {}


def test_columns_come_in_the_order_in_which_they_are_sent(browser: Client, exports: Exports) -> None:
    browser.post("/new/assets", {"format": "csv", "columns": ["name", "status", "id"]})
    assert exports()[0].spec["columns"] == ["name", "status", "id"]
    page = Page(browser.get(f"/exports/{exports()[0].pk}/edit"))
    assert checked_values(page, "columns") == ["name", "status", "id"]
    assert page.values("input", name="columns")[:3] == ["name", "status", "id"]


def test_an_export_is_edited_with_all_that_it_was_asked_for(browser: Client, exports: Exports) -> None:
    location = LocationFactory(name="Depot")
    body = {
        "format": "csv",
        "columns": ["name"],
        "filters.location_id": ["null", str(location.pk)],
        "filters.include_sublocations": "true",
        "filters.search": "needle",
        "filters.date_from": "2025-01-31",
        "csv.delimiter": "tab",
        "headers": "labels",
        "time_zone": "Europe/Berlin",
        "sort_by": "name",
    }
    browser.post("/new/assets", body)
    page = Page(browser.get(f"/exports/{exports()[0].pk}/edit"))
    assert checked_values(page, "filters.location_id") == ["null", str(location.pk)]
    assert checked_values(page, "filters.include_sublocations") == ["true"]
    assert page.values("input", name="filters.search") == ["needle"]
    assert page.values("input", name="filters.date_from") == ["2025-01-31"]
    assert page.values("input", name="time_zone") == ["Europe/Berlin"]
    assert checked_values(page, "csv.bom") == []
    assert {"tab", "labels", "name"} <= {a["value"] for a in page.all("option") if "selected" in a}
    assert "Filled in like" in page.text


def test_run_again_makes_the_same_anew(browser: Client, owner: User, exports: Exports) -> None:
    AssetFactory()
    old = queue_export(owner, columns=["id"])
    run_next()
    response = browser.post(f"/exports/{old.pk}/again")
    assert b"".join(response.streaming_content).startswith(b"\xef\xbb\xbfid")
    assert [one.spec for one in exports()] == [old.spec, old.spec]


def order_key(page: Page, nth: int = 0) -> str:
    return page.values("input", name="order_key")[nth]


def test_a_form_that_is_sent_twice_orders_one_export(browser: Client, exports: Exports) -> None:
    form = CSV | {"async": "on", "order_key": order_key(Page(browser.get("/new/assets")))}
    first, second = browser.post("/new/assets", form), browser.post("/new/assets", form)
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"]) == (302, "/")
    assert len(exports()) == 1
    assert first.cookies["rowferry_answered"].value == form["order_key"]


def test_a_file_that_is_asked_for_twice_by_one_form_is_the_same(browser: Client, exports: Exports) -> None:
    AssetFactory()
    form = CSV | {"order_key": order_key(Page(browser.get("/new/assets")))}
    first, second = browser.post("/new/assets", form), browser.post("/new/assets", form)
    assert first["X-Export-Id"] == second["X-Export-Id"] == str(exports()[0].pk)
    assert b"".join(first.streaming_content) == b"".join(second.streaming_content)


def test_a_form_that_was_changed_orders_another_export(browser: Client, exports: Exports) -> None:
    form = CSV | {"async": "on", "order_key": "same"}
    browser.post("/new/assets", form)
    browser.post("/new/assets", form | {"columns": ["name"]})
    assert [one.spec["columns"] for one in exports()] == [["name"], ["id", "name"]]


def test_every_form_has_a_key_of_its_own(browser: Client) -> None:
    first, second = (order_key(Page(browser.get("/new/assets"))) for _ in range(2))
    assert first != second
    refused = browser.post("/new/assets", CSV | {"columns": [], "order_key": first})
    assert order_key(Page(refused)) not in (first, second)


def test_a_list_is_exported_once_by_a_form_that_is_sent_twice(browser: Client, exports: Exports) -> None:
    AssetFactory()
    page = Page(browser.get("/lists/assets/export"))
    form = {a["name"]: a["value"] for a in page.all("input", type="hidden")} | {"columns": ["id"], "format": "csv"}
    for _ in range(2):
        browser.post("/new/assets", form)
    assert len(exports()) == 1


def test_run_again_that_is_pressed_twice_runs_once(browser: Client, owner: User, exports: Exports) -> None:
    AssetFactory()
    old = queue_export(owner, columns=["id"])
    run_next()
    key = order_key(Page(browser.get("/")))
    first, second = (browser.post(f"/exports/{old.pk}/again", {"order_key": key}) for _ in range(2))
    assert first["X-Export-Id"] == second["X-Export-Id"]
    assert len(exports()) == 2


@pytest.mark.parametrize("address", ["edit", "again"])
def test_nobody_runs_somebody_elses_again(other_browser: Client, owner: User, address: str) -> None:
    export = queue_export(owner)
    asked = other_browser.get if address == "edit" else other_browser.post
    assert asked(f"/exports/{export.pk}/{address}").status_code == 404


def test_the_body_of_an_export_is_one_that_the_api_takes(owner: User) -> None:
    export = queue_export(owner, columns=["name", "id"], filters={"search": "it's"})
    body = json.loads(json.dumps(submission.body_of(export)))
    assert submission.enqueue("assets", body, owner).spec == export.spec


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "expired", "deleted", "pending", "processing"])
def test_every_export_can_be_edited_whatever_became_of_it(browser: Client, owner: User, status: Any) -> None:
    export = create_export_in_state(owner, status)
    assert browser.get(f"/exports/{export.pk}/edit").status_code == 200


def chosen(page: Page) -> set[str]:
    return {option["value"] for option in page.all("option") if "selected" in option}


@pytest.mark.parametrize(("language", "delimiter"), [("en", ","), ("de", ";")])
def test_the_delimiter_is_the_one_of_the_readers_spreadsheet(
    browser: Client, owner: User, language: str, delimiter: str
) -> None:
    page = Page(browser.get("/new/assets", headers={"Accept-Language": language}))
    assert chosen(page) & {",", ";", "tab", "|"} == {delimiter}
    old = queue_export(owner, csv={"delimiter": "|", "formula_guard": "strict"})
    page = Page(browser.get(f"/exports/{old.pk}/edit", headers={"Accept-Language": language}))
    assert chosen(page) & {",", ";", "tab", "|", "strict"} == {"|", "strict"}


@pytest.mark.parametrize(("said", "kept"), [("True", True), ("False", False), ("strict", "strict")])
def test_the_formula_guard_is_one_of_three(browser: Client, exports: Exports, said: str, kept: object) -> None:
    browser.post("/new/assets", CSV | {"csv.formula_guard": said})
    assert [exports()[0].spec["options"]["formula_guard"]] == [kept]
