"""Connections of readers are kept for the next reader, and nothing of the last one is left on them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from rowferry.exports.databases import connection_pool, open_reader
from rowferry.exports.databases.reader import BLOCK_ROWS, Reader
from tests.support.all_types_model import Probe, rendering

pytestmark = pytest.mark.usefixtures("committed_probes")


@pytest.fixture(autouse=True)
def empty_pool() -> Iterator[None]:
    connection_pool.close_all()
    yield
    connection_pool.close_all()


def session(reader: Reader) -> Any:
    with reader.wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def left_behind() -> Any:
    """The session of a reader that has counted and was closed."""
    with open_reader("default") as reader:
        reader.count(Probe.objects.all())
        return session(reader)


if connection.vendor == "postgresql":

    def test_the_next_reader_has_the_same_connection_and_a_snapshot_of_its_own():
        first = left_behind()
        Probe.objects.create(integer=1)
        with open_reader("default") as reader:
            assert session(reader) == first
            assert reader.count(Probe.objects.all()) == 1
            Probe.objects.create(integer=2)
            assert reader.count(Probe.objects.all()) == 1

    def test_two_readers_at_once_have_two():
        with open_reader("default") as one, open_reader("default") as other:
            assert session(one) != session(other)

    def test_a_reader_that_is_closed_twice_leaves_its_connection_once():
        reader = open_reader("default")
        reader.close()
        reader.close()
        with open_reader("default") as one, open_reader("default") as other:
            assert session(one) != session(other)

    def test_another_thread_may_go_on_with_it():
        found = []
        kept = left_behind()
        thread = threading.Thread(target=lambda: found.append(left_behind()))
        thread.start()
        thread.join()
        assert found == [kept]

    def test_one_that_died_meanwhile_is_replaced():
        kept = left_behind()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [kept])
        with open_reader("default") as reader:
            assert session(reader) != kept
            assert reader.count(Probe.objects.all()) == 0

    def test_one_whose_read_was_broken_off_is_not_kept():
        Probe.objects.bulk_create(Probe(integer=1, text="x" * 200) for _ in range(BLOCK_ROWS * 3))
        with open_reader("default") as reader:
            first = session(reader)
            blocks = reader.blocks(Probe.objects.order_by("pk"), [rendering("text")])
            next(blocks)
            blocks.close()
        assert left_behind() != first

    def test_one_whose_read_came_to_its_end_is_kept():
        Probe.objects.bulk_create(Probe(integer=1) for _ in range(BLOCK_ROWS + 1))
        with open_reader("default") as reader:
            first = session(reader)
            assert sum(block.rows for block in reader.blocks(Probe.objects.all(), [rendering("text")])) == 2_001
        assert left_behind() == first

    def test_one_that_is_too_old_is_not_used(monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(connections["default"].settings_dict, "CONN_MAX_AGE", 0)
        assert left_behind() != left_behind()

    def test_no_more_are_kept_than_said():
        readers = [open_reader("default") for _ in range(connection_pool.MAX_IDLE + 2)]
        sessions = {session(reader) for reader in readers}
        for reader in readers:
            reader.close()
        again = [open_reader("default") for _ in readers]
        assert len(sessions & {session(reader) for reader in again}) == connection_pool.MAX_IDLE
        for reader in again:
            reader.close()

else:

    def test_nothing_is_kept_where_a_connection_costs_little_or_keeps_settings():
        with open_reader("default") as reader:
            reader.count(Probe.objects.all())
        assert connection_pool.take("default") is None
