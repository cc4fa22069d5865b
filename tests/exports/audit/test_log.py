"""The log of exports shows what was done to it, and where."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, close_old_connections, connection, connections, transaction
from django.utils import timezone

from rowferry.exports import lifecycle
from rowferry.exports.audit import log
from rowferry.exports.databases import append_only
from rowferry.exports.errors import NotFound
from rowferry.exports.models import AuditAnchor, Event, Export, ExportLog
from tests.factories.exports import queue_export, reload_export
from tests.support.tampering import (
    change,
    create_log_chain,
    find_tampering,
    rehash,
    remove,
    swap,
    tamper_at_random,
    unlock_events,
)

TIMES = 200


@pytest.fixture
def export(transactional_db: None, owner: User) -> Export:
    """One whose chain has twelve events."""
    return create_log_chain(owner, 12)


@pytest.mark.django_db
def test_each_event_carries_the_hash_of_the_one_before_and_the_row_that_of_the_last(owner: User) -> None:
    export = reload_export(create_log_chain(owner, 5))
    lines = list(ExportLog.objects.filter(export=export).order_by("id"))
    assert [line.sequence for line in lines] == [1, 2, 3, 4, 5]
    assert [line.previous_hash for line in lines] == ["", *(line.hash for line in lines[:-1])]
    assert (export.log_sequence, export.log_hash) == (5, lines[-1].hash)
    verdict = log.verify()
    assert (verdict.chains, verdict.events, verdict.findings) == (1, 5, [])


def test_each_of_many_changes_deletions_and_swaps_is_found_where_it_was_made(export: Export, owner: User) -> None:
    chance = random.Random(20251030)
    others = [create_log_chain(owner, 12) for _ in range(3)]
    for _ in range(TIMES):
        victim = chance.choice([export, *others])
        with unlock_events(victim) as lines:
            expected = tamper_at_random(chance, lines)
            assert expected <= {(what, number) for key, what, number in find_tampering() if key == str(victim.pk)}
            assert {key for key, _, _ in find_tampering()} == {str(victim.pk)}
    assert find_tampering() == set()


def test_an_event_put_in_is_found(export: Export) -> None:
    with unlock_events(export) as lines:
        forged = lines[12]
        forged.pk, forged.sequence, forged.previous_hash = None, 13, forged.hash
        ExportLog.objects.bulk_create([forged])
        rehash(forged)
        assert find_tampering() == {(str(export.pk), "inserted", 13)}
    with unlock_events(export) as lines:
        for number in range(12, 5, -1):
            change(lines[number], sequence=number + 1)
        forged = lines[5]
        forged.pk, forged.sequence = None, 6
        ExportLog.objects.bulk_create([forged])
        assert {number for _, _, number in find_tampering()} == set(range(6, 14))


def test_a_change_with_its_hash_made_anew_breaks_the_link_of_the_next(export: Export) -> None:
    with unlock_events(export) as lines:
        change(lines[4], message="Nothing happened.")
        rehash(lines[4])
        assert find_tampering() == {(str(export.pk), "replaced", 5)}


def test_a_change_of_the_last_event_with_its_hash_made_anew_is_told_by_the_row(export: Export) -> None:
    with unlock_events(export) as lines:
        change(lines[12], message="Nothing happened.")
        rehash(lines[12])
        assert find_tampering() == {(str(export.pk), "replaced", 12)}


def test_a_tail_that_was_cut_is_told_by_the_row_and_so_is_a_whole_chain(export: Export) -> None:
    with unlock_events(export) as lines:
        remove(lines[11], lines[12])
        assert find_tampering() == {(str(export.pk), "missing", 11), (str(export.pk), "missing", 12)}
    with unlock_events(export) as lines:
        remove(*lines.values())
        assert find_tampering() == {(str(export.pk), "missing", number) for number in range(1, 13)}


def test_one_export_is_looked_at_alone_when_it_is_named(export: Export, owner: User) -> None:
    other = queue_export(owner)
    with unlock_events(export) as lines:
        swap(lines[3], lines[4])
        assert find_tampering(other.pk) == set()
        assert find_tampering(export.pk) == {(str(export.pk), "moved", 3), (str(export.pk), "moved", 4)}
    with pytest.raises(NotFound):
        log.verify("no-id")


@pytest.mark.django_db
@pytest.mark.parametrize("table", append_only.GUARDED)
@pytest.mark.parametrize("statement", ["UPDATE {} SET hash = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete_what_is_written(owner: User, table: str, statement: str) -> None:
    queue_export(owner)
    now = timezone.now()
    AuditAnchor.objects.create(day=now.date(), chains=1, events=1, heads_hash="", hash="", created_at=now)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))
    assert (ExportLog.objects.count(), AuditAnchor.objects.count()) == (1, 1)


def test_a_trigger_that_was_taken_away_is_found(export: Export) -> None:
    assert log.verify().findings == []
    with append_only.triggers_disabled(connection):
        assert [one.what for one in log.verify().findings] == ["guard"] * 4
    assert log.verify().findings == []


def test_flush_empties_the_log_and_leaves_it_guarded(export: Export) -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert not ExportLog.objects.exists()
    assert append_only.missing_triggers(connection) == []


def test_many_downloads_at_once_do_not_fork_the_chain(export: Export, owner: User) -> None:
    def download(number: int) -> None:
        close_old_connections()
        try:
            lifecycle.record_download(export, owner, f"Download {number}.")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(download, range(20)))
    lines = ExportLog.objects.filter(export=export, event=Event.DOWNLOADED)
    assert sorted(lines.values_list("sequence", flat=True)) == list(range(13, 33))
    assert {line.message for line in lines} == {f"Download {number}." for number in range(20)}
    assert reload_export(export).download_count == 20
    assert log.verify().findings == []


def days_ago(export: Export, days: int) -> None:
    """The chain as if all of it had been written some days ago."""
    before = ""
    with append_only.triggers_disabled(connection):
        for line in ExportLog.objects.filter(export=export).order_by("sequence"):
            change(line, created_at=line.created_at - timedelta(days=days), previous_hash=before)
            before = rehash(line)
    Export.objects.filter(pk=export.pk).update(log_hash=before)
