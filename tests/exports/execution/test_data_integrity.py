"""What was asked, what was counted and what is in the file agree, and the data is as it was."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import openpyxl
import pytest
from django.db import connection

from rowferry.exports import submission
from rowferry.exports.databases import READERS
from rowferry.exports.encoding.blocks import CELL, CellBlock, split
from rowferry.exports.errors import RowsMissing, UnexpectedFault
from rowferry.exports.execution import queued
from rowferry.exports.models import Event, Export, ExportLog, Status
from rowferry.exports.persistent_names import MANIFEST_SUFFIX
from rowferry.exports.resources import registry
from rowferry.exports.storage import storage
from rowferry.tickets.models import Ticket
from tests.exports.formats.files import parquet_rows
from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.people import UserFactory
from tests.factories.resources import values
from tests.factories.tickets import TicketFactory
from tests.support.making import content, run_export

TEXTS = (
    'say "hi", it\'s; ok',
    "two\r\nlines",
    "tab\there",
    "=1+1",
    "-5",
    "Zoë \U0001f600",
    "",
    " edge ",
    "\\N",
    "null",
)


def fill_assets() -> None:
    person, place = UserFactory(first_name="Zoë", last_name="=O’Connor"), LocationFactory(name="Lager, 1\u00ba")
    for number, text in enumerate(TEXTS):
        AssetFactory(
            name=text,
            serial_number=f"{number:020d}" if number % 2 else None,
            assigned_to=person if number % 2 else None,
            location=place if number % 3 else None,
            purchase_date=date(2024, 2, 29) if number % 2 else None,
            warranty_expiry_date=date(1900, 3, 1) + timedelta(days=number),
            created_at=datetime(2025, 10, 26, 0, 30, number, 123_000, tzinfo=UTC),
        )


def fill_tickets() -> None:
    person = UserFactory()
    for number, text in enumerate(TEXTS):
        TicketFactory(
            subject=text,
            description=text * 3,
            assigned_to=person if number % 2 else None,
            is_open=bool(number % 2),
            due_date=datetime(2025, 3, 30, 1, number, tzinfo=UTC) if number % 3 else None,
        )


FILL = {"assets": fill_assets, "tickets": fill_tickets}


def as_csv(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return in_utc(value)
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else str(value)


def as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return in_utc(value)
    return str(value) if isinstance(value, date) else value


def in_utc(value: datetime) -> str:
    text = value.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0') if '.' in text else text}Z"


def in_sheet(value: Any) -> Any:
    """As openpyxl gives it back: no zones, midnight for a day."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    return value


def alike(cell: Any, value: Any) -> bool:
    """Equal; two instants to the millisecond, which is what a sheet can show."""
    if isinstance(cell, datetime) and isinstance(value, datetime):
        return abs(cell - value) <= timedelta(milliseconds=1)
    return type(cell) is type(value) and bool(cell == value)


@pytest.mark.django_db
@pytest.mark.parametrize("resource", FILL)
class TestCellByCell:
    @pytest.fixture(autouse=True)
    def rows(self, resource: str) -> None:
        FILL[resource]()
        declared = registry.resource(resource)
        self.columns, self.expected = [*declared.by_name], values(declared)

    def test_csv_is_what_the_database_holds(self, resource):
        text = content(run_export(resource, format="csv", columns=self.columns)).decode("utf-8-sig")
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        assert header == self.columns
        assert rows == [[as_csv(value) for value in row.values()] for row in self.expected]

    def test_tsv_is_what_the_database_holds(self, resource):
        text = content(run_export(resource, format="tsv", columns=self.columns)).decode()
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
        assert header == self.columns
        assert rows == [[as_csv(value) for value in row.values()] for row in self.expected]

    def test_ndjson_is_what_the_database_holds(self, resource):
        lines = content(run_export(resource, format="ndjson", columns=self.columns)).decode().splitlines()
        assert [json.loads(line) for line in lines] == [
            {name: as_json(value) for name, value in row.items()} for row in self.expected
        ]

    def test_parquet_is_what_the_database_holds(self, resource):
        export = run_export(resource, format="parquet", columns=self.columns)
        assert parquet_rows(content(export)) == self.expected
        assert export.manifest["adjustments"] == {}

    def test_json_is_what_the_database_holds(self, resource):
        found = json.loads(content(run_export(resource, format="json", columns=self.columns)))
        assert found["data"] == [{name: as_json(value) for name, value in row.items()} for row in self.expected]
        assert (found["item_count"], found["columns"]) == (len(self.expected), self.columns)

    def test_excel_is_what_the_database_holds(self, resource):
        file = io.BytesIO(content(run_export(resource, format="excel", columns=self.columns)))
        sheet = openpyxl.load_workbook(file).worksheets[0]
        header, *rows = sheet.iter_rows(values_only=True)
        assert [*header] == self.columns
        for row, expected in zip(rows, self.expected, strict=True):
            assert [
                (cell, in_sheet(value))
                for cell, value in zip(row, expected.values(), strict=True)
                if not alike(cell, in_sheet(value))
            ] == []

    def test_nested_json_is_what_the_database_holds(self, resource):
        found = json.loads(content(run_export(resource, format="json", columns=self.columns, nested=True)))
        declared = registry.resource(resource)
        for row, expected in zip(found["data"], self.expected, strict=True):
            for name, value in expected.items():
                nest = declared.by_name[name].nest
                cell = row[name] if nest is None else (row[nest[0]] or {}).get(nest[1])
                assert cell == as_json(value)

    def test_the_rows_are_as_they_were(self, resource):
        model = registry.resource(resource).model
        before = list(model.objects.order_by("pk").values())
        for name in ("csv", "excel", "json"):
            run_export(resource, format=name, columns=self.columns)
        assert list(model.objects.order_by("pk").values()) == before

    def test_the_manifest_tells_the_truth(self, resource):
        export = run_export(resource, format="csv", columns=self.columns, time_zone="Europe/Berlin")
        data = content(export)
        with storage().open(f"{export.file_key}{MANIFEST_SUFFIX}") as file:
            manifest = json.load(file)
        assert manifest == export.manifest
        assert manifest["sha256"] == hashlib.sha256(data).hexdigest() == export.sha256
        assert manifest["bytes"] == len(data) == export.file_size
        assert (manifest["rows_expected"], manifest["rows_written"], manifest["rows_failed"]) == (10, 10, 0)
        assert [column["name"] for column in manifest["columns"]] == self.columns
        declared = registry.resource(resource)
        assert [column["type"] for column in manifest["columns"]] == [declared.by_name[n].kind for n in self.columns]
        assert (manifest["time_zone"], manifest["export_id"]) == ("Europe/Berlin", str(export.pk))
        assert manifest["as_of"] <= export.completed_at.isoformat()

    def test_the_zone_of_the_request_is_that_of_the_file(self, resource):
        file = content(run_export(resource, format="json", columns=["created_at"], time_zone="Asia/Kolkata"))
        cells = [row["created_at"] for row in json.loads(file)["data"]]
        assert all(cell.endswith("+05:30") for cell in cells)
        assert [datetime.fromisoformat(cell) for cell in cells] == [row["created_at"] for row in self.expected]


