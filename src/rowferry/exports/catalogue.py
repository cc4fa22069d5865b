"""Front door: what may be asked for, as plain frozen data. Drives the API's `/resources`, the page and the command."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from rowferry.exports.databases.text_search import fold
from rowferry.exports.encoding.compression import PACKINGS
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.errors import NotFound
from rowferry.exports.formats import Option, format_writers
from rowferry.exports.planning.column_privacy import visible_paths
from rowferry.exports.planning.plan import has_permission, require, withheld
from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column, Redaction
from rowferry.exports.resources.filters import INT64, Filter, Matches
from rowferry.exports.resources.parameter import Parameter
from rowferry.exports.resources.resource import Person, Resource


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column that may be asked for. `nest` = the object that JSON's `nested` puts it into; `treatment` = what this
    person gets of it."""

    name: str
    label: str
    kind: ValueType
    default: bool
    sortable: bool
    nest: str | None
    treatment: Redaction


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """One format. `missing` says what to install before it can be used; None = ready. Limits: None = none."""

    name: str
    label: str
    description: str
    extension: str
    content_type: str
    can_nest: bool
    options: tuple[Option, ...]
    max_rows: int | None
    max_cell: int | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class ResourceInfo:
    """One resource, with the columns that this person may have."""

    name: str
    label: str
    permission: str
    sort_by: str
    columns: tuple[ColumnInfo, ...]
    filters: tuple[Parameter, ...]


def resources(person: Person) -> list[ResourceInfo]:
    """What this person may export, by name."""
    return [_resource_info(r, person) for r in registry.resources() if has_permission(person, r.permission)]


def names(person: Person) -> list[str]:
    """The names of what this person may export; asks the database for nothing but the rights."""
    return [r.name for r in registry.resources() if has_permission(person, r.permission)]


def resource(name: str, person: Person) -> ResourceInfo:
    """One resource. NotFound: there is none of this name. NotPermitted: not for this person."""
    declared = registry.resource(name)
    require(person, declared)
    return _resource_info(declared, person)


def formats() -> list[FormatInfo]:
    """Every format, by name."""
    return [
        FormatInfo(
            s.name,
            s.label,
            s.description,
            s.extension,
            s.content_type,
            s.can_nest,
            s.options,
            s.max_rows,
            s.max_cell,
            s.missing,
        )
        for s in format_writers().values()
    ]


MAX_OFFERED = 50
"""Choices that one search finds, at most."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list of one filter shows: (value, label) pairs of what is chosen, and of what else there is."""

    chosen: tuple[tuple[Any, str], ...]
    offered: tuple[tuple[Any, str], ...]


def choices(name: str, person: Person, key: str, text: str = "", chosen: Collection[str] = ()) -> Choices:
    """The `chosen` values of the filter `key` by their titles, and the first OFFERED others whose title holds `text`.

    NotFound: the resource, or a filter of it that has a list. What is chosen but does not exist is left out.
    """
    declared = registry.resource(name)
    require(person, declared)
    for rule in _visible_filters(declared, withheld(person, declared)):
        if isinstance(rule, Matches) and rule.name == key:
            field = rule.field(declared.model)
            keys = list(_valid_keys(rule, declared.model, chosen))
            if field.related_model:
                return _choices_from_rows(field.related_model, rule.title, text, keys)
            if field.choices:
                return _choices_from_list([(v, str(label)) for v, label in field.flatchoices], text, keys)
    raise NotFound(f"{name} has no filter {key[:60]} with a list.")


def _valid_keys(rule: Matches, model: type[models.Model], chosen: Collection[str]) -> Iterator[Any]:
    for value in chosen:
        try:
            yield rule.clean(model, {rule.name: value})[rule.name]
        except ValidationError:
            continue


def _choices_from_rows(related: Any, title: str, text: str, keys: list[Any]) -> Choices:
    rows = related._default_manager.order_by(title, "pk").values_list("pk", title)
    chosen_keys = [key for key in keys if key is not None and not (isinstance(key, int) and abs(key) >= INT64)]
    matching_rows = rows.filter(**{f"{title}__contains_any_case": text}).exclude(pk__in=chosen_keys)[:MAX_OFFERED]
    return Choices(tuple(rows.filter(pk__in=chosen_keys)) if chosen_keys else (), tuple(matching_rows))


def _choices_from_list(pairs: list[tuple[Any, str]], text: str, keys: list[Any]) -> Choices:
    chosen = tuple(pair for pair in pairs if pair[0] in keys)
    offered = [pair for pair in pairs if pair not in chosen and fold(text) in fold(pair[1])]
    return Choices(chosen, tuple(offered[:MAX_OFFERED]))


def content_types() -> list[str]:
    """Every content type that a file may have, compressed or not."""
    compressed_types = {packing.content_type for packing in PACKINGS.values() if packing.missing is None}
    return sorted(compressed_types | {writer_class.content_type for writer_class in format_writers().values()})


def _resource_info(declared: Resource, person: Person) -> ResourceInfo:
    hidden = withheld(person, declared)
    parameters: list[Any] = [p for rule in _visible_filters(declared, hidden) for p in rule.parameters(declared.model)]
    treatments = ((c, hidden.get(c.name, Redaction.SHOW)) for c in declared.by_name.values())
    return ResourceInfo(
        name=declared.name,
        label=str(declared.label),
        permission=declared.permission,
        sort_by=declared.sort_by,
        columns=tuple(_column(c, treatment) for c, treatment in treatments if treatment is not Redaction.DROP),
        filters=tuple(parameters),
    )


def _visible_filters(declared: Resource, hidden: Mapping[str, Redaction]) -> list[Filter]:
    """The filters that look at nothing which this person may not see."""
    is_visible = visible_paths(declared, hidden)
    return [visible_filter for rule in declared.filters if (visible_filter := rule.without_hidden_paths(is_visible))]


def _column(column: Column, treatment: Redaction) -> ColumnInfo:
    is_shown = treatment is Redaction.SHOW
    kind = column.kind if is_shown and column.kind else ValueType.TEXT
    nest = column.nest[0] if column.nest else None
    return ColumnInfo(column.name, column.label, kind, column.default, column.sortable and is_shown, nest, treatment)
