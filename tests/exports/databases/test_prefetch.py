"""Some steps ahead: the same items, and no thread is left behind."""

from __future__ import annotations

import sqlite3
import threading
import time
from unittest.mock import Mock

import pytest
from django.db import connection, transaction

from rowferry.exports.databases import open_reader
from rowferry.exports.databases.prefetch import STEPS, prefetch
from rowferry.exports.databases.sqlite import reader as sqlite_reader
from rowferry.exports.errors import SourceFault
from tests.support.all_types_model import Probe, rendering


def nothing() -> None:
    """Nobody is interrupted."""


def fetchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("count", [0, 1, STEPS, STEPS + 1, 50])
def test_all_items_come_in_their_order(count):
    assert list(prefetch(iter(range(count)), nothing)) == list(range(count))
    assert fetchers() == []


def test_what_goes_wrong_is_raised_in_its_place():
    def items():
        yield 1
        yield 2
        raise ValueError("three")

    got = prefetch(items(), nothing)
    assert [next(got), next(got)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(got)
    assert fetchers() == []


def test_the_next_ones_are_fetched_meanwhile_and_no_more():
    fetched = []
    got = prefetch((fetched.append(n) or n for n in range(50)), nothing)
    next(got)
    until = time.monotonic() + 30
    while len(fetched) < 1 + STEPS and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(0.05)
    assert fetched == list(range(1 + STEPS))
    got.close()


def test_whoever_leaves_early_interrupts_the_fetch_and_waits_for_its_end():
    begun, ended = threading.Event(), threading.Event()

    def items():
        yield 1
        begun.set()
        assert ended.wait(30)
        yield 2

    got = prefetch(items(), ended.set)
    assert next(got) == 1
    assert begun.wait(30)
    got.close()
    assert ended.is_set()
    assert fetchers() == []


if connection.vendor == "sqlite":
    SOME = [rendering("integer"), rendering("text")]

    def many(monkeypatch):
        monkeypatch.setattr("rowferry.exports.databases.sqlite.paging.BLOCK_ROWS", 2)
        Probe.objects.bulk_create(Probe(integer=n, text="a") for n in range(40))
        return Probe.objects.order_by("pk")

    @pytest.mark.usefixtures("committed_probes")
    def test_a_read_that_is_left_early_leaves_the_snapshot_as_it_was(monkeypatch):
        queryset = many(monkeypatch)
        with open_reader("default") as reader:
            blocks = reader.blocks(queryset, SOME)
            next(blocks)
            assert len(fetchers()) == 1
            blocks.close()
            assert fetchers() == []
            Probe.objects.all().delete()
            assert reader.count(queryset) == sum(block.rows for block in reader.blocks(queryset, SOME)) == 40

    @pytest.mark.usefixtures("committed_probes")
    def test_a_read_ends_with_its_reader(monkeypatch):
        queryset = many(monkeypatch)
        with open_reader("default") as reader:
            blocks = reader.blocks(queryset, SOME)
            next(blocks)
        with pytest.raises(SourceFault, match=r"closed|interrupted"):
            list(blocks)
        assert fetchers() == []

    class EndsLate(sqlite3.Cursor):
        """SQLite may notice an interruption only when the row is fetched."""

        def fetchone(self):
            raise sqlite3.OperationalError("interrupted")

    @pytest.mark.usefixtures("committed_probes")
    def test_an_interruption_while_the_page_is_fetched_is_a_fault_of_the_source(monkeypatch):
        queryset = many(monkeypatch)
        with open_reader("default") as reader:
            monkeypatch.setattr(reader, "_connection", Mock(cursor=lambda: EndsLate(reader.wrapper.connection)))
            with pytest.raises(SourceFault, match="interrupted"):
                list(reader.blocks(queryset, SOME))

    @pytest.mark.usefixtures("committed_probes")
    def test_nobody_else_uses_the_connection_of_the_caller(monkeypatch):
        queryset = many(monkeypatch)
        monkeypatch.setattr(sqlite_reader, "prefetch", None)
        with transaction.atomic(), open_reader("default") as reader:
            assert sum(block.rows for block in reader.blocks(queryset, SOME)) == 40
