"""The shape of the work: how many statements, and memory that does not grow with the rows. No seconds here."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from rowferry.assets.models import Asset, AssetStatus, AssetType
from rowferry.exports import submission
from rowferry.exports.databases import connection_pool, open_reader
from rowferry.exports.execution import queued
from rowferry.exports.execution.pipeline import Tally, write_rows
from rowferry.exports.formats import FileHeader
from rowferry.exports.planning.plan import build_plan
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources import registry
from rowferry.tickets.models import Ticket
from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.people import UserFactory
from tests.factories.tickets import TicketFactory


@contextmanager
def statements(table: str) -> Iterator[list[str]]:
    """What every connection of this process, also the engine's own, asks of a table."""
    seen: list[str] = []

    def listen(sql: str) -> None:
        if f'"{table}"' in sql and sql.lstrip().upper().startswith(("SELECT", "COPY", "WITH")):
            seen.append(sql)

    def watch(connection, **_) -> None:
        connection.connection.set_trace_callback(listen)

    connection_created.connect(watch)
    connection.ensure_connection()
    connection.connection.set_trace_callback(listen)
    try:
        yield seen
    finally:
        connection_created.disconnect(watch)
        connection.connection.set_trace_callback(None)


if connection.vendor == "sqlite":

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("resource", ["assets", "tickets"])
    @pytest.mark.parametrize("made", ["csv", "excel", "json"])
    @pytest.mark.parametrize("rows", [3, 30])
    def test_one_export_is_one_count_and_one_read_with_all_labels(resource, made, rows):
        person = UserFactory()
        for _ in range(rows):
            if resource == "assets":
                AssetFactory(assigned_to=person, location=LocationFactory())
            else:
                TicketFactory(assigned_to=person)
        body = {"format": made, "columns": [*registry.resource(resource).by_name]}
        with statements({"assets": Asset, "tickets": Ticket}[resource]._meta.db_table) as seen:
            for _ in submission.perform(resource, body, None)[1]:
                pass
        assert Counter("COUNT(" in sql for sql in seen) == {True: 1, False: 1}

    @pytest.mark.django_db
    def test_inside_a_transaction_it_is_one_count_and_one_read_too():
        AssetFactory.create_batch(5)
        with statements("assets_asset") as seen:
            for _ in submission.perform("assets", {"format": "csv"}, None)[1]:
                pass
        assert len(seen) == 2


@contextmanager
def all_statements() -> Iterator[list[str]]:
    """What every connection of this process, also the engine's own, asks through Django."""
    seen: list[str] = []

    def note(execute, sql, params, many, context):
        if not sql.startswith(("BEGIN", "START", "SET", "PRAGMA", "SAVEPOINT", "RELEASE")):
            seen.append(sql)
        return execute(sql, params, many, context)

    def watch(connection, **_) -> None:
        connection.execute_wrappers.append(note)

    connection_pool.close_all()  # so that every reader connects while we look
    connection_created.connect(watch)
    try:
        with connection.execute_wrapper(note):
            yield seen
    finally:
        connection_created.disconnect(watch)
        connection_pool.close_all()


MOST_STATEMENTS = {"in the request": 15, "queue": 10, "worker": 17}
MORE = {"sqlite": 1, "mysql": 1}
"""SQLite locks a quota by an UPDATE; the reader of MariaDB asks for the tables' character sets."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rows", [3, 30], ids=["immediate", "streamed"])
def test_an_export_in_the_request_is_a_handful_of_statements(owner, settings, rows):
    settings.ROWFERRY_IMMEDIATE_BELOW = 10
    AssetFactory.create_batch(rows)
    submission.submit("assets", {"format": "csv", "async": True}, owner)  # makes the row of the quota
    owner.has_perm("assets.export_asset")
    with all_statements() as seen:
        answer = submission.submit("assets", {"format": "csv"}, owner)
        if isinstance(answer, submission.Streamed):
            assert len(b"".join(answer.chunks).splitlines()) == rows + 1
        else:
            answer.file.stream.close()
    assert "COUNT(" in "".join(seen)
    assert len(seen) <= MOST_STATEMENTS["in the request"] + MORE.get(connection.vendor, 0), seen


@pytest.mark.django_db(transaction=True)
def test_a_queued_export_is_a_handful_of_statements(owner):
    AssetFactory.create_batch(3)
    submission.submit("assets", {"format": "csv", "async": True, "email_notification": False}, owner)
    queued.run_next()
    with all_statements() as seen:
        submission.submit("assets", {"format": "csv", "async": True, "email_notification": False}, owner)
    assert len(seen) <= MOST_STATEMENTS["queue"] + MORE.get(connection.vendor, 0), seen
    with all_statements() as seen:
        queued.run_next()
    assert len(seen) <= MOST_STATEMENTS["worker"] + MORE.get(connection.vendor, 0), seen


def peak_of(body: dict[str, object], rows: int) -> int:
    """Bytes that Python held at most while it wrote so many rows to nowhere."""
    plan = build_plan(ExportSpec.parse("assets", body), None)
    order = FileHeader(
        export_id="",
        resource="assets",
        resource_label="Assets",
        format=plan.spec.format,
        exported_at=datetime.now(UTC),
        item_count=rows,
        columns=plan.format_columns,
    )
    tally = Tally()
    with open_reader("default") as reader:
        tracemalloc.start()
        for _ in write_rows(plan, reader, plan.writer_class(order, NullStream()), tally):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert tally.rows == rows
    return peak


class NullStream(io.RawIOBase):
    """A stream that forgets."""

    def write(self, data) -> int:
        return len(data)


def fill(first: int, last: int) -> None:
    status, kind = (
        AssetStatus.objects.get_or_create(name="In use")[0],
        AssetType.objects.get_or_create(name="Laptop")[0],
    )
    Asset.objects.bulk_create(
        (Asset(name=f"Laptop {n}", asset_tag=f"T{n}", status=status, asset_type=kind) for n in range(first, last)),
        batch_size=1_000,
    )


@pytest.mark.django_db
def test_five_times_the_rows_need_no_more_memory():
    bodies = [{"format": made} for made in ("csv", "excel", "json")]
    fill(0, 100)
    for body in bodies:
        peak_of(body, 100)
    fill(100, 20_000)
    few = [peak_of(body, 20_000) for body in bodies]
    fill(20_000, 100_000)
    many = [peak_of(body, 100_000) for body in bodies]
    assert [more / less for less, more in zip(few, many, strict=True)] == pytest.approx([1, 1, 1], abs=0.15)
