"""How long files live, and what is swept away: all that no row needs, and nothing that one does."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from rowferry.exports import lifecycle, tracking
from rowferry.exports.errors import Conflict, Gone, NotFound, StorageFault
from rowferry.exports.execution import queued
from rowferry.exports.limits import idempotency
from rowferry.exports.limits.idempotency import Key
from rowferry.exports.models import Export, ExportLog, IdempotencyKey
from rowferry.exports.scheduling import scheduler
from tests.factories.assets import AssetFactory
from tests.factories.exports import (
    LONG_AGO,
    begin_export,
    end_lease,
    events,
    list_files,
    queue_export,
    reload_export,
    update_export,
)
from tests.factories.tables import leading_columns

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def finished_export(owner: User) -> Export:
    """A finished export of two assets."""
    AssetFactory.create_batch(2)
    export = queue_export(owner)
    queued.run_next()
    return reload_export(export)


def over(export: Export) -> Export:
    return update_export(export, expires_at=timezone.now() - timedelta(seconds=1))


def age(folder: Path) -> None:
    """Every file in the folder was last written long ago."""
    before = time.time() - LONG_AGO.total_seconds()
    for path in folder.iterdir():
        os.utime(path, (before, before))


# Files whose time is over


def test_a_file_lives_until_its_time_is_over(finished_export: Export, storage_folder: Path):
    assert scheduler.expire() == 0
    over(finished_export)
    assert [scheduler.expire(), scheduler.expire()] == [1, 0]
    assert reload_export(finished_export).status == "expired"
    assert list_files(storage_folder) == []
    assert events(finished_export)[-2:] == ["completed", "expired"]


def test_an_expired_file_is_gone_for_whoever_asks(owner: User, finished_export: Export):
    over(finished_export)
    with pytest.raises(Gone):
        tracking.open_file(owner, finished_export.pk)
    scheduler.expire()
    with pytest.raises(Gone):
        tracking.open_file(owner, finished_export.pk)
    assert tracking.manifest(owner, finished_export.pk)["sha256"] == finished_export.sha256


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("pending", Conflict),
        ("processing", Conflict),
        ("failed", Conflict),
        ("cancelled", Conflict),
        ("deleted", NotFound),
    ],
)
def test_what_cannot_be_downloaded_says_why(owner: User, finished_export: Export, status: str, answer: type[Exception]):
    update_export(finished_export, status=status)
    with pytest.raises(answer):
        tracking.open_file(owner, finished_export.pk)


def test_a_missing_file_is_not_found_and_can_still_expire(owner: User, finished_export: Export, storage_folder: Path):
    (storage_folder / finished_export.file_key).unlink()
    with pytest.raises(NotFound):
        tracking.open_file(owner, finished_export.pk)
    over(finished_export)
    assert scheduler.expire() == 1


def test_the_row_goes_before_the_file(finished_export: Export, storage_folder: Path):
    """A crash between the two must leave a file without a promise, never the other way round."""
    over(finished_export)
    (storage_folder / finished_export.file_key).unlink()
    (storage_folder / finished_export.file_key).mkdir()
    with pytest.raises(StorageFault, match="directory"):
        scheduler.expire()
    assert reload_export(finished_export).status == "expired"


def test_a_deleted_file_is_gone_and_its_log_stays(owner: User, finished_export: Export, storage_folder: Path):
    tracking.delete(owner, finished_export.pk)
    tracking.delete(owner, finished_export.pk)
    assert list_files(storage_folder) == []
    assert events(finished_export) == ["initiated", "processing", "completed", "deleted"]
    with pytest.raises(NotFound):
        tracking.open_file(owner, finished_export.pk)
    assert ExportLog.objects.get(export=finished_export, event="deleted").actor_name == "owner"


def test_the_time_of_expiry_is_indexed():
    assert "expires_at" in leading_columns(Export)


# Files that no row needs


def test_the_file_of_a_finished_export_stays_however_old(finished_export: Export, storage_folder: Path):
    age(storage_folder)
    assert scheduler.tidy() == 0
    assert len(list_files(storage_folder)) == 2


def test_orphans_and_parts_go_when_they_are_old_enough(finished_export: Export, storage_folder: Path):
    kept = list_files(storage_folder)
    orphans = [
        "11111111-2222-3333-4444-555555555555.1.csv",
        "11111111-2222-3333-4444-555555555555.1.csv.manifest.json",
        f"{finished_export.pk}.1.csv.part",
        f"{finished_export.pk}.1.csv.manifest.json.part",
        f"{finished_export.pk}.2.csv",
        "check.123.part",
        "notes.txt",
    ]
    for name in orphans:
        (storage_folder / name).write_bytes(b"x")
    assert scheduler.tidy() == 0
    age(storage_folder)
    assert scheduler.tidy() == len(orphans)
    assert list_files(storage_folder) == kept


def test_the_part_of_a_running_try_is_never_removed_and_that_of_a_lost_one_is(owner: User, storage_folder: Path):
    export = queue_export(owner)
    lifecycle.claim_due("me")
    storage_folder.mkdir()
    part = storage_folder / f"{export.pk}.1.csv.part"
    part.write_bytes(b"x")
    age(storage_folder)
    assert scheduler.tidy() == 0
    end_lease(export)
    assert scheduler.tidy() == 0
    lifecycle.claim_due("another")
    assert scheduler.tidy() == 1
    assert list_files(storage_folder) == []


def test_the_part_of_a_try_that_failed_is_removed_while_the_next_one_is_waited_for(owner: User, storage_folder: Path):
    export = queue_export(owner)
    claim = lifecycle.claim_due("me")
    assert claim is not None
    lifecycle.fail(claim, queued.UnexpectedFault("A fault."), 0)
    storage_folder.mkdir()
    (storage_folder / f"{export.pk}.{claim.fence}.csv.part").write_bytes(b"x")
    age(storage_folder)
    assert scheduler.tidy() == 1


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired", "deleted"])
def test_a_file_of_an_export_that_ended_without_one_is_removed(
    finished_export: Export, storage_folder: Path, status: str
):
    update_export(finished_export, status=status)
    age(storage_folder)
    assert scheduler.tidy() == 2
    assert list_files(storage_folder) == []


def test_without_a_folder_there_is_nothing_to_tidy(storage_folder: Path):
    assert scheduler.tidy() == 0


# Exports that a request began


def test_an_export_whose_request_died_before_its_first_row_fails(owner: User):
    lost = update_export(queue_export(owner), mode="immediate", created_at=timezone.now() - LONG_AGO)
    fresh = update_export(queue_export(owner), mode="immediate")
    waiting = update_export(queue_export(owner), created_at=timezone.now() - LONG_AGO)
    assert scheduler.end_unstarted() == 1
    assert [reload_export(export).status for export in (lost, fresh, waiting)] == ["failed", "pending", "pending"]
    assert reload_export(lost).error["code"] == "interrupted"


def test_an_export_whose_request_died_half_way_fails_and_is_not_tried_by_a_worker(owner: User):
    export = begin_export(owner).export
    end_lease(export)
    assert queued.run_next() is None
    assert scheduler.end_abandoned() == 1
    assert (reload_export(export).status, reload_export(export).error["code"]) == ("failed", "interrupted")


# By hand


def test_the_command_does_it_all_and_says_what(
    owner: User, finished_export: Export, storage_folder: Path, capsys: pytest.CaptureFixture[str]
):
    over(finished_export)
    (storage_folder / "orphan").write_bytes(b"x")
    age(storage_folder)
    call_command("cleanup")
    assert capsys.readouterr().out == "1 expired, 0 abandoned exports ended, 1 needless files removed.\n"
    assert list_files(storage_folder) == []
    call_command("cleanup")
    assert capsys.readouterr().out == "0 expired, 0 abandoned exports ended, 0 needless files removed.\n"


# Keys


def test_the_key_of_a_request_is_forgotten_after_a_day(owner: User):
    key = Key.parse("a-key", {"format": "csv"})
    export = queue_export(owner)
    idempotency.keep(owner, key, export)
    assert idempotency.find(owner, key) == export
    assert idempotency.tidy() == 0
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert idempotency.find(owner, key) is None
    assert [idempotency.tidy(), idempotency.tidy()] == [1, 0]
    assert reload_export(export).status == "pending"
