"""Whatever a declaration and its `rows_for` look like: each row once, in the file and in the count, or a refusal."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Count, DecimalField, F, Value

from rowferry.assets.models import Asset
from rowferry.exports import checks
from rowferry.exports.accessor import ExportsAccessor
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.errors import SourceFault
from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import Matches, Search
from rowferry.exports.resources.resource import Resource, register
from tests.factories.assets import AssetFactory
from tests.factories.people import UserFactory
from tests.support.all_types_model import Probe

pytestmark = pytest.mark.django_db


class ShownManager(models.Manager["ShownAsset"]):
    def get_queryset(self) -> models.QuerySet[ShownAsset]:
        return super().get_queryset().exclude(name="hidden")


class ShownAsset(Asset):
    """Assets whose default manager leaves some out."""

    objects = ShownManager()
    everything = models.Manager()

    class Meta:
        proxy = True
        app_label = "probe"


class OtherAsset(Asset):
    """Assets by another name, for which nothing is declared."""

    class Meta:
        proxy = True
        app_label = "probe"


class Remark(models.Model):
    """Something said about a row of any model; it has no table."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveIntegerField()
    target = GenericForeignKey()

    class Meta:
        app_label = "probe"
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


class Reversed(models.TextField):  # type: ignore[type-arg]
    """Text that is stored backwards."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return None if value is None else value[::-1]


class ReversedNumber(models.IntegerField):  # type: ignore[type-arg]
    """A number that is stored as another one."""

    def from_db_value(self, value: int | None, *_: Any) -> int | None:
        return None if value is None else -value


def rows(name: str, **request: Any) -> list[dict[str, Any]]:
    """The rows of the JSON file, and as many as the export says."""
    door = ExportsAccessor(name)
    export = door.to_json(**request)
    with door.open(export) as file:
        data: list[dict[str, Any]] = json.loads(file.read())["data"]
    assert export.total_items == export.exported_items == len(data)
    return data


def declared(model_class: type[models.Model], *columns: Column, **attributes: Any) -> type[Resource]:
    """A resource class `declared`."""
    return type("Declared", (Resource,), {"model": model_class, "name": "declared", "columns": columns, **attributes})


NAMES = (Column("id"), Column("name"))


@pytest.mark.parametrize(
    "rows_for",
    [
        lambda _, person: ShownAsset.everything.distinct(),
        lambda _, person: ShownAsset.everything.filter(name="hidden").union(
            ShownAsset.everything.exclude(name="hidden")
        ),
        lambda _, person: ShownAsset.everything.filter(assigned_to__groups__name__startswith="g"),
    ],
    ids=["distinct", "union", "join"],
)
def test_each_row_that_rows_for_gives_comes_once(declare, rows_for):
    owner = UserFactory()
    owner.groups.add(Group.objects.create(name="g1"), Group.objects.create(name="g2"))
    for name in ("hidden", "a", "a"):
        AssetFactory(name=name, assigned_to=owner)
    declare(declared(ShownAsset, *NAMES, rows_for=rows_for))
    assert [row["name"] for row in rows("declared")] == ["hidden", "a", "a"]


def test_the_rows_of_the_default_manager_are_those_that_it_gives(declare):
    AssetFactory(name="hidden"), AssetFactory(name="a")
    declare(declared(ShownAsset, *NAMES))
    assert [row["name"] for row in rows("declared")] == ["a"]


def test_annotations_of_rows_for_stay_where_a_filter_joins_many_rows(declare):
    person = UserFactory(username="both")
    person.groups.add(Group.objects.create(name="g1"), Group.objects.create(name="g2"))
    declare(
        declared(
            User,
            Column("username"),
            Column("groups", F("group_count"), kind=ValueType.INTEGER),
            filters=(Search(("groups__name",)),),
            rows_for=lambda _, person: User.objects.annotate(group_count=Count("groups")),
        )
    )
    assert rows("declared", filters={"search": "g"}) == [{"username": "both", "groups": 2}]


@pytest.mark.parametrize("filters", [{"search": "g"}, {"group": ["g1", "g2"]}])
def test_a_filter_over_many_rows_finds_a_row_once(declare, filters):
    person = UserFactory(username="both")
    person.groups.add(Group.objects.create(name="g1"), Group.objects.create(name="g2"))
    UserFactory(username="none")
    declare(declared(User, Column("username"), filters=(Search(("groups__name",)), Matches("group", "groups__name"))))
    assert rows("declared", filters=filters) == [{"username": "both"}]


def test_a_slice_of_rows_is_refused(declare):
    declare(declared(Asset, *NAMES, rows_for=lambda _, person: Asset.objects.order_by("pk")[:2]))
    with pytest.raises(SourceFault, match="slice"):
        rows("declared")


@pytest.mark.parametrize(
    ("model", "column", "reason"),
    [
        (User, Column("groups"), "leads to many rows"),
        (User, Column("groups__name"), "leads to many rows"),
        (User, Column("logentry__id"), "leads to many rows"),
        (User, Column("group", F("groups__name"), kind=ValueType.TEXT), "leads to many rows"),
        (User, Column("group", compute=str, needs=("groups__name",)), "leads to many rows"),
        (Remark, Column("target"), "no column of the database"),
        (Remark, Column("target__name"), "leads to no other model"),
        (User, Column("username__id"), "leads to no other model"),
        (User, Column("nothing", kind=ValueType.TEXT), "no field 'nothing'"),
    ],
)
def test_a_column_without_one_value_in_each_row_is_refused(model, column, reason):
    with pytest.raises(ValueError, match=reason) as refusal:
        register(declared(model, Column("id"), column))
    assert "Declared: " in str(refusal.value)
    assert __file__ in str(refusal.value)
    assert "declared" not in {resource.name for resource in registry.resources()}


def test_an_aggregate_over_many_rows_is_a_column(declare):
    person = UserFactory(username="both")
    person.groups.add(Group.objects.create(name="g1"), Group.objects.create(name="g2"))
    declare(declared(User, Column("username"), Column("groups", Count("groups"), kind=ValueType.INTEGER)))
    assert rows("declared") == [{"username": "both", "groups": 2}]


def test_a_model_that_inherits_has_its_own_resource_or_none(declare):
    assert Asset.exports.resource == "assets"
    assert not hasattr(OtherAsset, "exports")
    declare(declared(OtherAsset, *NAMES))
    assert OtherAsset.exports.resource == "declared"
    assert Asset.exports.resource == "assets"


def test_the_resource_that_was_declared_first_is_the_one_of_its_model(declare):
    declare(declared(User, Column("id"), name="z_first"))
    declare(declared(User, Column("id"), name="a_second"))
    assert User.exports.resource == "z_first"


def test_an_expression_keeps_the_places_that_it_declares(declare):
    AssetFactory()
    rate = Value(Decimal("0.000000001500"), DecimalField(max_digits=30, decimal_places=12))
    declare(declared(Asset, Column("rate", rate, kind=ValueType.DECIMAL)))
    door = ExportsAccessor("declared")
    with door.open(door.to_csv()) as file:
        assert [*csv.reader(io.StringIO(file.read().decode("utf-8-sig")))][1] == ["0.000000001500"]


@pytest.mark.usefixtures("probes")
class TestConvertedFields:
    """Fields that store something else than they read."""

    @pytest.fixture
    def reversed_text(self, monkeypatch):
        monkeypatch.setattr(Probe._meta.get_field("text"), "__class__", Reversed)

    def test_the_file_has_what_the_field_reads_and_a_check_says_so(self, declare, reversed_text):
        Probe.objects.create(text="desk")
        resource = declare(declared(Probe, Column("text")))
        assert rows("declared") == [{"text": "ksed"}]
        assert not resource.by_name["text"].sortable
        (warning,) = checks.check_columns()
        assert warning.id == "exports.W002"
        assert "declared.text" in warning.msg

    def test_with_a_kind_the_file_has_what_is_stored(self, declare, reversed_text):
        Probe.objects.create(text="desk")
        declare(declared(Probe, Column("text", kind=ValueType.TEXT)))
        assert rows("declared") == [{"text": "desk"}]
        assert checks.check_columns() == []

    def test_a_kind_other_than_text_is_refused(self, monkeypatch):
        monkeypatch.setattr(Probe._meta.get_field("integer"), "__class__", ReversedNumber)
        with pytest.raises(ValueError, match="stores something else than it reads"):
            register(declared(Probe, Column("integer")))

    def test_a_search_over_it_is_refused(self, reversed_text):
        with pytest.raises(ValueError, match="no search"):
            register(declared(Probe, Column("id"), filters=(Search(("text",)),)))


@pytest.mark.usefixtures("probes")
def test_keys_of_a_json_field_are_columns(declare):
    stored = {"wifi": "Büro", "cpu": {"cores": 8, "clock": 2.50, "é": [True, None]}, "ports": [{"name": "eth0"}]}
    Probe.objects.create(json=stored)
    Probe.objects.create(json={"wifi": None, "cpu": 1.50})
    Probe.objects.create(json=["no object"])
    Probe.objects.create(json=None)
    paths = ("json__wifi", "json__cpu", "json__cpu__cores", "json__ports__0__name")
    resource = declare(declared(Probe, *(Column(path) for path in paths)))
    assert {column.kind for column in resource.by_name.values()} == {ValueType.TEXT}
    first, second, *others = rows("declared")
    assert json.loads(first.pop("json__cpu")) == stored["cpu"]
    assert first == {"json__wifi": "Büro", "json__cpu__cores": "8", "json__ports__0__name": "eth0"}
    assert second == {"json__wifi": None, "json__cpu": "1.5", "json__cpu__cores": None, "json__ports__0__name": None}
    assert others == [dict.fromkeys(paths)] * 2
