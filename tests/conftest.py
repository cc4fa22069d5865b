"""What all tests share: two people, and a storage of one's own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User

from rowferry.exports.databases import connection_pool
from tests.factories.people import UserFactory

GIVEN = os.environ.get("STORAGE_URL", "")
DATABASE = {"db", "transactional_db", "django_db_setup"}
"""The fixtures of pytest-django that every other one with a database comes from."""
SERVED = {"django_db", "system", "services"}
"""Marks of tests that use a database or a broker."""
ADDRESSED = {"config", "runtime", "monitoring", "cli", "storage", "test_doc_examples.py"}
"""Folders and files whose tests may read the addresses of servers without asking for a database."""
INSTALLED = {"system", "test_celery_worker.py"}
"""Folders and files whose tests make an installation with a database and a broker of its own."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `once` what is the same whatever database and broker there are."""
    for item in items:
        if is_pure(item) or (INSTALLED & set(item.path.parts) and not item.get_closest_marker("services")):
            item.add_marker(pytest.mark.once)


def is_pure(item: pytest.Item) -> bool:
    """Whether a test asks for neither a database, which pytest-django refuses it then, nor a server."""
    marks = {mark.name for mark in item.iter_markers()}
    fixtures = set(getattr(item, "fixturenames", ()))
    return not (marks & SERVED or fixtures & DATABASE or ADDRESSED & set(item.path.parts))


@pytest.fixture(autouse=True)
def own_storage(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """Files of one test never meet those of another: a prefix in the S3 that STORAGE_URL names, or a folder."""
    on_s3 = GIVEN.startswith("s3:") and "storage_folder" not in request.fixturenames
    settings.STORAGE_URL = GIVEN.replace("?", f"/{uuid4().hex}?", 1) if on_s3 else f"file://{tmp_path / 'files'}"


@pytest.fixture
def storage_folder(own_storage: None, tmp_path: Path) -> Path:
    """The folder that is the storage of this test, because it looks or meddles there."""
    return tmp_path / "files"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The test's database goes at the end: nobody may be connected to it then."""
    yield
    connection_pool.close_all()


def may_export(user: User) -> User:
    """Give a user the right to export everything."""
    user.user_permissions.set(Permission.objects.filter(codename__startswith="export_"))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def owner(db: None) -> User:
    """Somebody who may export assets and tickets, and does."""
    return may_export(UserFactory(username="owner", first_name="Olga", last_name="Owner", email="owner@example.com"))


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody else with the same rights."""
    user = UserFactory(username="stranger", first_name="Stan", last_name="Stranger", email="stranger@example.com")
    return may_export(user)
