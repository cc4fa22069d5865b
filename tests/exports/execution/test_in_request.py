"""Exports made in the request itself: however one ends half way, its row says so and nothing is left of its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from rowferry.exports import submission, tracking
from rowferry.exports.errors import Cancelled, StorageFault
from rowferry.exports.submission import Ready, Streamed
from tests.factories.exports import events, list_files, reload_export, watched_rows

pytestmark = pytest.mark.django_db(transaction=True)


def submit_streamed(person: User) -> Streamed:
    answer = submission.submit("groups", {"format": "csv"}, person)
    assert isinstance(answer, Streamed)
    return answer


def test_a_stream_gives_the_bytes_that_are_kept(owner: User, storage_folder: Path):
    with watched_rows(5_000):
        answer = submit_streamed(owner)
        data = b"".join(answer.chunks)
        export = reload_export(answer.export)
    assert (export.status, export.mode, export.exported_items) == ("completed", "streamed", 5_000)
    assert (storage_folder / export.file_key).read_bytes() == data
    assert events(export) == ["initiated", "processing", "completed"]


def test_a_client_that_leaves_half_way_is_told_of_in_the_row(owner: User, storage_folder: Path):
    with watched_rows(5_000):
        answer = submit_streamed(owner)
        next(answer.chunks)
        answer.chunks.close()  # type: ignore[attr-defined]
    export = reload_export(answer.export)
    assert (export.status, export.error["code"]) == ("failed", "client_gone")
    assert events(export) == ["initiated", "processing", "failed"]
    assert list_files(storage_folder) == []


def test_a_stream_that_is_cancelled_breaks_off_and_is_cancelled(owner: User, storage_folder: Path):
    with watched_rows(5_000):
        answer = submit_streamed(owner)
        next(answer.chunks)
        tracking.cancel(owner, answer.export.pk)
        with pytest.raises(Cancelled):
            list(answer.chunks)
    assert reload_export(answer.export).status == "cancelled"
    assert events(answer.export) == ["initiated", "processing", "cancelled"]
    assert list_files(storage_folder) == []


def test_a_program_that_is_told_to_end_ends_and_says_so_in_the_row(owner: User, storage_folder: Path):
    def interrupt() -> None:
        raise KeyboardInterrupt

    with watched_rows(5_000) as at_row:
        at_row[2_500] = interrupt
        answer = submit_streamed(owner)
        with pytest.raises(KeyboardInterrupt):
            list(answer.chunks)
    assert (reload_export(answer.export).status, reload_export(answer.export).error["code"]) == (
        "failed",
        "interrupted",
    )
    assert list_files(storage_folder) == []


def test_a_storage_that_is_lost_half_way_breaks_the_stream_off(owner: User, storage_folder: Path):
    with watched_rows(5_000):
        answer = submit_streamed(owner)
        next(answer.chunks)
        storage_folder.rename(storage_folder.with_name("lost"))
        with pytest.raises(StorageFault) as failure:
            list(answer.chunks)
    export = reload_export(answer.export)
    assert (export.status, export.error["code"]) == ("failed", "storage_fault")
    assert "Traceback" not in str(failure.value)


def test_what_is_not_to_be_kept_leaves_no_file_and_no_place_in_the_history(owner: User, storage_folder: Path):
    with watched_rows(10):
        answer = submission.submit("groups", {"format": "csv", "keep": False}, owner)
    assert isinstance(answer, Ready)
    with answer.file.stream as stream:
        assert stream.read().count(b"\r\n") == 11
    assert list_files(storage_folder) == []
    assert tracking.history(owner, {}).total == 0
    assert events(answer.export) == ["initiated", "processing", "completed", "deleted"]
