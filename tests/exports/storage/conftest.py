"""Both storages: a folder, and a bucket on a server of this test run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rowferry.exports.storage import Storage, storage
from tests.api.conftest import api, other  # noqa: F401  (fixtures)
from tests.services.s3 import CREDENTIALS, s3


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    with s3() as url:
        yield url


@pytest.fixture
def bucket(s3_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A STORAGE_URL with a prefix of this test, in use."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    settings.STORAGE_URL = s3_url.replace("/files", f"/{uuid4()}")
    return str(settings.STORAGE_URL)


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, storage_folder: Path) -> Storage:
    """Each storage in turn."""
    if request.param == "s3":
        request.getfixturevalue("bucket")
    return storage()
