"""Readers: blocks fit, one snapshot, and a connection that is given back."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from rowferry.exports.databases import open_reader
from rowferry.exports.databases.generic import GenericReader
from rowferry.exports.databases.reader import BLOCK_ROWS
from rowferry.exports.encoding.blocks import NULL, split
from rowferry.exports.errors import SourceFault
from tests.support.all_types_model import Probe, read, rendering, rows_of

ON_SQLITE = connection.vendor == "sqlite"
TEXT, INTEGER = rendering("text"), rendering("integer")


@pytest.mark.usefixtures("probes")
class TestBlocks:
    @pytest.mark.parametrize("total", [0, 1, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS])
    def test_every_row_is_in_one_block_and_in_order(self, total):
        Probe.objects.bulk_create(Probe(integer=n) for n in range(total))
        with open_reader("default") as reader:
            assert reader.count(Probe.objects.all()) == total
            blocks = list(reader.blocks(Probe.objects.order_by("-integer"), [INTEGER, TEXT]))
        assert [block.rows for block in blocks[:-1]] == [BLOCK_ROWS] * (len(blocks) - 1)
        assert all(0 < block.rows <= BLOCK_ROWS for block in blocks)
        cells = [cell for block in blocks for cell in split(block.data, block.rows, 2)]
        assert cells[::2] == [b"%d" % n for n in reversed(range(total))]
        assert cells[1::2] == [NULL] * total

    @pytest.mark.parametrize(
        "queryset",
        [
            Probe.objects.none(),
            Probe.objects.filter(pk__in=[]),
            Probe.objects.filter(text="no such text"),
            Probe.objects.all()[:0],
        ],
        ids=["none", "in nothing", "no match", "sliced to nothing"],
    )
    def test_nothing_is_no_block_and_no_error(self, queryset):
        Probe.objects.create(text="there")
        for reader in (open_reader("default"), GenericReader("default")):
            with reader:
                assert reader.count(queryset) == 0
                assert list(reader.blocks(queryset, [TEXT, INTEGER])) == []

    def test_a_slice_is_counted_and_read_as_a_slice(self):
        Probe.objects.bulk_create(Probe(integer=n) for n in range(10))
        some = Probe.objects.order_by("integer")[3:7]
        with open_reader("default") as reader:
            assert reader.count(some) == 4
            assert rows_of(reader, some, [INTEGER]) == [[b"3"], [b"4"], [b"5"], [b"6"]]

    def test_parameters_and_annotations_of_the_queryset_are_kept(self):
        Probe.objects.bulk_create(Probe(text=text) for text in ("100%", "50%", "it's {x} \\", "ü"))
        rows = Probe.objects.filter(text__in=["100%", "it's {x} \\"]).annotate(total=Sum("integer")).order_by("pk")
        assert read(rows, TEXT) == [[b"100%"], [b"it's {x} \\"]]

    def test_a_thousand_values_of_a_list_are_no_problem(self):
        Probe.objects.bulk_create(Probe(text=f"{n}" * 50) for n in range(1000))
        rows = Probe.objects.filter(text__in=[f"{n}" * 50 for n in range(1000)])
        with open_reader("default") as reader:
            assert reader.count(rows) == 1000
            assert len(rows_of(reader, rows, [TEXT])) == 1000


def in_a_thread(work):
    """Run the work on another connection, and give that back."""

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.usefixtures("committed_probes")
class TestSnapshot:
    def test_a_commit_between_count_and_read_changes_nothing(self):
        Probe.objects.bulk_create(Probe(integer=1) for _ in range(10))
        with open_reader("default") as reader:
            before = reader.count(Probe.objects.all())
            some = list(Probe.objects.values_list("pk", flat=True)[:5])
            in_a_thread(lambda: Probe.objects.filter(pk__in=some).delete())
            in_a_thread(lambda: Probe.objects.update(integer=2))
            in_a_thread(lambda: Probe.objects.create(integer=3))
            assert rows_of(reader, Probe.objects.all(), [INTEGER]) == [[b"1"]] * before
            assert reader.count(Probe.objects.all()) == before == 10
            assert reader.repeatable
        assert sorted(Probe.objects.values_list("integer", flat=True)) == [2] * 5 + [3]

    def test_a_commit_between_two_blocks_changes_nothing(self):
        Probe.objects.bulk_create(Probe(integer=1) for _ in range(BLOCK_ROWS * 3))
        with open_reader("default") as reader:
            blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER])
            cells = split((first := next(blocks)).data, first.rows, 1)
            in_a_thread(lambda: Probe.objects.update(integer=2))
            for block in blocks:
                cells += split(block.data, block.rows, 1)
        assert cells == [b"1"] * BLOCK_ROWS * 3

    def test_a_reader_keeps_no_writer_waiting(self):
        Probe.objects.bulk_create(Probe(integer=1) for _ in range(BLOCK_ROWS * 2))
        with open_reader("default") as reader:
            blocks = reader.blocks(Probe.objects.all(), [INTEGER])
            next(blocks)
            started = timezone.now()
            Probe.objects.create(integer=2)
            assert timezone.now() - started < timedelta(seconds=5)
            blocks.close()

    def test_within_a_transaction_its_own_uncommitted_rows_are_seen(self):
        with transaction.atomic():
            Probe.objects.create(integer=1)
            assert read(Probe.objects.all(), INTEGER) == [[b"1"]]
            with open_reader("default") as reader:
                assert reader.count(Probe.objects.all()) == 1
            transaction.set_rollback(True)
        assert read(Probe.objects.all(), INTEGER) == []

    def test_between_two_blocks_the_callers_transaction_may_ask_something_else(self):
        if connection.vendor == "postgresql":
            return
        Probe.objects.bulk_create(Probe(integer=1) for _ in range(BLOCK_ROWS + 5))
        with transaction.atomic(), open_reader("default") as reader:
            blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER])
            rows = next(blocks).rows
            assert Probe.objects.count() == BLOCK_ROWS + 5
            assert rows + sum(block.rows for block in blocks) == BLOCK_ROWS + 5

    def test_uncommitted_rows_of_others_are_not_seen(self):
        seen = []
        with transaction.atomic():
            Probe.objects.create(integer=1)
            in_a_thread(lambda: seen.extend(read(Probe.objects.all(), INTEGER)))
        assert seen == []

    def test_a_reader_cannot_write(self):
        insert = f"INSERT INTO probe_probe ({connection.ops.quote_name('integer')}) VALUES (1)"
        forbidden = pytest.raises(DatabaseError, match=r"(?i)read.?only")
        with open_reader("default") as reader, reader.wrapper.cursor() as cursor, forbidden:
            cursor.execute(insert)
        assert not Probe.objects.exists()

    def test_a_shared_connection_can_write_again_afterwards(self):
        with transaction.atomic():
            read(Probe.objects.all(), INTEGER)
            Probe.objects.create(integer=1)
        assert Probe.objects.count() == 1

    def test_a_connection_lives_on_when_the_reading_ends_early(self):
        Probe.objects.bulk_create(Probe(integer=1, text="x" * 200) for _ in range(BLOCK_ROWS * 4))
        with open_reader("default") as reader:
            for _ in range(3):
                blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER, TEXT])
                next(blocks)
                blocks.close()
                with suppress(DatabaseError):  # PostgreSQL: the cancelled statement has ended the transaction
                    assert reader.count(Probe.objects.all()) == BLOCK_ROWS * 4
                    continue
                break
            reader.wrapper.rollback()
            assert reader.count(Probe.objects.all()) == BLOCK_ROWS * 4

    def test_the_callers_transaction_lives_on_when_the_reading_ends_early(self):
        Probe.objects.bulk_create(Probe(integer=1, text="x" * 200) for _ in range(BLOCK_ROWS * 4))
        with transaction.atomic():
            with open_reader("default") as reader:
                blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER, TEXT])
                next(blocks)
                blocks.close()
            Probe.objects.create(integer=2)
        assert Probe.objects.filter(integer=2).count() == 1

    def test_what_an_early_end_leaves_to_the_garbage_collector_stops_no_later_read(self):
        Probe.objects.bulk_create(Probe(integer=1, text="x" * 200) for _ in range(BLOCK_ROWS * 20))
        usual = gc.get_threshold()
        gc.disable()
        with open_reader("default") as reader:
            blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER, TEXT])
            next(blocks)
            blocks.close()
            reader.wrapper.rollback()
            try:
                gc.set_threshold(1, 1, 1)
                gc.enable()
                assert len(rows_of(reader, Probe.objects.all()[:BLOCK_ROWS], [INTEGER])) == BLOCK_ROWS
            finally:
                gc.set_threshold(*usual)

    @pytest.mark.parametrize("rows", [5, BLOCK_ROWS, BLOCK_ROWS + 1, BLOCK_ROWS * 20])
    def test_a_reader_may_be_closed_before_its_blocks_are(self, rows, recwarn):
        Probe.objects.bulk_create(Probe(integer=1, text="x" * 200) for _ in range(rows))
        reader = open_reader("default")
        blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER, TEXT])
        next(blocks)
        reader.close()
        blocks.close()
        assert [str(warning.message) for warning in recwarn] == []
        Probe.objects.all().delete()

    @pytest.mark.parametrize("rows", [5, BLOCK_ROWS, BLOCK_ROWS + 1])
    def test_the_blocks_may_be_closed_at_their_end(self, rows):
        Probe.objects.bulk_create(Probe(integer=1) for _ in range(rows))
        with open_reader("default") as reader:
            blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER])
            for _ in range(-(-rows // BLOCK_ROWS)):
                next(blocks)
            blocks.close()
            assert reader.count(Probe.objects.all()) == rows

    def test_fifty_reads_leave_no_connection_behind(self):
        Probe.objects.bulk_create(Probe(integer=1) for _ in range(10))
        before = open_connections()
        for _ in range(50):
            read(Probe.objects.all(), INTEGER)
        assert open_connections() < before + 5  # the last ones may be closing still

    def test_a_statement_that_fails_is_a_fault_of_the_source(self):
        with open_reader("default") as reader, pytest.raises(SourceFault):
            list(reader.blocks(Probe.objects.extra(where=["no_such_column = 1"]), [INTEGER]))


TERMINATE = {
    "postgresql": lambda link: ("SELECT pg_terminate_backend(%s)", [link.info.backend_pid]),
    "mysql": lambda link: ("KILL CONNECTION %s", [link.thread_id()]),
}
SESSIONS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE db = database()",
}

if not ON_SQLITE:

    @pytest.mark.usefixtures("committed_probes")
    def test_a_server_that_goes_away_is_a_fault_of_the_source():
        Probe.objects.bulk_create(Probe(integer=1, text="x" * 200) for _ in range(BLOCK_ROWS * 20))
        with open_reader("default") as reader:
            blocks = reader.blocks(Probe.objects.order_by("pk"), [INTEGER, TEXT])
            next(blocks)
            with connection.cursor() as cursor:
                cursor.execute(*TERMINATE[connection.vendor](reader.wrapper.connection))
            with pytest.raises(SourceFault):
                list(blocks)


def open_connections() -> int:
    """Connections of this process to the test database, as the system or the server counts them."""
    if ON_SQLITE:
        database = str(connection.settings_dict["NAME"])
        return sum(link.resolve().name == Path(database).name for link in Path("/proc/self/fd").iterdir())
    with connection.cursor() as cursor:
        cursor.execute(SESSIONS[connection.vendor])
        return int(cursor.fetchone()[0])
