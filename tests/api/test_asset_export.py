"""Contract 3.1: an order of assets, by the number of its rows and by what it asks for."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from rowferry.assets.models import Asset
from rowferry.exports.models import Export
from tests.api.conftest import ApiClient, content, create_assets, lines, problem
from tests.factories.assets import AssetFactory, AssetStatusFactory, LocationFactory

DEFAULTS = (
    "id,name,asset_tag,serial_number,status_id,location_id,assigned_to,manufacturer_id,asset_type_id,"
    "purchase_date,warranty_expiry_date,created_at,updated_at"
)


def test_a_few_rows_are_answered_at_once_as_a_whole_file(api: ApiClient, assets: list[Asset]) -> None:
    answer = api.create_export()
    body = content(answer)
    export = Export.objects.get()
    digest = hashlib.sha256(body)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="assets_{datetime.now(UTC):%Y-%m-%d}.csv"'
    assert answer["Content-Length"] == str(len(body))
    assert answer["ETag"] == f'"{digest.hexdigest()}"'
    assert answer["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer["X-Export-Id"] == str(export.pk)
    assert answer["Location"] == f"http://testserver/api/v1/exports/{export.pk}"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert (export.mode, export.status, export.exported_items) == ("immediate", "completed", 3)


def test_without_columns_come_the_thirteen_of_the_contract(api: ApiClient, assets: list[Asset]) -> None:
    found = lines(api.create_export())
    assert found[0] == DEFAULTS
    assert [row.split(",")[2] for row in found[1:]] == [asset.asset_tag for asset in assets]


def test_more_rows_are_streamed(api: ApiClient) -> None:
    create_assets(7)
    answer = api.create_export()
    assert answer.streaming
    assert answer.status_code == 200
    assert not answer.has_header("Content-Length")
    assert not answer.has_header("ETag")
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["X-Export-Id"] in answer["Location"]
    assert len(lines(answer)) == 8
    assert Export.objects.get().status == "completed"


def test_many_rows_are_queued(api: ApiClient) -> None:
    create_assets(11)
    answer = api.create_export()
    found = answer.json()
    export = Export.objects.get()
    here = f"http://testserver/api/v1/exports/{export.pk}"
    assert answer.status_code == 202
    assert found.keys() == {
        "export_id",
        "status",
        "mode",
        "mode_reason",
        "message",
        "estimated_wait",
        "total_items",
        "status_url",
        "logs_url",
    }
    assert (found["export_id"], found["status"], found["mode"]) == (str(export.pk), "pending", "queued")
    assert (found["total_items"], found["status_url"], found["logs_url"]) == (11, here, f"{here}/logs")
    assert "11 rows" in found["mode_reason"]
    assert found["estimated_wait"] >= 1
    assert answer["Location"] == here
    assert int(answer["Retry-After"]) >= 1
    queued = "Your export of 11 rows is queued. It will be at status_url when it is done. "
    assert found["message"] == f"{queued}A mail to owner@example.com will say when it is done."


@pytest.mark.parametrize("email, wanted", [("owner@example.com", False), ("", True)], ids=["no wish", "no address"])
def test_answer_says_that_no_mail_will_come(api: ApiClient, owner: User, email: str, wanted: bool) -> None:
    create_assets(1)
    User.objects.filter(pk=owner.pk).update(email=email)
    message = api.create_export(email_notification=wanted, **{"async": True}).json()["message"]
    queued = "Your export of 1 row is queued. It will be at status_url when it is done."
    assert message == f"{queued} No mail will be sent."


@pytest.mark.parametrize(
    "rows, mode", [(999, "immediate"), (1_000, "streamed"), (10_000, "streamed"), (10_001, "queued")]
)
def test_the_bounds_are_those_of_the_contract_unless_set(api: ApiClient, settings: Any, rows: int, mode: str) -> None:
    del settings.ROWFERRY_IMMEDIATE_BELOW, settings.ROWFERRY_QUEUE_ABOVE, settings.ROWFERRY_REQUEST_ROW_LIMIT
    create_assets(rows)
    assert api.create_export(dry_run=True, columns=["id"]).json()["mode"] == mode


def test_async_true_queues_however_few(api: ApiClient, assets: list[Asset]) -> None:
    assert api.create_export(**{"async": True}).status_code == 202


def test_async_false_answers_many_here_up_to_the_hard_limit(api: ApiClient) -> None:
    create_assets(20)
    assert len(lines(api.create_export(**{"async": False}))) == 21
    AssetFactory()
    found = problem(api.create_export(**{"async": False}), 422)
    assert list(found["errors"]) == ["async"]


def test_prefer_respond_async_means_async_true(api: ApiClient, assets: list[Asset]) -> None:
    answer = api.post("/assets/export", {"format": "csv"}, prefer="wait=5, Respond-Async; x=1")
    assert answer.status_code == 202
    assert answer["Preference-Applied"] == "respond-async"


def test_async_false_outweighs_prefer(api: ApiClient, assets: list[Asset]) -> None:
    answer = api.post("/assets/export", {"format": "csv", "async": False}, prefer="respond-async")
    assert answer.status_code == 200
    assert not answer.has_header("Preference-Applied")


def test_columns_come_in_the_order_asked_for(api: ApiClient, assets: list[Asset]) -> None:
    found = lines(api.create_export(columns=["asset_tag", "status", "id"]))
    assert found[0] == "asset_tag,status,id"
    assert found[1] == f"{assets[0].asset_tag},In use,{assets[0].pk}"


@pytest.mark.parametrize("columns", [[], ["id", "colour"], ["id", "id"], "id", [1], [None], {"id": 1}])
def test_wrong_columns_are_answered_with_the_right_ones(api: ApiClient, assets: list[Asset], columns: Any) -> None:
    found = problem(api.create_export(columns=columns), 422)
    assert "serial_number" in found["errors"]["columns"][0]


def test_filters_all_have_to_hold(api: ApiClient) -> None:
    status, place = AssetStatusFactory(name="Retired"), LocationFactory()
    wanted = AssetFactory(status=status, location=place)
    AssetFactory(status=status)
    AssetFactory(location=place)
    answer = api.create_export(columns=["id"], filters={"status_id": [status.pk, "999"], "location_id": place.pk})
    assert lines(answer) == ["id", str(wanted.pk)]


def test_a_filter_that_matches_nothing_leaves_the_header(api: ApiClient, assets: list[Asset]) -> None:
    answer = api.create_export(columns=["id", "name"], filters={"status_id": 987654321})
    assert answer.status_code == 200
    assert lines(answer) == ["id,name"]


def test_rows_are_sorted_as_asked(api: ApiClient) -> None:
    for name in ("b", "c", "a"):
        AssetFactory(name=name)
    assert lines(api.create_export(columns=["name"], sort_by="name", sort_order="desc")) == ["name", "c", "b", "a"]


def test_the_header_can_hold_labels(api: ApiClient, assets: list[Asset]) -> None:
    assert lines(api.create_export(columns=["id", "asset_tag"], headers="labels"))[0] == "ID,Asset tag"


def test_times_are_on_the_clock_of_the_zone_asked_for(api: ApiClient) -> None:
    AssetFactory(created_at=datetime(2025, 10, 30, 23, 30, tzinfo=UTC))
    asked = {"columns": ["created_at"], "time_zone": "Europe/Berlin", "filters": {"date_from": "2025-10-31"}}
    assert lines(api.create_export(**asked))[1] == "2025-10-31T00:30:00+01:00"
    assert len(lines(api.create_export(**asked | {"time_zone": "UTC"}))) == 1


def test_nested_json_has_objects(api: ApiClient, assets: list[Asset]) -> None:
    row = api.create_export(format="json", columns=["id", "status_id"], nested=True)
    rows = json.loads(content(row))["data"]
    assert rows[0] == {"id": assets[0].pk, "status": {"id": assets[0].status_id, "name": "In use"}}


def test_a_file_is_kept_and_listed_like_any_other(api: ApiClient, assets: list[Asset]) -> None:
    body = content(api.create_export())
    export = api.get("/exports").json()["data"][0]
    assert content(api.get(f"/exports/{export['export_id']}/download")) == body


def test_a_file_is_forgotten_if_the_client_says_so(api: ApiClient, assets: list[Asset]) -> None:
    answer = api.create_export(keep=False)
    assert len(lines(answer)) == 4
    assert api.get("/exports").json()["data"] == []
    problem(api.get(f"/exports/{answer['X-Export-Id']}/download"), 404)


def test_a_stream_is_forgotten_too_if_the_client_says_so(api: ApiClient) -> None:
    create_assets(7)
    answer = api.create_export(keep=False)
    assert len(lines(answer)) == 8
    problem(api.get(f"/exports/{answer['X-Export-Id']}/download"), 404)


def test_a_queued_export_has_to_be_kept(api: ApiClient, assets: list[Asset]) -> None:
    assert "keep" in problem(api.create_export(keep=False, **{"async": True}), 422)["errors"]


@pytest.mark.parametrize("wish, notified", [({}, True), ({"email_notification": False}, False)])
def test_mail_is_sent_for_queued_exports_unless_it_is_not_wanted(
    api: ApiClient, assets: list[Asset], wish: dict[str, bool], notified: bool
) -> None:
    assert api.queue_export(**wish).notify is notified


def test_no_mail_for_what_is_answered_here(api: ApiClient, assets: list[Asset]) -> None:
    content(api.create_export())
    assert Export.objects.get().notify is False


def test_a_dry_run_says_what_would_be_and_stores_nothing(api: ApiClient) -> None:
    create_assets(12, serial_number="=1+1")
    answer = api.create_export(columns=["id", "serial_number"], dry_run=True)
    found = answer.json()
    assert answer.status_code == 200
    assert found.keys() == {
        "status",
        "format",
        "mode",
        "mode_reason",
        "total_items",
        "preview_count",
        "preview",
        "estimated_file_size",
        "estimated_wait",
        "warnings",
    }
    assert (found["status"], found["format"], found["mode"]) == ("DRY_RUN_SUCCESS", "csv", "queued")
    assert (found["total_items"], found["preview_count"], len(found["preview"])) == (12, 10, 10)
    assert found["preview"][0].keys() == {"id", "serial_number"}
    assert found["estimated_file_size"] > 12
    assert any("formula" in warning for warning in found["warnings"])
    assert not Export.objects.exists()


def test_the_exported_rows_are_left_as_they_were(api: ApiClient, assets: list[Asset]) -> None:
    before = list(Asset.objects.order_by("pk").values())
    content(api.create_export())
    api.run_export()
    assert list(Asset.objects.order_by("pk").values()) == before
