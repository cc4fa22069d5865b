"""Rows to look at: pages that join to the whole list, and nothing that an export would not show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowferry.assets.models import Asset
from rowferry.exports import browsing
from rowferry.exports.browsing import Cursor, Listing
from rowferry.exports.errors import InvalidRequest, NotPermitted
from rowferry.exports.planning.plan import build_plan
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources import permissions
from rowferry.exports.resources.columns import Column, Redaction
from rowferry.exports.resources.resource import Resource
from tests.factories.assets import AssetFactory, AssetStatusFactory, AssetTypeFactory

DAYS = st.none() | st.dates(date(2025, 1, 1), date(2025, 1, 3))
NAMES = st.sampled_from(["", "a", "A", "aa", "b ", "b", "é", "ß", "%", "_", "'", "ﬀ"])
INSTANTS = st.integers(0, 2).map(lambda n: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(microseconds=n))
SORTS = ("", "name", "purchase_date", "created_at", "id", "assigned_to")


def keys(page: Listing) -> list[str | None]:
    return [row.key for row in page.rows]


def read_pages(wish: dict[str, Any], size: int, start: Cursor | None, way: str) -> list[list[str | None]]:
    """The keys of all pages from a place on."""
    pages = []
    place: Cursor | None = start
    while True:
        page = browsing.page("assets", wish, None, place, size)
        pages.append(keys(page))
        place = getattr(page, way)
        if place is None:
            return pages


def exported(wish: dict[str, Any]) -> list[str]:
    """The keys in the order of a file."""
    plan = build_plan(ExportSpec.parse("assets", {**wish, "format": "csv"}), None)
    return [str(key) for key in plan.queryset.values_list("pk", flat=True)]


def stock(rows: list[tuple[str, date | None, datetime]], owner: User) -> None:
    Asset.objects.all().delete()
    kind, state = AssetTypeFactory(), AssetStatusFactory()
    Asset.objects.bulk_create(
        Asset(
            name=name,
            purchase_date=bought,
            asset_tag=f"T-{n}",
            asset_type=kind,
            status=state,
            assigned_to=owner if n % 3 else None,
            created_at=made,
        )
        for n, (name, bought, made) in enumerate(rows)
    )


@given(
    rows=st.lists(st.tuples(NAMES, DAYS, INSTANTS), max_size=12),
    size=st.integers(1, 4),
    sort_by=st.sampled_from(SORTS),
    order=st.sampled_from(("asc", "desc")),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_pages_joined_are_the_whole_list_forth_and_back(
    owner: User, rows: list[tuple[str, date | None, datetime]], size: int, sort_by: str, order: str
) -> None:
    stock(rows, owner)
    wish = {"sort_by": sort_by, "sort_order": order, "columns": ["id"]}
    whole = keys(browsing.page("assets", wish, None, size=100))
    forth = read_pages(wish, size, None, "after")
    back = read_pages(wish, size, {"last": True}, "before")
    assert whole == exported(wish)
    assert [key for page in forth for key in page] == whole
    assert [key for page in reversed(back) for key in page] == whole
    assert [len(page) for page in forth[:-1]] == [size] * (len(forth) - 1)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_rows_without_a_value_come_last_either_way(owner: User, order: str) -> None:
    stock([("a", None, datetime.now(UTC)), ("b", date(2025, 1, 1), datetime.now(UTC))], owner)
    page = browsing.page("assets", {"sort_by": "purchase_date", "sort_order": order, "columns": ["name"]}, None)
    assert [row.cells for row in page.rows] == [["b"], ["a"]]


def test_there_is_a_way_on_only_where_there_are_rows(db: None) -> None:
    AssetFactory.create_batch(4)
    first = browsing.page("assets", {}, None, size=2)
    assert first.before is None
    second = browsing.page("assets", {}, None, first.after, size=2)
    assert second.after is None
    back = browsing.page("assets", {}, None, second.before, size=2)
    assert (keys(back), back.before) == (keys(first), None)
    assert keys(browsing.page("assets", {}, None, back.after, size=2)) == keys(second)


def test_a_row_that_is_gone_does_not_break_the_way_on(db: None) -> None:
    made = AssetFactory.create_batch(4)
    first = browsing.page("assets", {}, None, size=2)
    made[1].delete()
    assert keys(browsing.page("assets", {}, None, first.after, size=2)) == [str(made[2].pk), str(made[3].pk)]


def test_a_page_asks_few_questions_however_many_rows(db: None) -> None:
    wish = {"columns": ["name", "status", "location", "manufacturer", "assigned_to_name"]}
    asked = []
    for _ in range(2):
        AssetFactory.create_batch(5)
        with CaptureQueriesContext(connection) as queries:
            browsing.page("assets", wish, None)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 3


def test_many_rows_are_not_counted_to_the_end(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "COUNT_LIMIT", 3)
    AssetFactory.create_batch(3)
    assert (browsing.page("assets", {}, None).size.rows, browsing.page("assets", {}, None).size.exact) == (3, True)
    AssetFactory.create_batch(2)
    assert (browsing.page("assets", {}, None).size.rows, browsing.page("assets", {}, None).size.exact) == (3, False)


def test_filters_narrow_a_list_as_they_narrow_an_export(db: None) -> None:
    AssetFactory(name="Printer")
    wanted = AssetFactory(name="Laptop")
    assert keys(browsing.page("assets", {"filters": {"search": "lapt"}}, None)) == [str(wanted.pk)]
    assert keys(browsing.page("assets", {"filters": {"ids": [wanted.pk]}}, None)) == [str(wanted.pk)]


@pytest.mark.parametrize("place", [{"key": "x", "back": False}, {}, {"key": None}, {"key": {}}, {"key": 2**70}])
def test_a_place_that_is_none_is_refused(db: None, place: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        browsing.page("assets", {}, None, place or {"back": True})


@pytest.mark.parametrize("name", ["status", "assigned_to_name", "nothing"])
def test_a_sort_that_no_index_leads_is_refused(db: None, name: str) -> None:
    with pytest.raises(InvalidRequest):
        browsing.page("assets", {"sort_by": name}, None)


def test_a_list_needs_the_right_to_export(db: None, django_user_model: Any) -> None:
    nobody = django_user_model.objects.create(username="nobody")
    with pytest.raises(NotPermitted):
        browsing.page("assets", {}, nobody)


@pytest.fixture
def narrow(declare: Callable[[type[Resource]], Resource]) -> Resource:
    """Assets of one's own; what they are called only for some."""

    class NarrowResource(Resource):
        model = Asset
        name = "narrow"
        permission = "assets.export_asset"
        columns = (
            Column("id", permission="assets.see_details"),
            Column("asset_tag"),
            Column("name", permission="assets.see_details", on_denied=Redaction.MASK),
            Column("loud", compute=lambda name: str(name).upper() if name != "bad" else 1 / 0, needs=("asset_tag",)),
        )

        def rows_for(self, person: Any) -> Any:
            rows = super().rows_for(person)
            return rows if person is None else rows.filter(assigned_to=person)

    return declare(NarrowResource)


