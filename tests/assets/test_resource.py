"""The declaration of assets against the contract: columns, filters, and the rows that they give."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from rowferry.assets.models import Asset
from rowferry.assets.resources.assets import AssetResource
from rowferry.exports.encoding.value_types import ValueType
from tests.factories.assets import AssetFactory, LocationFactory
from tests.factories.people import UserFactory
from tests.factories.resources import filter_rows, values

RESOURCE = AssetResource()

DEFAULTS = {
    "id": ValueType.INTEGER,
    "name": ValueType.TEXT,
    "asset_tag": ValueType.IDENTIFIER,
    "serial_number": ValueType.IDENTIFIER,
    "status_id": ValueType.INTEGER,
    "location_id": ValueType.INTEGER,
    "assigned_to": ValueType.INTEGER,
    "manufacturer_id": ValueType.INTEGER,
    "asset_type_id": ValueType.INTEGER,
    "purchase_date": ValueType.DATE,
    "warranty_expiry_date": ValueType.DATE,
    "created_at": ValueType.INSTANT,
    "updated_at": ValueType.INSTANT,
}
READABLE = ("status", "location", "manufacturer", "asset_type", "assigned_to_name", "assigned_to_email")


def test_the_thirteen_columns_come_by_name_kind_and_order():
    assert RESOURCE.defaults == tuple(DEFAULTS)
    assert {name: RESOURCE.by_name[name].kind for name in DEFAULTS} == DEFAULTS


def test_the_readable_columns_are_there_for_the_asking():
    assert tuple(name for name, column in RESOURCE.by_name.items() if not column.default) == READABLE
    assert {RESOURCE.by_name[name].kind for name in READABLE} == {ValueType.TEXT}


def test_ids_and_names_nest_together():
    nests = {name: column.nest for name, column in RESOURCE.by_name.items() if column.nest}
    assert nests == {
        **{f"{name}_id": (name, "id") for name in ("status", "location", "manufacturer", "asset_type")},
        **{name: (name, "name") for name in ("status", "location", "manufacturer", "asset_type")},
        "assigned_to": ("assigned_to", "id"),
        "assigned_to_name": ("assigned_to", "name"),
        "assigned_to_email": ("assigned_to", "email"),
    }


def test_no_two_columns_have_the_same_label():
    labels = [column.label for column in RESOURCE.by_name.values()]
    assert len(labels) == len(set(labels))


def test_the_filters_are_those_of_the_contract():
    names = [name for rule in RESOURCE.filters for name in rule.names]
    assert names == [
        "status_id",
        "location_id",
        "include_sublocations",
        "assigned_to",
        "manufacturer_id",
        "asset_type_id",
        "date_from",
        "date_to",
        "date_column",
        "search",
        "ids",
    ]


@pytest.mark.django_db
def test_all_columns_of_all_rows_are_one_statement(django_assert_num_queries):
    owner = UserFactory(first_name="Zoë", last_name="O’Connor")
    asset = AssetFactory(assigned_to=owner, location=LocationFactory(name="Lager"), purchase_date=date(2024, 2, 29))
    AssetFactory.create_batch(3, assigned_to=owner)
    with django_assert_num_queries(1):
        row = values(RESOURCE)[0]
    assert row == {
        **{name: getattr(asset, name) for name in DEFAULTS if name != "assigned_to"},
        "assigned_to": owner.pk,
        "status": "In use",
        "location": "Lager",
        "manufacturer": "Cisco Systems, Inc.",
        "asset_type": "Laptop",
        "assigned_to_name": "Zoë O’Connor",
        "assigned_to_email": owner.email,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Zoë", "", "Zoë"), ("", "Müller", "Müller"), ("", "", "frontdesk"), (" ", " ", "frontdesk")],
)
def test_a_person_without_a_full_name_is_called_by_what_there_is(first, last, name):
    AssetFactory(assigned_to=UserFactory(username="frontdesk", first_name=first, last_name=last))
    assert values(RESOURCE)[0]["assigned_to_name"] == name


@pytest.mark.django_db
def test_where_nobody_and_nothing_is_the_readable_columns_are_empty():
    AssetFactory(manufacturer=None)
    row = values(RESOURCE)[0]
    assert [row[name] for name in ("location", "manufacturer", "assigned_to_name", "assigned_to_email")] == [None] * 4


@pytest.mark.django_db
def test_a_location_takes_in_what_lies_below_it_when_asked():
    building, other = LocationFactory(), LocationFactory()
    room = LocationFactory(parent=LocationFactory(parent=building))
    in_building, in_room = AssetFactory(location=building), AssetFactory(location=room)
    nowhere = AssetFactory()
    AssetFactory(location=other)
    assert filter_rows(RESOURCE, location_id=building.pk) == {in_building}
    assert filter_rows(RESOURCE, location_id=building.pk, include_sublocations=True) == {in_building, in_room}
    assert filter_rows(RESOURCE, location_id=[room.pk, None], include_sublocations=True) == {in_room, nowhere}


@pytest.mark.django_db
def test_each_id_filter_takes_one_many_or_null():
    has, another, spare = (
        AssetFactory(assigned_to=UserFactory()),
        AssetFactory(assigned_to=UserFactory()),
        AssetFactory(),
    )
    assert filter_rows(RESOURCE, assigned_to=has.assigned_to_id) == {has}
    assert filter_rows(RESOURCE, assigned_to=[has.assigned_to_id, another.assigned_to_id]) == {has, another}
    assert filter_rows(RESOURCE, assigned_to=None) == {spare}
    assert filter_rows(RESOURCE, status_id=spare.status_id, manufacturer_id=spare.manufacturer_id) == {
        has,
        another,
        spare,
    }
    assert filter_rows(RESOURCE, asset_type_id=spare.asset_type_id + 1) == set()


@pytest.mark.django_db
def test_both_days_of_a_range_are_included_in_the_zone_of_the_request():
    late = AssetFactory(created_at=datetime(2025, 10, 30, 22, 59, 59, tzinfo=UTC))
    AssetFactory(created_at=datetime(2025, 10, 30, 23, tzinfo=UTC))
    day = {"date_from": "2025-10-30", "date_to": "2025-10-30"}
    assert filter_rows(RESOURCE, zone=ZoneInfo("Europe/Berlin"), **day) == {late}
    assert len(filter_rows(RESOURCE, **day)) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["purchase_date", "warranty_expiry_date"])
def test_a_range_can_be_on_another_date(column):
    inside = AssetFactory(**{column: date(2024, 2, 29)})
    AssetFactory(**{column: date(2024, 3, 1)})
    AssetFactory()
    assert filter_rows(RESOURCE, date_column=column, date_from="2024-02-29", date_to="2024-02-29") == {inside}


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["pivot", "tag-x9", "0004711"])
def test_a_search_looks_at_name_tag_and_serial(text):
    found = AssetFactory(name='Monitor 27" "Pivot", black', asset_tag="TAG-X9", serial_number="0004711")
    AssetFactory(serial_number=None)
    assert filter_rows(RESOURCE, search=text) == {found}


def test_a_date_column_of_another_name_is_refused():
    with pytest.raises(ValidationError, match="created_at, updated_at, purchase_date, warranty_expiry_date"):
        filter_rows(RESOURCE, date_column="due_date", date_from="2025-01-01")


def test_the_permission_is_that_of_the_contract():
    assert (RESOURCE.name, RESOURCE.permission, RESOURCE.model) == ("assets", "assets.export_asset", Asset)
