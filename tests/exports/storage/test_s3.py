"""Exports in a bucket: from the order to the download, and what becomes of them when S3 fails."""

from __future__ import annotations

import hashlib
import time
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from rowferry.exports import tracking
from rowferry.exports.errors import StorageFault
from rowferry.exports.execution import queued
from rowferry.exports.models import Export, ExportLog, Status
from rowferry.exports.scheduling import scheduler
from rowferry.exports.storage import storage
from rowferry.exports.storage.s3 import PART_SIZE, S3Storage
from tests.api.conftest import ApiClient, content
from tests.factories.assets import AssetFactory
from tests.factories.exports import queue_export
from tests.services.faulty import run_faulty_server

pytestmark = pytest.mark.django_db(transaction=True)
LATER = time.time() + 3600
ENDS = ("", ".manifest.json")


@pytest.fixture
def export(bucket: str, owner: User) -> Export:
    """A finished export in the bucket."""
    AssetFactory.create_batch(30)
    export = queue_export(owner)
    queued.run_next()
    export.refresh_from_db()
    assert export.status == Status.COMPLETED
    return export


def test_file_and_manifest_are_in_the_bucket(export: Export) -> None:
    assert sorted(storage().keys(LATER)) == [export.file_key, f"{export.file_key}.manifest.json"]
    with storage().open(export.file_key) as file:
        assert hashlib.sha256(file.read()).hexdigest() == export.sha256


def test_the_api_gives_the_file_whole_and_in_part(export: Export, api: ApiClient) -> None:
    path = f"/exports/{export.pk}/download"
    whole = api.get(path)
    data = content(whole)
    assert (whole.status_code, whole["Content-Length"]) == (200, str(len(data)))
    assert hashlib.sha256(data).hexdigest() == export.sha256
    part = api.get(path, Range="bytes=5-14")
    assert (part.status_code, content(part)) == (206, data[5:15])


def test_an_object_that_is_gone_is_404(export: Export, api: ApiClient) -> None:
    storage().delete(export.file_key)
    assert api.get(f"/exports/{export.pk}/download").status_code == 404


def test_a_download_can_be_a_link_to_the_storage_itself(export: Export, api: ApiClient, settings: Any) -> None:
    settings.ROWFERRY_PRESIGNED = 60
    answer = api.get(f"/exports/{export.pk}/download")
    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, no-store")
    assert parse_qs(urlsplit(answer["Location"]).query)["X-Amz-Expires"] == ["60"]
    with urllib.request.urlopen(answer["Location"], timeout=20) as file:
        assert file.headers["Content-Disposition"] == f'attachment; filename="{export.filename}"'
        assert file.headers["Content-Type"] == export.content_type
        assert hashlib.sha256(file.read()).hexdigest() == export.sha256
    export.refresh_from_db()
    line = ExportLog.objects.get(export=export, event="downloaded")
    assert export.download_count == 1
    assert "a link to the storage" in line.message


def test_a_file_that_is_not_kept_is_answered_whole_and_leaves_the_bucket(bucket: str, api: ApiClient) -> None:
    AssetFactory.create_batch(3)
    answer = api.create_export(keep=False)
    assert (answer.status_code, content(answer).count(b"\r\n")) == (200, 4)
    assert list(storage().keys(LATER)) == []


def test_a_link_is_given_to_nobody_else(export: Export, other: ApiClient, settings: Any) -> None:
    settings.ROWFERRY_PRESIGNED = 60
    assert other.get(f"/exports/{export.pk}/download").status_code == 404


def test_what_is_over_or_deleted_leaves_the_bucket(export: Export, owner: User) -> None:
    tracking.delete(owner, export.pk)
    assert list(storage().keys(LATER)) == []


def test_the_scheduler_ends_uploads_that_no_worker_writes_to(export: Export) -> None:
    stage = storage().stage(f"{export.pk}.{export.fence + 1}.csv")
    stage.write(bytes(PART_SIZE + 1))
    assert any(key.endswith(".part") for key in storage().keys(LATER))
    assert scheduler.tidy(-3600) == 1
    assert sorted(storage().keys(LATER)) == [export.file_key, f"{export.file_key}.manifest.json"]
    with pytest.raises(StorageFault):
        stage.publish()


