"""A sheet made of marks is, byte by byte, the sheet that is made of cells, whatever is stored."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from zipfile import ZipFile

import pytest
from django.db import connection

from rowferry.exports.databases import open_reader
from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, CellBlock
from rowferry.exports.encoding.value_types import Representation
from rowferry.exports.formats import FileHeader, FormatColumn
from rowferry.exports.formats.excel import ExcelWriter
from rowferry.exports.formats.excel.marked import plain_cells
from tests.exports.encoding.test_text import HOSTILE
from tests.support.all_types_model import Probe, rendering

COLUMNS = ("integer", "text", "decimal", "boolean", "day", "instant", "uuid", "clock", "span", "json")
FORMS = {"boolean": Representation.DIGIT, "day": Representation.SERIAL, "instant": Representation.SERIAL}
LONG_ROW = "x" * 20_000
LONG_CELL = "é" * 40_000
PLAIN = {
    "integer": 1,
    "text": "a <b> & c",
    "decimal": Decimal("1.500"),
    "boolean": True,
    "day": date(2025, 10, 30),
    "instant": datetime(2025, 10, 30, 12, tzinfo=UTC),
}
ODD = [
    {"integer": 10**15},
    {"integer": -(10**15)},
    {"decimal": Decimal("999999999999.999")},
    {"day": date(1900, 2, 28)},
    {"instant": datetime(1899, 12, 31, tzinfo=UTC)},
    {"instant": datetime(9999, 12, 31, tzinfo=UTC)},
    {"instant": datetime(1927, 5, 18, 23, tzinfo=UTC)},
    {"instant": datetime(2173, 10, 14, tzinfo=UTC)},
    {"text": LONG_ROW, "json": {"a": LONG_ROW}},
    {"text": LONG_CELL},
    {"text": ""},
    {"text": " edge"},
    {"text": "edge\t"},
    {"text": "_x0041_"},
    *({"text": text.replace("\0", "")} for text in HOSTILE),
]


def order(names=COLUMNS) -> FileHeader:
    return FileHeader(
        export_id="0",
        resource="probes",
        resource_label="Probes",
        format="excel",
        exported_at=datetime(2025, 10, 30, tzinfo=UTC),
        item_count=None,
        columns=tuple(FormatColumn(name, name, rendering(name).kind) for name in names),
    )


def write_excel(with_marks: bool, names=COLUMNS) -> tuple[dict[str, list[bytes]], dict[str, int], int]:
    """The file, what had to be adjusted, and how many blocks came with marks."""
    writer = ExcelWriter(order(names), io.BytesIO())
    renderings = [rendering(name, form=FORMS.get(name, Representation.PLAIN)) for name in names]
    marked = 0
    with open_reader("default") as reader:
        writer.open()
        for block in reader.blocks(Probe.objects.order_by("pk"), renderings, writer.pushdown if with_marks else None):
            writer.write_block(block)
            marked += block.is_encoded
        writer.close()
    return parts(writer.stream.getvalue()), dict(writer.adjustments), marked


def parts(file: bytes) -> dict[str, list[bytes]]:
    """The files within, a row of a sheet a line."""
    with ZipFile(io.BytesIO(file)) as opened:
        return {name: opened.read(name).split(b"<row ") for name in opened.namelist()}


if connection.vendor in ("sqlite", "mysql"):

    @pytest.fixture
    def small_blocks(monkeypatch):
        """Two rows a block, so that what is odd in one is not in the others."""
        for module in ("reader", "sqlite.paging", "mysql.reader"):
            monkeypatch.setattr(f"rowferry.exports.databases.{module}.BLOCK_ROWS", 2)

    @pytest.mark.usefixtures("committed_probes", "small_blocks")
    def test_hostile_rows_give_the_same_bytes():
        Probe.objects.bulk_create(Probe(**(PLAIN | odd)) for odd in [{}, {}, *ODD])
        Probe.objects.bulk_create([Probe(), Probe(**PLAIN), Probe()])
        (file, adjusted, marked), (expected, counted, _) = write_excel(True), write_excel(False)
        assert (file, adjusted) == (expected, counted)
        assert marked == (2 + len(ODD) + 3 + 1) // 2

    @pytest.mark.usefixtures("committed_probes")
    @pytest.mark.parametrize("rows", [0, 1, 3, 4])
    def test_a_sheet_ends_where_it_is_full(rows, monkeypatch):
        monkeypatch.setattr(ExcelWriter, "max_rows", 3)
        Probe.objects.bulk_create(Probe(integer=n, text=f" {n}") for n in range(rows))
        assert write_excel(True)[0] == write_excel(False)[0]

    @pytest.mark.usefixtures("committed_probes", "small_blocks")
    @pytest.mark.parametrize("names", [["text"], ["integer"], ["boolean"], ["day", "text", "day"], [*COLUMNS[::-1]]])
    def test_every_order_of_columns_has_its_marks(names):
        Probe.objects.bulk_create([Probe(**PLAIN), Probe(), Probe(**PLAIN), Probe(text=" a")])
        assert write_excel(True, names)[0] == write_excel(False, names)[0]


if connection.vendor == "sqlite":

    @pytest.mark.usefixtures("committed_probes", "small_blocks")
    @pytest.mark.parametrize("column", ["integer", "text", "decimal", "boolean", "day", "instant"])
    @pytest.mark.parametrize(
        "stored",
        ["610062", "61FF62", "FF61", "C0", "61C1", "FE", "FEC0", "FD", "FB", "FC", "ED", "0161", "31322E5A", "20"],
    )
    def test_whatever_bytes_are_stored_as_text_give_the_same_file(column, stored):
        Probe.objects.bulk_create(Probe(**PLAIN) for _ in range(6))
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {Probe._meta.db_table} SET {column} = CAST(x'{stored}' AS TEXT)"
                f" WHERE id = (SELECT min(id) + 2 FROM {Probe._meta.db_table})"
            )
        (file, adjusted, marked), (expected, counted, _) = write_excel(True), write_excel(False)
        # The page with this value comes as cells where the reader sees that it is not plain. In numbers and text only
        # the format can see it, unless it is the reader's own mark; a decimal is never written with that mark.
        is_seen_by_reader = column in ("boolean", "day", "instant") or (
            stored == IRREGULAR.hex().upper() and column != "decimal"
        )
        assert marked == (2 if is_seen_by_reader else 3)
        assert adjusted == counted
        assert file == expected

    @pytest.mark.usefixtures("committed_probes")
    def test_floats_come_as_cells():
        Probe.objects.create(**PLAIN, float=1.5)
        assert write_excel(True, ["integer", "float"]) == write_excel(False, ["integer", "float"])

    @pytest.mark.usefixtures("committed_probes")
    @pytest.mark.parametrize("name", ["day", "instant"])
    def test_what_is_stored_as_a_date_and_is_none_stays_as_text(name):
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {Probe._meta.db_table} ({name}) VALUES ('2025-13-32')")
        (_, _, row) = write_excel(True, [name])[0]["xl/worksheets/sheet1.xml"]
        assert row.startswith(b'r="2"><c r="A2" t="str"><v>2025-13-32')


@pytest.mark.parametrize("data", [b"x", b"x" + CELL + b"1" + CELL, b"x" + CELL + NULL + b"1", b"\xff1" + CELL + b"1"])
def test_a_block_in_which_marks_are_missing_is_looked_at_cell_by_cell(data):
    assert plain_cells(CellBlock(b"x" + CELL + b"1", 1), 2) == ([b"x", b"1"], False)
    assert plain_cells(CellBlock(data, 1), 2) is None
