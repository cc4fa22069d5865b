"""Assets in the database: what is protected, what is indexed, what can be undone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.db.models import ProtectedError

from rowferry.assets.models import Asset
from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.people import UserFactory
from tests.factories.tables import leading_columns, tables


@pytest.mark.django_db(transaction=True)
def test_the_migrations_can_be_undone_and_done_again():
    there = tables("assets")
    assert "assets_asset" in there
    try:
        call_command("migrate", "assets", "zero", verbosity=0)
        assert not tables("assets")
    finally:
        call_command("migrate", "assets", verbosity=0)
    assert tables("assets") == there


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    call_command("makemigrations", "assets", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_a_tag_belongs_to_one_asset():
    AssetFactory(asset_tag="A-1")
    with pytest.raises(IntegrityError):
        AssetFactory(asset_tag="A-1")


@pytest.mark.django_db
def test_an_asset_stays_when_the_person_who_has_it_is_deleted():
    asset = AssetFactory(assigned_to=UserFactory())
    asset.assigned_to.delete()
    asset.refresh_from_db()
    assert asset.assigned_to is None


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["status", "location", "manufacturer", "asset_type"])
def test_what_an_asset_points_at_cannot_be_deleted(name):
    asset = AssetFactory(location=LocationFactory())
    with pytest.raises(ProtectedError):
        getattr(asset, name).delete()


@pytest.mark.django_db
def test_the_time_of_creation_can_be_given():
    then = datetime(2020, 2, 29, 12, tzinfo=UTC)
    asset = AssetFactory(created_at=then)
    asset.save()
    assert Asset.objects.get().created_at == then


@pytest.mark.django_db
def test_every_filter_and_sort_has_an_index():
    assert leading_columns(Asset) >= {field.column for field in Asset._meta.concrete_fields}
