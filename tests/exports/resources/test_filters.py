"""Filters on real rows: what they let through, in which zone, and what they take literally."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import DateRange, Filter, Flag, Matches, Search
from rowferry.exports.resources.resource import Resource
from tests.factories.assets import AssetFactory, LocationFactory, ManufacturerFactory
from tests.factories.people import UserFactory
from tests.factories.resources import filter_rows
from tests.factories.tickets import TicketFactory

pytestmark = pytest.mark.django_db

INT64 = 2**63


def assets(zone: str = "UTC", **filters: object) -> list[str]:
    """The names of the assets that these filters leave."""
    found = filter_rows(registry.resource("assets"), ZoneInfo(zone), **filters)
    return sorted(asset.name for asset in found)


def create_asset(name: str, *moment: int) -> None:
    AssetFactory(name=name, created_at=datetime(*moment, tzinfo=UTC))


@pytest.mark.parametrize(
    "zone, day, inside, outside",
    [
        ("UTC", "2025-10-30", [(2025, 10, 30), (2025, 10, 30, 23, 59, 59, 999999)], [(2025, 10, 31)]),
        ("Europe/Berlin", "2025-10-30", [(2025, 10, 29, 23), (2025, 10, 30, 22, 59, 59)], [(2025, 10, 30, 23)]),
        ("Europe/Berlin", "2025-03-30", [(2025, 3, 29, 23), (2025, 3, 30, 21, 59, 59)], [(2025, 3, 30, 22)]),
        ("Europe/Berlin", "2025-10-26", [(2025, 10, 25, 22), (2025, 10, 26, 22, 59, 59)], [(2025, 10, 26, 23)]),
        ("Asia/Kolkata", "2025-10-30", [(2025, 10, 29, 18, 30), (2025, 10, 30, 18, 29)], [(2025, 10, 29, 18, 29)]),
        ("Africa/Cairo", "2025-04-25", [(2025, 4, 24, 22), (2025, 4, 25, 20, 59, 59)], [(2025, 4, 25, 21)]),
        ("Pacific/Apia", "2011-12-31", [(2011, 12, 30, 10)], [(2011, 12, 30, 9, 59, 59)]),
    ],
)
def test_a_day_is_the_calendar_day_of_the_zone(zone, day, inside, outside):
    for number, moment in enumerate(inside):
        create_asset(f"inside {number}", *moment)
    for moment in outside:
        create_asset("outside", *moment)
    assert assets(zone, date_from=day, date_to=day) == [f"inside {number}" for number in range(len(inside))]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_the_first_and_the_last_year_can_be_asked_for(zone):
    create_asset("now", 2025, 10, 30)
    create_asset("last", 9999, 12, 31, 12)
    assert assets(zone, date_from="0001-01-01") == ["last", "now"]
    assert assets(zone, date_to="0001-01-01") == []
    assert assets(zone, date_to="9999-12-31") == ["last", "now"]
    assert assets(zone, date_to="9999-12-30") == ["now"]
    assert assets(zone, date_from="0001-01-01", date_to="9999-12-31") == ["last", "now"]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_column_of_days_has_no_zone(zone):
    AssetFactory(name="leap", purchase_date=date(2024, 2, 29))
    AssetFactory(name="after", purchase_date=date(2024, 3, 1))
    AssetFactory(name="end", purchase_date=date(9999, 12, 31))
    AssetFactory(name="none")
    on = {"date_column": "purchase_date"}
    assert assets(zone, date_from="2024-02-29", date_to="2024-02-29", **on) == ["leap"]
    assert assets(zone, date_from="2024-03-01", **on) == ["after", "end"]
    assert assets(zone, date_to="9999-12-31", **on) == ["after", "end", "leap"]


def test_one_value_several_values_and_no_value():
    here, there = LocationFactory(), LocationFactory()
    AssetFactory(name="here", location=here)
    AssetFactory(name="there", location=there)
    AssetFactory(name="nowhere")
    assert assets(location_id=here.pk) == assets(location_id=str(here.pk)) == assets(location_id=[here.pk]) == ["here"]
    assert assets(location_id=[here.pk, there.pk, here.pk]) == ["here", "there"]
    assert assets(location_id=None) == assets(location_id=[None]) == ["nowhere"]
    assert assets(location_id=[there.pk, None]) == assets(location_id=[str(there.pk), None]) == ["nowhere", "there"]


SERIALS = Matches("serial_number")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, ["without"]),
        ("null", ["text"]),
        (["null", "x"], ["text", "x"]),
        ([None, "x"], ["without", "x"]),
        ([None, "null"], ["text", "without"]),
        ("\\null", []),
    ],
)
def test_only_null_is_no_value_and_its_text_is_text(value, found):
    for name, serial in (("without", None), ("text", "null"), ("x", "x")):
        AssetFactory(name=name, serial_number=serial)
    model = AssetFactory._meta.model
    rows = model.objects.filter(SERIALS.bind(model, SERIALS.clean(model, {"serial_number": value}), ZoneInfo("UTC")))
    assert sorted(row.name for row in rows) == found


@pytest.mark.parametrize(
    ("name", "value"),
    [("location_id", "null"), ("location_id", ["null"]), ("date_from", "null"), ("include_sublocations", "null")],
)
def test_the_text_null_is_no_number_no_day_and_no_truth(name, value):
    given = {"location_id": 1} if name == "include_sublocations" else {}
    with pytest.raises(ValidationError):
        assets(**given | {name: value})


@pytest.mark.parametrize("name", ["date_from", "date_column", "include_sublocations", "search"])
def test_null_is_no_value_of_a_filter_that_cannot_be_empty(name):
    given = {"location_id": 1} if name == "include_sublocations" else {}
    with pytest.raises(ValidationError):
        assets(**given | {name: None})


@pytest.mark.parametrize(
    ("path", "nullable"), [("serial_number", True), ("name", False), ("location__name", True), ("status__name", False)]
)
def test_a_filter_can_be_empty_where_its_field_or_a_relation_before_it_can(path, nullable):
    (parameter,) = Matches("one", path).parameters(AssetFactory._meta.model)
    assert parameter.nullable is nullable


@pytest.mark.parametrize("key", [0, -1, 2**31, INT64 - 1, INT64, -INT64, -INT64 - 1, 10**100, "99999999999999999999"])
@pytest.mark.parametrize("name", ["status_id", "assigned_to", "location_id"])
def test_a_key_of_any_size_that_nothing_has_matches_nothing(name, key):
    AssetFactory(name="only", location=LocationFactory())
    assert assets(**{name: key}) == assets(**{name: [key]}) == []


def test_sublocations_are_taken_in_to_any_depth_and_not_those_of_others():
    root, other = LocationFactory(), LocationFactory()
    place = root
    for depth in range(12):
        place = LocationFactory(parent=place)
        AssetFactory(name=f"depth {depth:02}", location=place)
    AssetFactory(name="root", location=root)
    AssetFactory(name="other", location=LocationFactory(parent=other))
    AssetFactory(name="nowhere")
    below = [*(f"depth {depth:02}" for depth in range(12)), "root"]
    assert assets(location_id=root.pk, include_sublocations=True) == below
    assert assets(location_id=root.pk, include_sublocations="true") == below
    assert assets(location_id=root.pk, include_sublocations=False) == ["root"]
    assert assets(location_id=[root.pk, other.pk, None], include_sublocations=True) == [
        "depth 00",
        *below[1:-1],
        "nowhere",
        "other",
        "root",
    ]
    assert assets(location_id=None, include_sublocations=True) == ["nowhere"]
    assert assets(location_id=10**30, include_sublocations=True) == []


@pytest.mark.parametrize(
    "text, found",
    [
        ("100%", ["100% cotton"]),
        ("%", ["100% cotton"]),
        ("_", ["under_score"]),
        ("\\", ["back\\slash"]),
        ("COTTON", ["100% cotton"]),
        ("Under_S", ["under_score"]),
        ("'", ["it's"]),
        ("it''s", []),
        ('"', []),
        ("", ["100% cotton", "back\\slash", "it's", "under_score"]),
    ],
)
def test_a_search_takes_every_character_as_it_is_and_either_case(text, found):
    for name in ("100% cotton", "under_score", "back\\slash", "it's"):
        AssetFactory(name=name)
    assert assets(search=text) == found


def test_filters_are_joined_by_and():
    AssetFactory(name="both", manufacturer=ManufacturerFactory(name="A"), assigned_to=UserFactory())
    AssetFactory(name="one", manufacturer=ManufacturerFactory(name="A"))
    manufacturer = ManufacturerFactory(name="A").pk
    assert assets(manufacturer_id=manufacturer) == ["both", "one"]
    assert assets(manufacturer_id=manufacturer, assigned_to=None) == ["one"]
    assert assets(manufacturer_id=manufacturer, assigned_to=None, search="both") == []


@pytest.mark.parametrize("value", [True, "true", "TRUE"])
def test_a_flag_is_true_or_false_in_json_and_in_words(value):
    tickets = registry.resource("tickets")
    open_one, closed = TicketFactory(), TicketFactory(is_open=False)
    assert filter_rows(tickets, is_open=value) == {open_one}
    assert filter_rows(tickets, is_open=False) == filter_rows(tickets, is_open="false") == {closed}


@pytest.mark.parametrize(
    "rule, fault",
    [
        (Matches("colour"), "no field 'colour'"),
        (Flag("colour"), "no field 'colour'"),
        (Search(("name", "status__colour")), "no field 'colour'"),
        (DateRange(("created_at", "name")), "is no date"),
    ],
)
def test_a_declaration_that_does_not_fit_the_model_is_refused_at_start(rule, fault):
    assets_resource = type(registry.resource("assets"))

    class Wrong(Resource):
        model = assets_resource.model
        name = "wrong"
        columns = (Column("id"),)
        filters = (rule,)

    with pytest.raises(ValueError, match=fault):
        Wrong()


def test_forms_learn_labels_types_and_choices():
    person = UserFactory(username="zoe")
    parameters = {
        p.name: p for rule in registry.resource("assets").filters for p in rule.parameters(AssetFactory._meta.model)
    }
    assert parameters["assigned_to"].choices == ((person.pk, "zoe"),)
    assert (parameters["assigned_to"].type, parameters["assigned_to"].multiple, parameters["assigned_to"].nullable) == (
        "id",
        True,
        True,
    )
    assert parameters["status_id"].nullable is False
    assert [parameters[name].type for name in ("date_from", "date_column", "include_sublocations", "search")] == [
        "date",
        "choice",
        "boolean",
        "text",
    ]


def test_labels_of_dates_and_trees_are_declared_or_made_of_the_name():
    model = AssetFactory._meta.model
    tree = ("below", "location__path")

    def labels(rule: Filter) -> list[str]:
        return [label for p in rule.parameters(model) for label in (p.label, *(text for _, text in p.choices or ()))]

    dates = labels(DateRange(("created_at", "updated_at"), {"created_at": "Made"}))
    assert dates == ["From", "To", "Date", "Made", "Updated at"]
    assert "Below" in labels(Matches("location_id", tree=tree))
    assert "Places within" in labels(Matches("location_id", tree=tree, tree_label="Places within"))