Native = READERS[connection.vendor]


class RowDroppingReader(Native):
    """Loses the last row of what it reads."""

    def read(self, queryset, renderings, dialect):
        for block in super().read(queryset, renderings, None):
            cells = split(block.data, block.rows, len(renderings))[: -len(renderings)]
            yield CellBlock(CELL.join(cells), block.rows - 1)


class RowDoublingReader(Native):
    """Gives each block twice."""

    def read(self, queryset, renderings, dialect):
        for block in super().read(queryset, renderings, None):
            yield from (block, block)


class FailingReader(Native):
    """Ends in the middle with an error that nobody foresaw."""

    def read(self, queryset, renderings, dialect):
        yield from islice(super().read(queryset, renderings, None), 1)
        raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "reader, fault",
    [(RowDroppingReader, RowsMissing), (RowDoublingReader, RowsMissing), (FailingReader, UnexpectedFault)],
)
class TestBadReads:
    @pytest.fixture(autouse=True)
    def rows(self, monkeypatch, reader):
        AssetFactory.create_batch(5)
        monkeypatch.setitem(READERS, connection.vendor, reader)

    def test_no_file_is_published(self, reader, fault, storage_folder):
        with pytest.raises(fault):
            run_export("assets", format="csv")
        export = Export.objects.get()
        assert (export.status, export.error["code"], export.file_key) == (Status.FAILED, fault.code, "")
        assert not any(storage_folder.iterdir())
        assert ExportLog.objects.filter(export=export, event=Event.FAILED).count() == 1

    def test_the_worker_publishes_none_either(self, reader, fault, storage_folder, settings):
        settings.ROWFERRY_MAX_ATTEMPTS = 1
        export = submission.enqueue("assets", {"format": "json"}, None)
        queued.run_next()
        export.refresh_from_db()
        assert (export.status, export.error["code"]) == (Status.FAILED, fault.code)
        assert not any(storage_folder.iterdir())

    def test_a_stream_breaks_off(self, reader, fault, storage_folder, settings, owner):
        settings.ROWFERRY_IMMEDIATE_BELOW = 1
        answer = submission.submit("assets", {"format": "json"}, owner)
        assert isinstance(answer, submission.Streamed)
        sent = []
        with pytest.raises(fault):
            sent.extend(answer.chunks)
        assert not b"".join(sent).endswith(b"]}\n") or fault is RowsMissing
        answer.export.refresh_from_db()
        assert answer.export.status == Status.FAILED
        assert not any(storage_folder.iterdir())


@pytest.mark.django_db(transaction=True)
def test_a_client_that_goes_away_leaves_a_failed_export_and_no_file(owner, settings, storage_folder):
    settings.ROWFERRY_IMMEDIATE_BELOW = 1
    AssetFactory.create_batch(5)
    answer = submission.submit("assets", {"format": "csv"}, owner)
    assert isinstance(answer, submission.Streamed)
    next(iter(answer.chunks))
    answer.chunks.close()
    answer.export.refresh_from_db()
    assert (answer.export.status, answer.export.error["code"]) == (Status.FAILED, "client_gone")
    assert not any(storage_folder.iterdir())


@pytest.mark.django_db
def test_text_that_is_shortened_for_excel_is_counted():
    TicketFactory(description="x" * 40_000, subject="\x01")
    export = run_export("tickets", format="excel", columns=["subject", "description"])
    assert export.manifest["adjustments"] == {"replaced_characters": 1, "shortened_cells": 1}
    assert Ticket.objects.get().description == "x" * 40_000


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["csv", "excel", "json", "parquet", "tsv"])
def test_no_rows_are_a_file_with_its_header(name):
    export = run_export("assets", format=name, filters={"status_id": 999})
    assert (export.status, export.exported_items, export.total_items) == (Status.COMPLETED, 0, 0)
    assert content(export)
