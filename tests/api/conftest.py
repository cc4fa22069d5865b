"""Callers of the API, and small bounds so that a handful of rows reaches every mode."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rowferry.api.models import issue
from rowferry.assets.models import Asset
from rowferry.exports.execution.queued import run_next
from rowferry.exports.models import Export
from tests.factories.assets import AssetFactory, AssetStatusFactory, AssetTypeFactory

ROOT = "/api/v1"


class ApiClient:
    """Somebody with a bearer token (or, with user None, nobody)."""

    def __init__(self, user: User | None, **headers: str) -> None:
        self.user = user
        known = {"authorization": f"Bearer {issue(user)}"} if user else {}
        self.http = Client(headers=known | headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.http.get(ROOT + path, headers=headers)

    def head(self, path: str, **headers: str) -> Any:
        return self.http.head(ROOT + path, headers=headers)

    def delete(self, path: str) -> Any:
        return self.http.delete(ROOT + path)

    def post(self, path: str, body: object = None, *, content_type: str = "application/json", **headers: str) -> Any:
        """`body` as JSON, or as it is if it is text or bytes already."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.http.post(ROOT + path, data, content_type=content_type, headers=headers)

    def create_export(self, resource: str = "assets", **body: Any) -> Any:
        return self.post(f"/{resource}/export", {"format": "csv"} | body)

    def queue_export(self, **body: Any) -> Export:
        """A queued export that waits."""
        answer = self.create_export(**{"async": True} | body)
        assert answer.status_code == 202, answer.content
        return Export.objects.get(pk=answer.json()["export_id"])

    def run_export(self, **body: Any) -> Export:
        """A queued export that a worker has made."""
        export = self.queue_export(**body)
        run_next()
        export.refresh_from_db()
        return export


def content(answer: Any) -> bytes:
    """All bytes of an answer. (Reading to the end closes it.)"""
    data: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return data


def lines(answer: Any) -> list[str]:
    """The lines of a CSV answer, its header first, without their quotes."""
    return [",".join(row) for row in csv.reader(content(answer).decode("utf-8-sig").splitlines())]


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem of an answer that has this status and is a whole one by RFC 9457."""
    assert answer.status_code == status, content(answer)
    assert answer["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found.keys() >= {"type", "title", "status", "detail", "code"}
    assert found["status"] == status
    return found


def create_assets(number: int, **values: Any) -> list[Asset]:
    """So many assets, in one statement."""
    common = {"status": AssetStatusFactory(), "asset_type": AssetTypeFactory()} | values
    rows = (Asset(name=f"Laptop {n}", asset_tag=f"BULK-{n:06d}", **common) for n in range(number))
    return Asset.objects.bulk_create(rows, batch_size=2_000)


@pytest.fixture(autouse=True)
def small_bounds(settings: Any) -> None:
    settings.ROWFERRY_IMMEDIATE_BELOW = 5
    settings.ROWFERRY_QUEUE_ABOVE = 10
    settings.ROWFERRY_REQUEST_ROW_LIMIT = 20
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1_000
    settings.ROWFERRY_DRY_RUNS_PER_MINUTE = 1_000


@pytest.fixture
def api(owner: User) -> ApiClient:
    return ApiClient(owner)


@pytest.fixture
def other(stranger: User) -> ApiClient:
    return ApiClient(stranger)


@pytest.fixture
def nobody(db: None) -> ApiClient:
    return ApiClient(None)


@pytest.fixture
def assets(db: None) -> list[Asset]:
    """Three assets: an immediate export."""
    return AssetFactory.create_batch(3)
