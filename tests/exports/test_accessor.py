"""The door from Python: one call, and the file is there."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pytest

from rowferry.assets.models import Asset
from rowferry.exports.errors import InvalidRequest, NotPermitted
from rowferry.exports.execution import queued
from rowferry.exports.execution.preview import Preview
from rowferry.exports.models import Export, Status
from rowferry.tickets.models import Ticket
from tests.factories.assets import AssetFactory
from tests.factories.people import UserFactory
from tests.factories.tickets import TicketFactory

pytestmark = pytest.mark.django_db


def content(export: Export) -> bytes:
    with Asset.exports.open(export) as file:
        return file.read()


def test_csv_in_one_call(owner):
    asset, _ = AssetFactory(name="Laptop"), AssetFactory(status__name="In repair")
    export = Asset.exports.to_csv(filters={"status_id": asset.status_id}, columns=["id", "name"], user=owner)
    text = content(export).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [["id", "name"], [str(asset.pk), "Laptop"]]
    assert (export.status, export.exported_items, export.user) == (Status.COMPLETED, 1, owner)


def test_excel_in_one_call():
    AssetFactory(name="Laptop")
    sheet = openpyxl.load_workbook(io.BytesIO(content(Asset.exports.to_excel(columns=("name",)))))
    assert list(sheet.worksheets[0].iter_rows(values_only=True)) == [("name",), ("Laptop",)]


def test_json_in_one_call():
    ticket = TicketFactory(subject="No mail")
    export = Ticket.exports.to_json(columns=["ticket_code", "status"], nested=True, sort_by="created_at")
    row = json.loads(content(export))["data"][0]
    assert row == {"ticket_code": ticket.ticket_code, "status": {"id": ticket.status_id, "name": "New"}}


def test_options_of_the_format_are_keywords():
    AssetFactory(name="a;b")
    export = Asset.exports.to_csv(columns=["name"], csv={"delimiter": ";", "bom": False}, headers="labels")
    assert content(export) == b'Name\r\n"a;b"\r\n'


def test_it_takes_as_many_rows_as_there_are_and_no_quota(settings, owner):
    settings.ROWFERRY_QUEUE_ABOVE = settings.ROWFERRY_REQUEST_ROW_LIMIT = settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    AssetFactory.create_batch(5)
    assert [Asset.exports.run(format="csv", user=owner).exported_items for _ in range(3)] == [5, 5, 5]


def test_queued_it_waits_for_a_worker(owner):
    AssetFactory()
    export = Asset.exports.run(format="csv", queue=True, user=owner)
    assert export.status == Status.PENDING
    queued.run_next()
    export.refresh_from_db()
    assert (export.status, export.exported_items) == (Status.COMPLETED, 1)


def test_a_dry_run_stores_nothing():
    AssetFactory()
    preview = Asset.exports.run(format="excel", dry_run=True)
    assert isinstance(preview, Preview)
    assert (preview.total, len(preview.rows)) == (1, 1)
    assert not Export.objects.exists()


def test_the_rights_of_the_user_hold():
    with pytest.raises(NotPermitted):
        Asset.exports.to_csv(user=UserFactory())
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "request_, field",
    [({"colums": ["id"]}, "colums"), ({"filters": {"x": 1}}, "filters.x"), ({"columns": ["x"]}, "columns")],
)
def test_what_is_wrong_is_named(request_, field):
    with pytest.raises(InvalidRequest) as raised:
        Asset.exports.to_csv(**request_)
    assert field in raised.value.errors


def test_the_export_is_in_the_history_of_its_user(owner):
    export = Asset.exports.to_csv(user=owner)
    assert [each.pk for each in owner.rowferry_exports.all()] == [export.pk]
    assert Asset.exports.to_csv().user is None


def test_async_queues_as_in_the_api(owner):
    AssetFactory()
    export = Asset.exports.to_csv(user=owner, **{"async": True})
    assert (export.status, export.mode) == (Status.PENDING, "queued")
    assert Asset.exports.to_csv(user=owner, **{"async": False}).status == Status.COMPLETED


def test_async_that_contradicts_queue_is_refused(owner):
    with pytest.raises(InvalidRequest, match="async: queue=True"):
        Asset.exports.run(format="csv", user=owner, queue=True, **{"async": False})
    with pytest.raises(InvalidRequest, match="async: "):
        Asset.exports.run(format="csv", user=owner, **{"async": "later"})
    assert not Export.objects.exists()
