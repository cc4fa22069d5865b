"""A try that fails: it is made again after its delay, the third is the last, and none leaves a part behind."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from rowferry.exports.errors import StorageFault
from rowferry.exports.execution import queued
from rowferry.exports.models import Attempt, EmailOutbox
from rowferry.exports.storage import storage
from tests.factories.assets import AssetFactory
from tests.factories.exports import end_lease, events, is_sound, list_files, queue_export, reload_export, watched_rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_failed_try_waits_its_delay_in_the_row_and_the_third_is_the_last(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_RETRY_DELAY = 45
    storage_folder.write_text("A file where the folder should be.")
    export = queue_export(owner)
    for number in (1, 2):
        queued.run_next()
        waiting = reload_export(export)
        assert (waiting.status, waiting.attempt, waiting.worker) == ("processing", number, "")
        wait = (waiting.lease_until - timezone.now()).total_seconds()
        assert 40 < wait <= 45
        assert waiting.message == f"Try {number} of 3 failed; the next one comes by itself."
        assert queued.run_next() is None
        end_lease(export)
    queued.run_next()
    failed = reload_export(export)
    assert (failed.status, failed.attempt, failed.error["code"]) == ("failed", 3, "storage_fault")
    assert "processing retrying processing retrying processing failed" in " ".join(events(export))
    assert [a.outcome for a in Attempt.objects.filter(export=export)] == ["storage_fault"] * 3
    end_lease(export)
    assert queued.run_next() is None


def test_a_retry_that_works_is_as_good_as_a_first_try(owner: User, storage_folder: Path):
    AssetFactory.create_batch(3)
    storage_folder.write_text("A file where the folder should be.")
    export = queue_export(owner)
    queued.run_next()
    storage_folder.unlink()
    end_lease(export)
    queued.run_next()
    done = reload_export(export)
    assert (done.status, done.attempt, done.error, done.exported_items) == ("completed", 2, None, 3)
    assert is_sound(done, storage_folder)
    assert [kind for (kind,) in EmailOutbox.objects.values_list("kind")] == ["completed"]


def test_a_try_that_takes_too_long_is_tried_again_and_then_fails(owner: User, storage_folder: Path, settings: Any):
    settings.ROWFERRY_TIME_LIMIT = 0.2
    with watched_rows(5_000) as at_row:
        export = queue_export(owner, "groups")
        for _ in range(3):
            at_row[2_500] = lambda: time.sleep(0.3)
            queued.run_next()
            end_lease(export)
    failed = reload_export(export)
    assert (failed.status, failed.error["code"], failed.attempt) == ("failed", "time_limit", 3)
    assert events(export).count("retrying") == 2
    assert list_files(storage_folder) == []


class TimeLimitExceeded(BaseException):
    """What a queue raises where the worker happens to be."""


def test_the_queues_own_time_limit_ends_a_try_too(owner: User, storage_folder: Path, settings: Any):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    with watched_rows(5_000) as at_row:
        export = queue_export(owner, "groups")
        at_row[2_500] = raising(TimeLimitExceeded())
        queued.run_next((TimeLimitExceeded,))
    assert (reload_export(export).status, reload_export(export).error["code"]) == ("failed", "time_limit")
    assert list_files(storage_folder) == []


def test_a_bug_fails_in_words_without_its_trace_and_the_next_export_works(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    with watched_rows(10) as at_row:
        export = queue_export(owner, "groups")
        at_row[0] = raising(ZeroDivisionError("secret"))
        queued.run_next()
        failed = reload_export(export)
        assert (failed.status, failed.error["code"]) == ("failed", "unexpected_fault")
        assert "secret" not in str(failed.error)
        following = queue_export(owner, "groups")
        queued.run_next()
    assert reload_export(following).status == "completed"


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


# The disk


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow over so many bytes: what a full disk looks like to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_leaves_no_part_behind_and_the_next_export_works(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    with watched_rows(5_000, width=4_000):
        export = queue_export(owner, "groups")
        with file_size_limit(12_000_000):
            queued.run_next()
        failed = reload_export(export)
        assert (failed.status, failed.error["code"]) == ("failed", "storage_fault")
        assert "too large" in failed.error["detail"]
        assert list_files(storage_folder) == []
        following = queue_export(owner, "groups")
        queued.run_next()
        assert is_sound(reload_export(following), storage_folder)


def test_a_folder_that_becomes_a_file_while_it_is_written_to_fails_clearly(
    owner: User, storage_folder: Path, settings: Any
):
    settings.ROWFERRY_MAX_ATTEMPTS = 1

    def lose_the_folder() -> None:
        storage_folder.rename(storage_folder.with_name("lost"))
        storage_folder.write_text("A file where the folder was.")

    with watched_rows(5_000) as at_row:
        export = queue_export(owner, "groups")
        at_row[2_500] = lose_the_folder
        queued.run_next()
    assert (reload_export(export).status, reload_export(export).error["code"]) == ("failed", "storage_fault")


def test_a_manifest_that_cannot_be_written_takes_the_file_with_it(owner: User, storage_folder: Path, settings: Any):
    settings.ROWFERRY_MAX_ATTEMPTS = 1
    export = queue_export(owner)
    storage_folder.mkdir()
    in_the_way = storage_folder / f"{export.pk}.1.csv.manifest.json.part"
    in_the_way.mkdir()
    queued.run_next()
    assert (reload_export(export).status, reload_export(export).error["code"]) == ("failed", "storage_fault")
    assert list_files(storage_folder) == [in_the_way.name]


def test_a_small_file_is_written_whole_or_not_at_all(storage_folder: Path):
    with file_size_limit(12_000_000), pytest.raises(StorageFault, match="too large"):
        storage().put("a-file", bytes(13_000_000))
    assert list_files(storage_folder) == []
    assert storage().put("a-file", b"x").size == 1
    assert list_files(storage_folder) == ["a-file"]
