"""Front door: what may be asked for, as plain frozen data. Drives the API's `/resources`, the page and the command."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from rowferry.exports.encoding.compression import PACKINGS
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.errors import NotFound
from rowferry.exports.formats import Option, format_writers
from rowferry.exports.planning.column_privacy import visible_paths
from rowferry.exports.planning.plan import has_permission, require, withheld
from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column, Redaction
from rowferry.exports.resources.filters import INT64, Filter, Matches, Parameter
from rowferry.exports.resources.resource import Actor, Resource


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


def resources(person: Actor) -> list[ResourceInfo]:
    """What this person may export, by name."""
    return [_resource_info(r, person) for r in registry.resources() if has_permission(person, r.permission)]


def names(person: Actor) -> list[str]:
    """The names of what this person may export; asks the database for nothing but the rights."""
    return [r.name for r in registry.resources() if has_permission(person, r.permission)]


def resource(name: str, person: Actor) -> ResourceInfo:
    """One resource. NotFound: there is none of this name. NotPermitted: not for this person."""
    from_registry = registry.resource(name)
    require(person, from_registry)
    return _resource_info(from_registry, person)


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


OFFERED = 50
"""Choices that one search finds, at most."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list of one filter shows: (value, label) pairs of what is chosen, and of what else there is."""

    chosen: tuple[tuple[Any, str], ...]
    offered: tuple[tuple[Any, str], ...]


def choices(name: str, person: Actor, key: str, text: str = "", chosen: Collection[str] = ()) -> Choices:
    """The `chosen` values of the filter `key` by their titles, and the first OFFERED others whose title holds `text`.

    NotFound: the resource, or a filter of it that has a list. What is chosen but does not exist is left out.
    """
    one = registry.resource(name)
    require(person, one)
    for rule in _rules(one, withheld(person, one)):
        if isinstance(rule, Matches) and rule.name == key:
            field = rule.field(one.model)
            keys = list(_sound(rule, one.model, chosen))
            if field.related_model:
                return _of_rows(field.related_model, rule.title, text, keys)
            if field.choices:
                return _of_list([(v, str(label)) for v, label in field.flatchoices], text, keys)
    raise NotFound(f"{name} has no filter {key[:60]} with a list.")


def _sound(rule: Matches, model: type[models.Model], chosen: Collection[str]) -> Iterator[Any]:
    for value in chosen:
        try:
            yield rule.clean(model, {rule.name: value})[rule.name]
        except ValidationError:
            continue


def _of_rows(related: Any, title: str, text: str, keys: list[Any]) -> Choices:
    rows = related._default_manager.order_by(title, "pk").values_list("pk", title)
    wanted = [key for key in keys if key is not None and not (isinstance(key, int) and abs(key) >= INT64)]
    found = rows.filter(**{f"{title}__icontains": text}).exclude(pk__in=wanted)[:OFFERED]
    return Choices(tuple(rows.filter(pk__in=wanted)) if wanted else (), tuple(found))


def _of_list(listed: list[tuple[Any, str]], text: str, keys: list[Any]) -> Choices:
    chosen = tuple(pair for pair in listed if pair[0] in keys)
    offered = [pair for pair in listed if pair not in chosen and text.lower() in pair[1].lower()]
    return Choices(chosen, tuple(offered[:OFFERED]))


def content_types() -> list[str]:
    """Every content type that a file may have, compressed or not."""
    packed = {packing.content_type for packing in PACKINGS.values() if packing.missing is None}
    return sorted(packed | {sink.content_type for sink in format_writers().values()})


def _resource_info(one: Resource, person: Actor) -> ResourceInfo:
    hidden = withheld(person, one)
    parameters: list[Any] = [p for rule in _rules(one, hidden) for p in rule.parameters(one.model)]
    given = ((c, hidden.get(c.name, Redaction.SHOW)) for c in one.by_name.values())
    return ResourceInfo(
        name=one.name,
        label=str(one.label),
        permission=one.permission,
        sort_by=one.sort_by,
        columns=tuple(_column(c, treatment) for c, treatment in given if treatment is not Redaction.DROP),
        filters=tuple(parameters),
    )


def _rules(one: Resource, hidden: Mapping[str, Redaction]) -> list[Filter]:
    """The filters that look at nothing which this person may not see."""
    may_look = visible_paths(one, hidden)
    return [offered for rule in one.filters if (offered := rule.without_hidden_paths(may_look))]


def _column(column: Column, treatment: Redaction) -> ColumnInfo:
    shown = treatment is Redaction.SHOW
    kind = column.kind if shown and column.kind else ValueType.TEXT
    nest = column.nest[0] if column.nest else None
    return ColumnInfo(column.name, column.label, kind, column.default, column.sortable and shown, nest, treatment)
