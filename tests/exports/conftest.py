"""What tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.exports.probe import Probe


@pytest.fixture(scope="session")
def probe_table(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The table of Probe, made once; it goes with the test database."""
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.create_model(Probe)
    yield
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.delete_model(Probe)


@pytest.fixture
def probes(probe_table: None, db: None) -> None:
    """An empty table of Probe, in a transaction that is rolled back."""


@pytest.fixture
def committed_probes(probe_table: None, transactional_db: None) -> Iterator[None]:
    """An empty table of Probe whose rows are committed, so that other connections see them."""
    yield
    Probe.objects.all().delete()
