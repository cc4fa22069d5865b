"""What people typed comes through byte by byte, whatever it is, and moves no other cell."""

from __future__ import annotations

import pytest
from django.db import connection

from rowferry.exports.databases.generic import GenericReader
from rowferry.exports.databases.reader import BLOCK_ROWS
from tests.support.all_types_model import KINDS, Probe, read, rendering, rows_of

ON_SQLITE = connection.vendor == "sqlite"
TEXT, INTEGER = rendering("text"), rendering("integer")
CONTROLS = [chr(code) for code in range(0 if ON_SQLITE else 1, 0x20)]
HOSTILE = [
    *CONTROLS,
    "".join(CONTROLS),
    *("\\", "\\\\", "\\N", "\\\\N", "\\\\\\N", "\\n", "\\t", "\\.", "a\\\nb", "\\\t", "\n\\", "\r\n"),
    *('"', '""', "'", "''", "%s", "%%", "{x}", "NULL", "null", "", " ", "\t", "a\tb\nc\rd"),
    *("\x01", "\x1f", "\x7f", "\x80", "\x9f", "\u2028", "\ufeff", "\ufffd", "\ufffe", "\U0001f600", "e\u0301", "þÿý"),
]


@pytest.mark.usefixtures("probes")
class TestText:
    def test_hostile_text_comes_through_and_moves_no_other_cell(self):
        Probe.objects.bulk_create(Probe(text=text, integer=n) for n, text in enumerate(HOSTILE))
        rows = read(Probe.objects.order_by("pk"), INTEGER, TEXT, INTEGER)
        assert rows == [[b"%d" % n, text.encode(), b"%d" % n] for n, text in enumerate(HOSTILE)]

    def test_hostile_text_comes_through_the_reader_for_any_database(self):
        Probe.objects.bulk_create(Probe(text=text) for text in [*HOSTILE, None])
        with GenericReader("default") as reader:
            assert rows_of(reader, Probe.objects.order_by("pk"), [TEXT]) == read(Probe.objects.order_by("pk"), TEXT)

    def test_null_and_empty_text_stay_apart(self):
        Probe.objects.bulk_create([Probe(text=None), Probe(text=""), Probe(text="\\N")])
        assert read(Probe.objects.order_by("pk"), TEXT, INTEGER) == [[None, None], [b"", None], [b"\\N", None]]

    def test_a_row_of_nulls_only_is_a_row(self):
        Probe.objects.bulk_create([Probe(), Probe()])
        assert read(Probe.objects.all(), *map(rendering, KINDS)) == [[None] * len(KINDS)] * 2

    def test_one_cell_may_be_long(self):
        text = "ä\t\\" * 500_000
        Probe.objects.create(text=text)
        assert read(Probe.objects.all(), TEXT) == [[text.encode()]]


if ON_SQLITE:
    BROKEN = {
        "fe41ff80": "\ufffdA\ufffd\ufffd",
        "41ff": "A\ufffd",
        "ff41": "\ufffdA",
        "fe": "\ufffd",
        "fd": "\ufffd",
        "feff": "\ufffd\ufffd",
        "fefffe": "\ufffd\ufffd\ufffd",
        "c3": "\ufffd",
        "eda080": "\ufffd\ufffd\ufffd",
        "4100ff": "A\0\ufffd",
    }

    @pytest.mark.usefixtures("probes")
    @pytest.mark.parametrize("stored", BROKEN)
    @pytest.mark.parametrize("neighbours", [None, "=1\0"])
    def test_text_that_is_no_utf_8_is_repaired_and_moves_no_other_cell(stored, neighbours):
        Probe.objects.bulk_create(Probe(integer=n, text=neighbours) for n in range(BLOCK_ROWS + 2))
        middle = Probe.objects.order_by("pk")[BLOCK_ROWS]
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE probe_probe SET text = CAST(x'{stored}' AS TEXT) WHERE id = {middle.pk}")
        rows = read(Probe.objects.order_by("pk"), TEXT, INTEGER, TEXT)
        kept = None if neighbours is None else neighbours.encode()
        expected = [[kept, b"%d" % n, kept] for n in range(BLOCK_ROWS + 2)]
        expected[BLOCK_ROWS] = [BROKEN[stored].encode(), b"%d" % BLOCK_ROWS, BROKEN[stored].encode()]
        assert rows == expected

    @pytest.mark.usefixtures("probes")
    def test_repair_keeps_to_the_slice_that_was_asked_for():
        Probe.objects.bulk_create(Probe(integer=n) for n in range(10))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE probe_probe SET text = CAST(x'80' AS TEXT)")
        rows = read(Probe.objects.order_by("integer")[2:5], INTEGER, TEXT)
        assert rows == [[b"%d" % n, "\ufffd".encode()] for n in (2, 3, 4)]
