"""CSV that the database writes itself is, byte by byte, the CSV that is made of cells."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from rowferry.exports.cells import Block
from rowferry.exports.delimited import Dialect
from rowferry.exports.errors import SourceFault
from rowferry.exports.kinds import Kind
from rowferry.exports.pipeline import Tally, convey
from rowferry.exports.plan import build_plan
from rowferry.exports.rendering import Rendering
from rowferry.exports.sinks import Order, SinkColumn
from rowferry.exports.sinks.csv import CsvSink
from rowferry.exports.sources import Reader, open_reader
from rowferry.exports.sources.postgresql import with_line_ends
from rowferry.exports.sources.reader import BLOCK_ROWS
from rowferry.exports.spec import ExportSpec
from tests.exports.probe import Probe, rendering
from tests.exports.test_text import HOSTILE
from tests.factories.assets import AssetFactory

ON_POSTGRESQL = connection.vendor == "postgresql"
COLUMNS = ("integer", "text", "decimal", "boolean", "day", "instant", "uuid", "clock", "span", "json")


@pytest.mark.parametrize(
    "rows, lines",
    [
        ([b"1,2\n", b"3,4\n"], b"1,2\r\n3,4\r\n"),
        ([b'"a\nb",2\n', b"3,4\n"], b'"a\nb",2\r\n3,4\r\n'),
        ([b'"a\r\nb"\n'], b'"a\r\nb"\r\n'),
        ([], b""),
    ],
)
def test_only_the_end_of_a_row_becomes_crlf(rows, lines):
    assert with_line_ends(rows) == lines


def sink_of(renderings: list[Rendering], delimiter: str) -> CsvSink:
    order = Order(
        export_id="",
        resource="probes",
        resource_label="Probes",
        format="csv",
        exported_at=datetime.now(UTC),
        item_count=None,
        columns=tuple(SinkColumn(str(one.path), str(one.path), one.kind) for one in renderings),
        options={"delimiter": delimiter, "bom": False},
    )
    return CsvSink(order, io.BytesIO())


def of_cells(reader: Reader, queryset: QuerySet[Probe], renderings: list[Rendering], delimiter: str) -> bytes:
    sink = sink_of(renderings, delimiter)
    for block in reader.blocks(queryset, renderings):
        sink.write(block)
    return sink.stream.getvalue()


def of_lines(reader: Reader, queryset: QuerySet[Probe], renderings: list[Rendering], delimiter: str) -> bytes:
    sink = sink_of(renderings, delimiter)
    lines = reader.lines(queryset, renderings, sink.dialect)
    assert lines is not None
    for block in lines:
        sink.pass_on(block)
    return sink.stream.getvalue()


def hostile_rows() -> None:
    Probe.objects.bulk_create(
        Probe(
            integer=None if number % 5 == 0 else -number,
            text=text,
            decimal=Decimal(-number) if number % 2 else None,
            boolean=None if number % 3 else bool(number % 2),
            day=date(2025, 1, 1) + timedelta(days=number),
            instant=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(microseconds=number),
            span=timedelta(seconds=-number),
            json=None if number % 2 else {"text": text.replace("\0", "")},
        )
        for number, text in enumerate([*HOSTILE, *("," * 3, ";|\t", "\n", "\r\n", '"\n"'), *(f"={t}" for t in HOSTILE)])
    )
    Probe.objects.create()


if ON_POSTGRESQL:

    @pytest.mark.usefixtures("probes")
    @pytest.mark.parametrize("delimiter", [",", ";", "tab", "|"])
    @pytest.mark.parametrize("guard", [True, False])
    def test_hostile_text_gives_the_same_bytes(delimiter, guard):
        hostile_rows()
        renderings = [rendering(name, guard=guard) for name in COLUMNS]
        with open_reader("default") as reader:
            given = (reader, Probe.objects.order_by("pk"), renderings, delimiter)
            assert of_lines(*given) == of_cells(*given) != b""

    @pytest.mark.usefixtures("probes")
    def test_columns_none_of_which_is_quoted_give_the_same_bytes():
        Probe.objects.bulk_create([Probe(integer=1, boolean=False), Probe()])
        renderings = [rendering("integer"), rendering("boolean")]
        with open_reader("default") as reader:
            given = (reader, Probe.objects.order_by("pk"), renderings, ",")
            assert of_lines(*given) == of_cells(*given) == b"1,false\r\n,\r\n"

    @pytest.mark.usefixtures("probes")
    @pytest.mark.parametrize("rows", [0, 1, BLOCK_ROWS, BLOCK_ROWS + 1])
    def test_lines_come_in_blocks_of_the_same_rows(rows):
        Probe.objects.bulk_create(Probe(integer=n, text="a\nb") for n in range(rows))
        renderings = [rendering("integer"), rendering("text")]
        with open_reader("default") as reader:
            blocks = list(reader.lines(Probe.objects.order_by("pk"), renderings, Dialect(",", (False, True))))
            assert [b.rows for b in blocks] == [b.rows for b in reader.blocks(Probe.objects.all(), renderings)]

    @pytest.mark.usefixtures("probes")
    def test_what_python_has_to_change_is_not_passed_through():
        given = [rendering("instant", zone="Europe/Berlin"), rendering("float")]
        with open_reader("default") as reader:
            for one in given:
                renderings = [rendering("integer"), one]
                assert reader.lines(Probe.objects.all(), renderings, Dialect(",", (False, False))) is None

    @pytest.mark.django_db
    def test_a_statement_that_fails_is_a_fault_of_the_source():
        with transaction.atomic(), open_reader("default") as reader:
            broken = Probe.objects.extra(where=["no_such_column = 1"])
            lines = reader.lines(broken, [rendering("integer"), rendering("text")], Dialect(",", (False, True)))
            with pytest.raises(SourceFault):
                list(lines)
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_an_export_is_the_same_whoever_writes_the_lines():
    for text in HOSTILE:
        AssetFactory(name=text.replace("\0", ""))
    plan = build_plan(ExportSpec.parse("assets", {"format": "csv"}), None)
    with open_reader("default") as reader:
        passed, made = (_written(plan, reader, cells_only) for cells_only in (False, True))
    assert passed == made


def _written(plan, reader: Reader, cells_only: bool) -> bytes:
    order = Order(
        export_id="",
        resource="assets",
        resource_label="Assets",
        format="csv",
        exported_at=datetime.now(UTC),
        item_count=None,
        columns=plan.sink_columns,
        options=plan.spec.options,
    )
    sink, tally = CsvSink(order, io.BytesIO()), Tally()
    if cells_only:
        sink.dialect = None
    for _ in convey(plan, reader, sink, tally):
        pass
    assert tally.rows == sink.rows == len(HOSTILE)
    return sink.stream.getvalue()


def test_one_column_is_never_passed_through():
    """A database writes a lone NULL as a line with nothing on it, which is no row to most readers."""
    assert sink_of([rendering("text")], ",").dialect is None
    assert sink_of([rendering("text"), rendering("integer")], ";").dialect == Dialect(";", (True, False))


def test_a_sink_counts_the_rows_that_it_passes_on():
    sink = sink_of([Rendering("a", Kind.TEXT), Rendering("b", Kind.INTEGER)], ",")
    sink.pass_on(Block(b'"x",1\r\n"y",2\r\n', 2))
    assert (sink.rows, sink.stream.getvalue()) == (2, b'"x",1\r\n"y",2\r\n')
