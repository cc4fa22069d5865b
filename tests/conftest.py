"""What all tests share: two people, and a storage of one's own for each test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from tests.factories.people import UserFactory


@pytest.fixture(autouse=True)
def storage_folder(settings: Any, tmp_path: Path) -> Path:
    """Files of one test never meet those of another."""
    folder = tmp_path / "files"
    settings.STORAGE_URL = f"file://{folder}"
    return folder


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
