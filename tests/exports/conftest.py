"""What tests of the engine share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from rowferry.assets.models import Asset
from rowferry.exports.resources import permissions, registry
from rowferry.exports.resources.resource import Resource, register
from tests.factories.assets import AssetFactory
from tests.support.all_types_model import Probe
from tests.support.restricted_resource import GuardedResource


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
    import_module(settings.ROOT_URLCONF)  # the API lists the resources that there are when it is imported
    names: list[str] = []

    def declare_resource(cls: type[Resource]) -> Resource:
        names.append(cls.name)
        register(cls)
        ContentType.objects.clear_cache()  # a test before may have put one there that was rolled back
        permissions.create_missing("default")
        return registry.resource(cls.name)

    yield declare_resource
    for name in names:
        registry.unregister(name)


@pytest.fixture
def guarded_resource(declare: Callable[[type[Resource]], Resource]) -> Resource:
    """Declares the resource `guarded`."""
    return declare(GuardedResource)


@pytest.fixture
def asset(owner: User) -> Asset:
    """The one asset that there is."""
    Asset.objects.all().delete()
    found = AssetFactory(
        name="Laptop7", asset_tag="T-1", serial_number="SN-000123", purchase_date=date(2025, 1, 2), assigned_to=owner
    )
    Asset.objects.update(created_at=datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC))
    return found
