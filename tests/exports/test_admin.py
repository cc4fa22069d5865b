"""The admin exports what is ticked in it, for who may, and never a part of it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from rowferry.assets.models import Asset
from rowferry.assets.resources.assets import AssetResource
from rowferry.exports.models import Export, ExportLog
from tests.api.conftest import content
from tests.conftest import may_export
from tests.factories.assets import AssetFactory
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/assets/asset/"


@pytest.fixture
def staff() -> User:
    """Somebody who looks after assets in the admin, and may export them."""
    user = may_export(UserFactory(is_staff=True))
    user.user_permissions.add(Permission.objects.get(codename="view_asset"))
    return user


def run_action(client: Client, kind: str, chosen: list[Asset], **more: Any) -> Any:
    keys = [asset.pk for asset in chosen]
    return client.post(LIST, {"action": f"export_{kind}", "_selected_action": keys, **more}, follow=True)


def test_the_ticked_rows_come_as_a_file(client: Client, staff: User) -> None:
    assets = AssetFactory.create_batch(5)
    client.force_login(staff)
    answer = run_action(client, "csv", assets[1:3])
    rows = list(csv.DictReader(io.StringIO(content(answer).decode("utf-8-sig"))))
    assert [int(row["id"]) for row in rows] == [asset.pk for asset in assets[1:3]]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    export = Export.objects.get()
    assert (export.user_name, export.status) == (staff.username, "completed")
    assert ExportLog.objects.filter(export=export, event="completed").exists()
    first = ExportLog.objects.get(export=export, event="initiated")
    assert (first.actor, first.on_behalf_of) == (export.actor, export.on_behalf_of)
    assert (export.actor or {})["id"] == str(staff.pk)
    assert export.on_behalf_of is None


def test_every_row_that_the_filters_leave_can_be_taken(client: Client, staff: User) -> None:
    assets = AssetFactory.create_batch(5)
    client.force_login(staff)
    answer = run_action(client, "json", assets[:1], select_across="1")
    assert len(json.loads(content(answer))["data"]) == 5


def test_too_many_rows_are_refused_and_not_cut(client: Client, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rowferry.exports.admin.MOST_VALUES", 3)
    assets = AssetFactory.create_batch(4)
    client.force_login(staff)
    answer = run_action(client, "csv", assets[:1], select_across="1")
    assert "at most 3 rows" in answer.content.decode()
    assert not Export.objects.exists()


def test_where_no_row_is_left_nothing_is_exported(client: Client, staff: User) -> None:
    AssetFactory.create_batch(2)
    client.force_login(staff)
    url = f"{LIST}?q=no-such-asset"
    client.post(url, {"action": "export_csv", "_selected_action": ["0"], "select_across": "1"}, follow=True)
    assert not Export.objects.exists()


def test_ticked_rows_that_are_not_theirs_are_not_left_out_in_silence(
    client: Client, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = [AssetFactory(name=name) for name in ("mine", "mine", "not mine", "not mine")]
    monkeypatch.setattr(AssetResource, "rows_for", lambda _, person: Asset.objects.filter(name="mine"))
    client.force_login(staff)
    answer = run_action(client, "csv", assets)
    assert "Nothing was exported: 2 of the 4 rows are not yours to export." in answer.content.decode()
    assert not Export.objects.exists()


def test_what_the_engine_refuses_is_said(client: Client, staff: User, settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    assets = AssetFactory.create_batch(2)
    client.force_login(staff)
    content(run_action(client, "csv", assets))
    assert "Nothing was exported" in run_action(client, "csv", assets).content.decode()
    assert Export.objects.count() == 1


def test_who_may_not_export_is_offered_nothing(client: Client, staff: User) -> None:
    asset = AssetFactory()
    staff.user_permissions.set(Permission.objects.filter(codename="view_asset"))
    client.force_login(staff)
    assert "Export selected" not in client.get(LIST).content.decode()
    run_action(client, "csv", [asset])
    assert not Export.objects.exists()


def test_an_action_for_every_format(client: Client, staff: User) -> None:
    AssetFactory()
    client.force_login(staff)
    page = client.get(LIST).content.decode()
    for label in ("CSV", "Excel", "JSON", "NDJSON", "TSV", "Parquet"):
        assert f"Export selected rows as {label}" in page
