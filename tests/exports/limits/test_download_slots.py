"""As many files as there are seats are sent at once; who finds none is told to come back."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from rowferry.exports import submission, tracking
from rowferry.exports.errors import TooManyDownloads
from rowferry.exports.execution.in_request import BUFFER_BYTES
from rowferry.exports.limits.download_slots import DownloadSlot, SlotStream
from rowferry.exports.models import Export, Mode, Status
from rowferry.exports.submission import Ready, Streamed
from tests.factories.assets import AssetFactory

STREAM = {"format": "csv", "async": False}


@pytest.fixture(autouse=True)
def one_download_slot(settings: Any) -> Iterator[None]:
    gc.collect()
    settings.ROWFERRY_FILES_AT_ONCE = 1
    yield
    gc.collect()


def test_a_seat_is_free_again_once_it_is_left() -> None:
    seat = DownloadSlot()
    with pytest.raises(TooManyDownloads) as refused:
        DownloadSlot()
    assert refused.value.retry_after == 5
    seat.release()
    seat.release()
    DownloadSlot().release()


def test_a_seat_that_nobody_holds_any_more_is_free() -> None:
    seat = DownloadSlot()
    del seat
    gc.collect()
    DownloadSlot().release()


def test_closing_a_file_leaves_its_seat() -> None:
    file = SlotStream(io.BytesIO(b"rows"), DownloadSlot())
    assert file.read() == b"rows"
    file.close()
    DownloadSlot().release()


@pytest.mark.django_db(transaction=True)
def test_a_full_house_refuses_downloads_and_streams_before_anything_is_stored(settings: Any, owner: User) -> None:
    settings.ROWFERRY_IMMEDIATE_BELOW = 2
    AssetFactory.create()
    ready = submission.submit("assets", {"format": "csv"}, owner)
    assert isinstance(ready, Ready)
    ready.file.stream.close()
    AssetFactory.create()
    _, file = tracking.open_file(owner, ready.export.pk)
    for attempt in (
        lambda: tracking.open_file(owner, ready.export.pk),
        lambda: submission.submit("assets", STREAM, owner),
    ):
        with pytest.raises(TooManyDownloads):
            attempt()
    assert Export.objects.count() == 1
    file.stream.close()
    streamed = submission.submit("assets", STREAM, owner)
    assert isinstance(streamed, Streamed)
    assert b"".join(streamed.chunks).count(b"\r\n") == 3
    DownloadSlot().release()


@pytest.mark.django_db(transaction=True)
def test_a_slow_client_does_not_hold_the_snapshot_of_a_small_file(settings: Any, owner: User) -> None:
    """After its first rows the next piece is all the rest, up to AHEAD, and then the export is complete."""
    settings.ROWFERRY_IMMEDIATE_BELOW = 2
    AssetFactory.create_batch(4_500)
    answer = submission.submit("assets", STREAM, owner)
    assert isinstance(answer, Streamed)
    assert answer.export.mode == Mode.STREAMED
    first, rest = next(answer.chunks), next(answer.chunks)
    assert 0 < len(first) < len(rest) < BUFFER_BYTES
    assert Export.objects.get(pk=answer.export.pk).status == Status.COMPLETED
    assert list(answer.chunks) == []
