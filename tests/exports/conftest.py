"""What tests of the engine share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from rowferry.exports import permissions, registry
from rowferry.exports.resource import Resource, register
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


@pytest.fixture
def declare(db: None) -> Iterator[Callable[[type[Resource]], Resource]]:
    """Makes a resource known with its permission, as a project's own file would; it is forgotten after the test."""
    doors: dict[type[Any], Any] = {}
    names: list[str] = []

    def known(cls: type[Resource]) -> Resource:
        doors.setdefault(cls.model, vars(cls.model).get("exports"))
        names.append(cls.name)
        register(cls)
        permissions.keep("default")
        return registry.resource(cls.name)

    yield known
    for name in names:
        registry.unregister(name)
    for model, door in doors.items():
        del model.exports
        if door is not None:
            model.exports = door