def test_the_scheduler_leaves_alone_what_lies_deeper_in_the_bucket(bucket: str, settings: Any, db: None) -> None:
    settings.STORAGE_URL = bucket.replace("?", "/other?")
    storage().put("report.pdf", b"somebody else's")
    upload = storage().stage("film.mp4")
    upload.write(bytes(PART_SIZE + 1))
    settings.STORAGE_URL = bucket
    storage().put("orphan", b"nobody's")
    assert scheduler.tidy(-3600) == 1
    settings.STORAGE_URL = bucket.replace("?", "/other?")
    assert sorted(storage().keys(LATER)) == ["film.mp4.part", "report.pdf"]
    upload.discard()


def test_with_many_faults_completed_exports_have_their_files_and_tidy_leaves_nothing_else(
    bucket: str, owner: User, settings: Any
) -> None:
    settings.ROWFERRY_RETRY_DELAY = 0
    AssetFactory.create_batch(30)
    exports = [queue_export(owner) for _ in range(8)]
    endpoint = parse_qs(urlsplit(bucket).query)["endpoint_url"][0]
    with run_faulty_server(endpoint, 0.3, seed=7) as (address, server):
        settings.STORAGE_URL = bucket.replace(endpoint, address)
        while queued.run_next() is not None:
            pass
        assert server.spoiled > 0
    settings.STORAGE_URL = bucket
    scheduler.tidy(-3600)
    done = Export.objects.filter(pk__in=[export.pk for export in exports], status=Status.COMPLETED)
    assert len(done) >= 6
    assert set(storage().keys(LATER)) == {key + end for key in done.values_list("file_key", flat=True) for end in ENDS}
    for export in done:
        with storage().open(export.file_key) as file:
            assert hashlib.sha256(file.read()).hexdigest() == export.sha256


def test_a_lost_answer_to_the_last_request_is_no_loss(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = storage()
    assert isinstance(place, S3Storage)
    stage = place.stage("a.1.csv")
    stage.write(bytes(PART_SIZE + 1))
    complete = place.client.complete_multipart_upload

    def twice(**named: Any) -> Any:
        complete(**named)
        return complete(**named)

    monkeypatch.setattr(place.client, "complete_multipart_upload", twice)
    assert stage.publish().size == PART_SIZE + 1


@pytest.mark.services
def test_of_a_storage_with_many_faults_only_whole_files_come(bucket: str, settings: Any) -> None:
    endpoint = parse_qs(urlsplit(bucket).query)["endpoint_url"][0]
    data = bytes(range(256)) * (2 * PART_SIZE // 256 + 1)
    whole = set()
    with run_faulty_server(endpoint, 0.3) as (address, server):
        settings.STORAGE_URL = bucket.replace(endpoint, address)
        for number in range(12):
            key = f"{number}.1.csv"
            stage = storage().stage(key)
            try:
                stage.write(data)
                stage.publish()
                whole.add(key)
                with storage().open(key) as file:
                    assert file.read() == data
            except StorageFault:
                stage.discard()
        assert server.spoiled > 10
    settings.STORAGE_URL = bucket
    assert whole
    for key in list(storage().keys(LATER)):
        if key in whole:
            with storage().open(key) as file:
                assert file.read() == data
        else:
            storage().delete(key)
    assert set(storage().keys(LATER)) == whole


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://", "the bucket is missing"),
        ("s3://bucket", "the prefix is missing"),
        ("s3://bucket/", "the prefix is missing"),
        ("s3://bucket/prefix?regio=x", "regio is not known"),
        ("ftp://bucket", "'ftp' is not known"),
    ],
)
def test_an_address_that_is_wrong_says_what_to_give(url: str, why: str, settings: Any) -> None:
    settings.STORAGE_URL = url
    with pytest.raises(ImproperlyConfigured, match=why):
        storage()
