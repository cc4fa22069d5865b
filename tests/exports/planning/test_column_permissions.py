"""Columns for which a permission is missing: what may not be asked, and that every door asks again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.functions import Concat

from rowferry.assets.models import Asset
from rowferry.exports import catalogue, submission, tracking
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.errors import NotPermitted
from rowferry.exports.execution import queued
from rowferry.exports.models import Export
from rowferry.exports.planning.column_privacy import visible_paths
from rowferry.exports.resources.columns import Column, Redaction
from rowferry.exports.resources.filters import Matches
from rowferry.exports.resources.resource import Resource
from tests.support.making import content, run_export
from tests.support.restricted_resource import HASH, MASK, RIGHT, WITHHELD, grant_details, initial, revoke_details, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_dropped_column_that_is_named_is_refused(guarded_resource: Resource, owner: User) -> None:
    with pytest.raises(NotPermitted, match="asset_tag"):
        run_export("guarded", owner, format="csv", columns=["id", "asset_tag"])


@pytest.mark.parametrize("column", ["name", "serial", "holder", "created_at", "asset_tag"])
def test_nobody_sorts_by_what_is_withheld(guarded_resource: Resource, asset: Asset, owner: User, column: str) -> None:
    with pytest.raises(NotPermitted, match=f"sort by {column}"):
        run_export("guarded", owner, format="csv", columns=["id"], sort_by=column)
    assert rows("guarded", grant_details(owner), sort_by=column)


@pytest.mark.parametrize(
    "filters", [{"assigned_to": 1}, {"search": "Laptop"}, {"date_from": "2025-01-01"}], ids=["key", "search", "date"]
)
def test_nobody_filters_by_what_is_withheld(
    guarded_resource: Resource, asset: Asset, owner: User, filters: dict[str, Any]
) -> None:
    with pytest.raises(NotPermitted, match="filter"):
        run_export("guarded", owner, format="csv", filters=filters)
    run_export("guarded", grant_details(owner), format="csv", filters=filters)


def test_other_filters_stay_open(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    date = {"date_from": "2025-01-01", "date_column": "updated_at"}
    assert len(rows("guarded", owner, filters={"status_id": asset.status_id, **date})) == 1


def paths_closed(withheld: Column, *rules: Any) -> list[bool]:
    """Whether each of these filters is closed to somebody who may not see that column of assets."""

    class OneResource(Resource):
        model = Asset
        name = "one"
        columns = (Column("id"), withheld)
        filters = rules

    from_declaration = OneResource()
    may_look = visible_paths(from_declaration, [withheld.name])
    return [rule.without_hidden_paths(may_look) is None for rule in rules]


def test_a_filter_is_closed_however_its_path_is_spelt() -> None:
    spellings = ["assigned_to", "assigned_to_id", "assigned_to__pk", "assigned_to__id", "assigned_to__email"]
    rules = [Matches(f"f{number}", path) for number, path in enumerate(spellings)]
    for path in spellings[:4]:
        assert paths_closed(Column("who", path, **MASK), *rules) == [True] * 5
    assert paths_closed(Column("mail", "assigned_to__email", **MASK), *rules) == [False] * 4 + [True]


def test_a_filter_is_closed_to_all_that_an_expression_is_made_of() -> None:
    name = Concat(F("assigned_to__first_name"), Value(" "), F("assigned_to__last_name"))
    dear = Case(When(Q(serial_number__gt="S") | ~Q(name="x"), then=Value("yes")), output_field=TextField())
    first, last = Matches("a", "assigned_to__first_name"), Matches("b", "assigned_to__last_name")
    serial, named, tag = Matches("c", "serial_number"), Matches("d", "name"), Matches("e", "asset_tag")
    rules = (first, last, serial, named, tag)
    assert paths_closed(Column("full", name, ValueType.TEXT, **MASK), *rules) == [True, True, False, False, False]
    assert paths_closed(Column("dear", dear, ValueType.TEXT, **MASK), *rules) == [False, False, True, True, False]
    computed = Column("initial", compute=initial, needs=("name",), **HASH)
    assert paths_closed(computed, *rules) == [False, False, False, True, False]


def test_the_catalogue_offers_what_may_be_had(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    found = catalogue.resource("guarded", owner)
    assert {c.name: c.treatment for c in found.columns} == {"id": "show"} | {
        name: treatment for name, treatment in WITHHELD.items() if treatment != "drop"
    }
    assert [c.name for c in found.columns if c.sortable] == ["id"]
    assert {c.kind for c in found.columns[1:]} == {ValueType.TEXT}
    filters = {p.name: p for p in found.filters}
    assert filters.keys() == {"status_id", "date_from", "date_to", "date_column", "ids"}
    assert [value for value, _ in filters["date_column"].choices or ()] == ["updated_at"]
    everything = catalogue.resource("guarded", grant_details(owner))
    assert {p.name for p in everything.filters} > filters.keys()
    assert "asset_tag" in [c.name for c in everything.columns]


def test_a_list_of_choices_does_not_tell_what_is_withheld(
    declare: Callable[[type[Resource]], Resource], asset: Asset, owner: User
) -> None:
    class MailResource(Resource):
        model = Asset
        name = "mails"
        columns = (Column("id"), Column("mail", "assigned_to__email", **MASK))
        filters = (Matches("assigned_to", title="email"),)

    declare(MailResource)
    withheld, _ids = catalogue.resource("mails", owner).filters
    shown, _ids = catalogue.resource("mails", grant_details(owner)).filters
    assert withheld.choices is None
    assert (owner.pk, owner.email) in (shown.choices or ())
    assert len(rows("mails", owner, filters={"assigned_to": owner.pk})) == 1


def test_a_worker_asks_again_and_masks_what_was_shown_before(
    guarded_resource: Resource, asset: Asset, owner: User
) -> None:
    person = grant_details(owner)
    export = submission.enqueue("guarded", {"format": "json", "columns": ["name"]}, person)
    revoke_details(person)
    queued.run_next()
    assert json.loads(content(Export.objects.get(pk=export.pk)))["data"] == [{"name": "***"}]


def test_a_worker_stops_at_a_filter_whose_right_was_lost(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    person = grant_details(owner)
    export = submission.enqueue("guarded", {"format": "json", "columns": ["id"], "filters": {"search": "Lap"}}, person)
    revoke_details(person)
    queued.run_next()
    export.refresh_from_db()
    assert (export.status, export.error["code"]) == ("failed", "not_permitted")


def downloads(person: User, export: Export) -> bool:
    try:
        _, file = tracking.open_file(person, export.pk)
    except NotPermitted:
        return False
    file.stream.close()
    return True


@pytest.mark.parametrize(
    "body",
    [{"columns": ["name"]}, {"columns": ["id"], "filters": {"search": "Lap"}}, {"columns": ["id"], "sort_by": "name"}],
    ids=["column", "filter", "sort"],
)
def test_a_download_asks_again(guarded_resource: Resource, asset: Asset, owner: User, body: dict[str, Any]) -> None:
    person = grant_details(owner)
    export = run_export("guarded", person, format="csv", **body)
    assert downloads(person, export)
    assert not downloads(revoke_details(person), export)


def test_a_file_of_masks_needs_no_permission(guarded_resource: Resource, asset: Asset, owner: User) -> None:
    assert downloads(owner, run_export("guarded", owner, format="csv"))


def test_a_repeated_order_gets_no_file_whose_right_was_lost(
    guarded_resource: Resource, asset: Asset, owner: User
) -> None:
    person = grant_details(owner)
    answer = submission.submit("guarded", {"format": "csv"}, person, key="k")
    assert isinstance(answer, submission.Ready)
    answer.file.stream.close()
    with pytest.raises(NotPermitted, match="any more"):
        submission.submit("guarded", {"format": "csv"}, revoke_details(person), key="k")


@pytest.mark.parametrize(
    "column",
    [
        Column("name", on_denied=Redaction.MASK),
        Column("name", permission=RIGHT, on_denied=Redaction.SHOW),
        Column("name", mask="=1+1", **MASK),
        Column("name", mask="", **MASK),
        Column("name", mask="\x00", **MASK),
        Column("name", shown=-1, **MASK),
    ],
    ids=["no permission", "show", "formula", "empty", "control", "negative"],
)
def test_a_rule_that_protects_nothing_ends_the_start(column: Column) -> None:
    with pytest.raises(ValueError, match="name"):
        column.resolve(Asset)


def test_a_default_sort_is_for_everybody() -> None:
    class SortedResource(Resource):
        model = Asset
        name = "sorted"
        columns = (Column("id"), Column("name", **MASK))
        sort_by = "name"

    with pytest.raises(ValueError, match="sort"):
        SortedResource()
