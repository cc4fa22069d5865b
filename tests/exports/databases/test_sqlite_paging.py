"""SQLite's pages: the same rows as one by one, and only where the key alone leads through the table."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import connection
from django.db.models import F, Value

from rowferry.assets.models import Asset
from rowferry.exports.databases import open_reader
from rowferry.exports.databases.reader import BLOCK_ROWS
from rowferry.exports.databases.sqlite.paging import follows_key, paging
from rowferry.exports.encoding.blocks import split
from tests.support.all_types_model import Probe, rendering

TEXT, INTEGER = rendering("text"), rendering("integer")
SOME = 2 * BLOCK_ROWS + 7
UP, DOWN = range(SOME), range(SOME)[::-1]

pytestmark = [
    pytest.mark.usefixtures("committed_probes"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="Only SQLite is read by pages."),
]


def cells_of(blocks):
    return [cell for block in blocks for cell in split(block.data, block.rows, 2)]


def read_with(queryset, **settings):
    """Cells of the queryset, the sizes of the blocks, and the statements that read them."""
    seen: list[str] = []
    with open_reader("default") as reader:
        link = reader.wrapper.connection
        link.set_trace_callback(lambda sql: seen.append(sql) if sql.startswith("SELECT") else None)
        for limit, value in settings.items():
            link.setlimit(getattr(sqlite3, limit), value)
        blocks = list(reader.blocks(queryset, [INTEGER, TEXT]))
        link.set_trace_callback(None)
    return cells_of(blocks), [block.rows for block in blocks], seen


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        ("pk", range(SOME)),
        ("-pk", range(SOME)[::-1]),
        (F("pk").asc(), range(SOME)),
        (F("pk").desc(), range(SOME)[::-1]),
    ],
)
def test_each_block_is_one_statement_along_the_key(order, numbers):
    Probe.objects.bulk_create(Probe(integer=n, text=f"text {n}") for n in range(SOME))
    cells, sizes, seen = read_with(Probe.objects.order_by(order))
    assert sizes == [BLOCK_ROWS, BLOCK_ROWS, 7]
    assert cells == [cell for n in numbers for cell in (b"%d" % n, b"text %d" % n)]
    assert len(seen) == 3
    assert all("group_concat" in sql for sql in seen)


def test_filters_and_keys_with_gaps_lose_no_row():
    Probe.objects.bulk_create(Probe(integer=n, text="even" if n % 2 == 0 else "100% odd") for n in range(SOME))
    Probe.objects.filter(integer__range=(10, 500)).delete()
    rows = Probe.objects.filter(text="100% odd", pk__gte=Probe.objects.order_by("pk")[3].pk).order_by("pk")
    cells, _, seen = read_with(rows)
    assert cells[::2] == [b"%d" % n for n in rows.values_list("integer", flat=True)]
    assert all("group_concat" in sql for sql in seen)


@pytest.mark.parametrize(
    "queryset",
    [
        lambda: Probe.objects.order_by("-integer"),
        lambda: Probe.objects.order_by("integer", "pk"),
        lambda: Probe.objects.all(),
        lambda: Probe.objects.order_by("pk")[3:9],
        lambda: Probe.objects.filter(pk__in=range(1, 5000)).order_by("pk"),
    ],
    ids=["other column", "other column first", "no order", "slice", "list of keys"],
)
def test_other_orders_are_one_statement_that_gives_row_after_row(queryset):
    Probe.objects.bulk_create(Probe(integer=n) for n in range(BLOCK_ROWS + 3))
    cells, _, seen = read_with(queryset())
    assert cells[::2] == [b"%d" % n for n in queryset().values_list("integer", flat=True)]
    assert len(seen) == 1
    assert "group_concat" not in seen[0]


def test_a_join_that_could_give_a_row_twice_has_no_pages():
    def pages_of(rows):
        with open_reader("default") as reader:
            return paging(rows, Value("row"), b"", reader.compile)

    assert pages_of(Asset.objects.filter(status__name="In use").order_by("pk")) is not None
    assert pages_of(Asset.objects.filter(status__assets__isnull=False).order_by("pk")) is None


@pytest.mark.parametrize("at", [3, BLOCK_ROWS + 3])
def test_text_that_printf_would_cut_is_read_whole_on_any_page(at):
    Probe.objects.bulk_create(Probe(integer=n, text="a\0b" if n == at else "plain") for n in range(SOME))
    cells, _, _ = read_with(Probe.objects.order_by("pk"))
    assert cells == [cell for n in range(SOME) for cell in (b"%d" % n, b"a\0b" if n == at else b"plain")]


def test_a_page_beyond_the_longest_value_is_read_row_by_row():
    texts = ["short" if n < BLOCK_ROWS else "x" * 200 for n in range(SOME)]
    Probe.objects.bulk_create(Probe(integer=n, text=text) for n, text in enumerate(texts))
    cells, _, seen = read_with(Probe.objects.order_by("pk"), SQLITE_LIMIT_LENGTH=100_000)
    assert cells == [cell for n, text in enumerate(texts) for cell in (b"%d" % n, text.encode())]
    assert ["group_concat" in sql for sql in seen] == [True, True, False]


@pytest.mark.parametrize(
    ("plan", "good"),
    [
        (["CO-ROUTINE (subquery-1)", "SEARCH a USING INTEGER PRIMARY KEY (rowid>?)", "SCAN (subquery-1)"], True),
        (["SEARCH a USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"], True),
        (["SEARCH a USING INTEGER PRIMARY KEY (rowid<?)", "SEARCH b USING INTEGER PRIMARY KEY (rowid=?)"], True),
        (["SEARCH a USING INTEGER PRIMARY KEY (rowid=?)"], False),
        (["SEARCH a USING INDEX by_status (status_id=?)", "USE TEMP B-TREE FOR ORDER BY"], False),
        (["SEARCH a USING INDEX sqlite_autoindex_a_1 (id>?)"], False),
    ],
)
def test_the_plan_tells_whether_pages_follow_the_key(plan, good):
    assert follows_key(plan) is good
