"""Assets in the admin: pages that open, and that ask the database no more for many rows than for few."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rowferry.assets.models import Asset, AssetStatus, AssetType, Location, Manufacturer
from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.people import UserFactory

pytestmark = pytest.mark.django_db


def statements(client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_the_list_asks_as_much_for_many_assets_as_for_one(admin_client):
    url = reverse("admin:assets_asset_changelist")
    AssetFactory(assigned_to=UserFactory(), location=LocationFactory())
    for_one = statements(admin_client, url)
    for _ in range(5):
        AssetFactory(assigned_to=UserFactory(), location=LocationFactory())
    assert statements(admin_client, url) == for_one


def test_a_search_finds_by_serial(admin_client):
    AssetFactory(name="Wanted", serial_number="0004711")
    AssetFactory(name="Other")
    page = admin_client.get(reverse("admin:assets_asset_changelist"), {"q": "0004711"}).content.decode()
    assert "Wanted" in page
    assert "Other" not in page


@pytest.mark.parametrize("model", [Asset, AssetStatus, AssetType, Location, Manufacturer])
def test_every_model_has_a_list_and_a_form(admin_client, model):
    AssetFactory(location=LocationFactory())
    name = model._meta.model_name
    for url in (
        reverse(f"admin:assets_{name}_changelist"),
        reverse(f"admin:assets_{name}_add"),
        reverse(f"admin:assets_{name}_change", args=[model.objects.get().pk]),
    ):
        assert admin_client.get(url).status_code == 200


def test_the_form_refuses_to_move_a_place_into_itself(admin_client):
    building = LocationFactory(name="building")
    room = LocationFactory(name="room", parent=building)
    url = reverse("admin:assets_location_change", args=[building.pk])
    answer = admin_client.post(url, {"name": "building", "parent": room.pk})
    assert "building cannot lie inside itself." in answer.content.decode()
    building.refresh_from_db()
    assert building.parent is None