def test_a_list_shows_only_the_rows_and_columns_of_the_person(narrow: Resource, owner: User, stranger: User) -> None:
    permissions.create_missing("default")
    AssetFactory(name="secret", asset_tag="mine", assigned_to=owner)
    AssetFactory(name="secret", asset_tag="theirs", assigned_to=stranger)
    page = browsing.page("narrow", {}, owner)
    assert [column.name for column in page.columns] == ["asset_tag", "name", "loud"]
    assert [(row.key, row.cells) for row in page.rows] == [(None, ["mine", "***", "MINE"])]
    assert page.sortable == {"asset_tag"}
    with pytest.raises((InvalidRequest, NotPermitted)):
        browsing.page("narrow", {"sort_by": "name"}, owner)
    with pytest.raises(NotPermitted):
        browsing.page("narrow", {"filters": {"ids": [1]}}, owner)


def test_a_row_that_cannot_be_computed_says_why(narrow: Resource, db: None) -> None:
    AssetFactory(asset_tag="bad")
    AssetFactory(asset_tag="good")
    first, second = browsing.page("narrow", {"columns": ["asset_tag", "loud"]}, None).rows
    assert (first.cells, "ZeroDivisionError" in first.fault) == ([], True)
    assert second.cells == ["good", "GOOD"]
