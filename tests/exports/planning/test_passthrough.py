"""CSV that the database writes itself is, byte by byte, the CSV that is made of cells."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from rowferry.exports.databases import Reader, open_reader
from rowferry.exports.databases.postgresql.reader import FIRST_ROWS, with_line_ends
from rowferry.exports.databases.reader import BLOCK_ROWS
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.blocks import CELL, CellBlock
from rowferry.exports.encoding.pushdown import CsvRows, JsonRows, Member
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.errors import SourceFault
from rowferry.exports.execution.pipeline import Tally, file_header, write_rows
from rowferry.exports.formats import FileHeader, FormatColumn, format_writers
from rowferry.exports.formats.csv import CsvWriter
from rowferry.exports.planning.plan import build_plan
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources import registry
from tests.exports.encoding.test_text import HOSTILE
from tests.factories.assets import AssetFactory
from tests.factories.people import UserFactory
from tests.factories.tickets import TicketFactory
from tests.support.all_types_model import Probe, rendering
from tests.support.stored_values import plant

WRITES_LINES = connection.vendor in ("postgresql", "sqlite")
WITHOUT_NUL = [text.replace("\0", "") for text in HOSTILE]
"""PostgreSQL has no NUL, and SQLite does not write lines that have one."""
QUOTED_TEXT = CsvRows(",", (False, True))
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


def writer_for(renderings: list[CellExpression], delimiter: str) -> CsvWriter:
    order = FileHeader(
        export_id="",
        resource="probes",
        resource_label="Probes",
        format="csv",
        exported_at=datetime.now(UTC),
        item_count=None,
        columns=tuple(FormatColumn(str(one.path), str(one.path), one.kind) for one in renderings),
        options={"delimiter": delimiter, "bom": False},
    )
    return CsvWriter(order, io.BytesIO())


def of_cells(reader: Reader, queryset: QuerySet[Probe], renderings: list[CellExpression], delimiter: str) -> bytes:
    writer = writer_for(renderings, delimiter)
    for block in reader.blocks(queryset, renderings):
        writer.write(block)
    return writer.stream.getvalue()


def of_lines(reader: Reader, queryset: QuerySet[Probe], renderings: list[CellExpression], delimiter: str) -> bytes:
    writer = writer_for(renderings, delimiter)
    for block in reader.blocks(queryset, renderings, writer.pushdown):
        assert block.is_encoded
        writer.write_encoded(block)
    return writer.stream.getvalue()


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
            json=None if number % 2 else {"text": text},
        )
        for number, text in enumerate(
            [*WITHOUT_NUL, *("," * 3, ";|\t", "\n", "\r\n", '"\n"'), *(f"={t}" for t in WITHOUT_NUL)]
        )
    )
    Probe.objects.create()


if WRITES_LINES:

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
    def test_lines_come_in_blocks_and_the_first_ones_soon(rows):
        first = FIRST_ROWS if connection.vendor == "postgresql" else BLOCK_ROWS
        Probe.objects.bulk_create(Probe(integer=n, text="a\nb") for n in range(rows))
        renderings = [rendering("integer"), rendering("text")]
        with open_reader("default") as reader:
            lines = list(reader.blocks(Probe.objects.order_by("pk"), renderings, QUOTED_TEXT))
        sizes = [block.rows for block in lines]
        assert sum(sizes) == rows
        assert sizes[:1] == [min(rows, first)][: len(sizes)]
        assert all(size == BLOCK_ROWS for size in sizes[1:-1])
        assert all(block.is_encoded and block.data.count(b"\r\n") == block.rows for block in lines)

    @pytest.mark.usefixtures("probes")
    def test_what_python_has_to_change_is_not_passed_through():
        Probe.objects.create(instant=datetime(2025, 1, 1, tzinfo=UTC))
        renderings = [rendering("integer"), rendering("instant", zone="Europe/Berlin")]
        with open_reader("default") as reader:
            (block,) = reader.blocks(Probe.objects.all(), renderings, CsvRows(",", (False, False)))
            assert not block.is_encoded

    @pytest.mark.django_db
    def test_a_statement_that_fails_is_a_fault_of_the_source():
        with transaction.atomic(), open_reader("default") as reader:
            broken = Probe.objects.extra(where=["no_such_column = 1"])
            with pytest.raises(SourceFault):
                list(reader.blocks(broken, [rendering("integer"), rendering("text")], QUOTED_TEXT))
            transaction.set_rollback(True)


if connection.vendor == "sqlite":

    @pytest.mark.usefixtures("probes")
    @pytest.mark.parametrize("stored", ["6100622C", "61FF", "22FF22", "2C22FF222C", "FD", "FE", "ED"])
    def test_text_that_sqlite_cannot_write_is_left_to_the_sink(stored):
        """NUL ends what printf writes, and other bytes are no UTF-8: such rows and those after them come as cells."""
        Probe.objects.bulk_create(Probe(integer=n, text="a") for n in range(BLOCK_ROWS + 2))
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {Probe._meta.db_table} SET text = CAST(x'{stored}' AS TEXT) WHERE integer = {BLOCK_ROWS}"
            )
        renderings = [rendering("integer"), rendering("text")]
        with open_reader("default") as reader:
            lines, *cells = reader.blocks(Probe.objects.order_by("pk"), renderings, QUOTED_TEXT)
            assert (lines.is_encoded, lines.rows) == (True, BLOCK_ROWS)
            assert [block.is_encoded for block in cells] == [False]
            assert cells[0].data.split(CELL)[1] == bytes.fromhex(stored).decode(errors="replace").encode()

    @pytest.mark.usefixtures("probes")
    def test_a_hundred_columns_and_more_are_written():
        Probe.objects.create(integer=7)
        renderings = [rendering("integer")] * 250
        with open_reader("default") as reader:
            (block,) = reader.blocks(Probe.objects.all(), renderings, CsvRows("|", (False,) * 250))
            assert block.data == b"|".join([b"7"] * 250) + b"\r\n"


@pytest.mark.django_db
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("name", ["csv", "tsv", "json", "ndjson"])
@pytest.mark.parametrize("resource", ["assets", "tickets"])
def test_an_export_is_the_same_whoever_writes_the_lines(resource, name, nested):
    if nested and not format_writers()[name].can_nest:
        return
    hostile_resource(resource)
    columns = [column.name for column in registry.resource(resource).columns]
    payload = {"format": name, "columns": columns, **({"nested": True} if nested else {})}
    plan = build_plan(ExportSpec.parse(resource, payload), None)
    with open_reader("default") as reader:
        passed, made = (_write_file(plan, reader, cells_only) for cells_only in (False, True))
    assert passed == made


def hostile_resource(resource: str) -> None:
    """Rows with every hostile text that the database takes, with and without what they refer to."""
    texts = HOSTILE if connection.vendor == "sqlite" else WITHOUT_NUL
    for number, text in enumerate(texts):
        person = UserFactory(first_name=text[:100].replace("\0", "")) if number % 2 else None
        if resource == "assets":
            AssetFactory(name=text, assigned_to=person)
        else:
            TicketFactory(subject=text, description=text, assigned_to=person)


def _write_file(plan, reader: Reader, cells_only: bool) -> bytes:
    order = file_header(plan, exported_at=datetime(2025, 10, 30, tzinfo=UTC))
    writer, tally = plan.writer_class(order, io.BytesIO()), Tally()
    if cells_only:
        writer.pushdown = None
    for _ in write_rows(plan, reader, writer, tally):
        pass
    assert tally.rows == writer.rows == len(HOSTILE)
    return writer.stream.getvalue()


if connection.vendor == "sqlite":

    @pytest.mark.usefixtures("probes")
    @pytest.mark.parametrize("stored", ["610062", "61FF62", "ED"])
    def test_objects_are_written_but_for_text_that_is_no_utf8(stored):
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {Probe._meta.db_table} (text) VALUES (CAST(x'{stored}' AS TEXT))")
        dialect = JsonRows((Member("text", 0),), b",")
        with open_reader("default") as reader:
            (block,) = reader.blocks(Probe.objects.all(), [rendering("text")], dialect)
        text = bytes.fromhex(stored)
        written = CellBlock(b'{"text":"a\\u0000b"}', 1, is_encoded=True)
        assert block == (written if text == b"a\0b" else CellBlock(text.decode(errors="replace").encode(), 1))

    @pytest.mark.usefixtures("probes")
    @pytest.mark.parametrize("name", ["decimal", "float", "json"])
    @pytest.mark.parametrize(("stored", "written"), [("1", b"1"), ("x", b"\xfbx")])
    def test_only_objects_with_values_that_are_no_json_come_as_cells(name, stored, written):
        plant([(name, stored)])
        with open_reader("default") as reader:
            (block,) = reader.blocks(Probe.objects.all(), [rendering(name)], JsonRows((Member(name, 0),), b","))
        assert block.is_encoded == (stored == "1")
        assert json.loads(block.data)[name] == 1 if block.is_encoded else block == CellBlock(written, 1)


def test_one_column_is_never_passed_through():
    """A database writes a lone NULL as a line with nothing on it, which is no row to most readers."""
    assert writer_for([rendering("text")], ",").pushdown is None
    assert writer_for([rendering("text"), rendering("integer")], ";").pushdown == CsvRows(";", (True, False))


def test_a_sink_counts_the_rows_that_it_passes_on():
    writer = writer_for([CellExpression("a", ValueType.TEXT), CellExpression("b", ValueType.INTEGER)], ",")
    writer.write_encoded(CellBlock(b'"x",1\r\n"y",2\r\n', 2))
    assert (writer.rows, writer.stream.getvalue()) == (2, b'"x",1\r\n"y",2\r\n')
