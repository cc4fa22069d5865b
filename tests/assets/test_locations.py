"""The tree of places: paths that stay right whatever is moved."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from rowferry.assets.models import Location
from tests.factories.assets import LocationFactory

pytestmark = pytest.mark.django_db


def paths() -> dict[str, str]:
    return dict(Location.objects.values_list("name", "path"))


@pytest.fixture
def house() -> tuple[Location, Location, Location]:
    """Building / floor / room."""
    building = LocationFactory(name="building")
    floor = LocationFactory(name="floor", parent=building)
    return building, floor, LocationFactory(name="room", parent=floor)


def test_a_path_lists_the_ids_from_the_top_to_the_place_itself(house):
    building, floor, room = house
    assert room.path == f"/{building.pk}/{floor.pk}/{room.pk}/"
    assert paths()["room"] == room.path


def test_all_that_lies_below_moves_along(house):
    building, floor, room = house
    annex = LocationFactory(name="annex")
    floor.parent = annex
    floor.save()
    assert paths() == {
        "building": f"/{building.pk}/",
        "annex": f"/{annex.pk}/",
        "floor": f"/{annex.pk}/{floor.pk}/",
        "room": f"/{annex.pk}/{floor.pk}/{room.pk}/",
    }


def test_a_place_can_become_a_top_one(house):
    _, floor, room = house
    floor.parent = None
    floor.save()
    assert paths()["floor"] == f"/{floor.pk}/"
    assert paths()["room"] == f"/{floor.pk}/{room.pk}/"


def test_places_whose_ids_begin_alike_stay_where_they_are():
    one, twelve = LocationFactory(pk=1, name="one"), LocationFactory(pk=12, name="twelve")
    LocationFactory(pk=120, name="desk", parent=twelve)
    one.parent = LocationFactory(pk=3, name="three")
    one.save()
    assert paths() == {"one": "/3/1/", "three": "/3/", "twelve": "/12/", "desk": "/12/120/"}


@pytest.mark.parametrize("target", [0, 1, 2], ids=["itself", "its child", "its grandchild"])
def test_a_place_cannot_be_moved_into_itself(house, target):
    building = house[0]
    before = paths()
    building.parent = house[target]
    with pytest.raises(ValidationError, match="inside itself"):
        building.full_clean()
    with pytest.raises(ValidationError, match="inside itself"):
        building.save()
    assert paths() == before
    assert Location.objects.get(pk=building.pk).parent is None


def test_an_old_copy_that_is_saved_does_not_bring_the_old_path_back(house):
    building, floor, room = house
    old_room = Location.objects.get(pk=room.pk)
    building.parent = LocationFactory(name="campus")
    building.save()
    old_room.name = "room 2"
    old_room.save()
    assert paths()["room 2"] == f"/{building.parent.pk}/{building.pk}/{floor.pk}/{room.pk}/"


def test_a_save_that_leaves_the_parent_out_leaves_the_path_alone(house):
    _, floor, _ = house
    before = paths()["floor"]
    floor.parent, floor.name = None, "mezzanine"
    floor.save(update_fields=["name"])
    assert paths()["mezzanine"] == before


def test_two_places_of_one_name_need_two_parents(house):
    building, floor, _ = house
    LocationFactory(name="floor", parent=floor)
    with pytest.raises(IntegrityError):
        LocationFactory(name="floor", parent=building)
