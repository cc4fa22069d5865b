"""Front door: what may be asked for, as plain frozen data. Drives the API's `/resources`, the page and the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rowferry.exports import registry
from rowferry.exports.compression import PACKINGS
from rowferry.exports.filters import Parameter
from rowferry.exports.kinds import Kind
from rowferry.exports.plan import permitted, require
from rowferry.exports.resource import Person, Resource
from rowferry.exports.sinks import Option, sinks


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column that may be asked for. `nest` = the object that JSON's `nested` puts it into."""

    name: str
    label: str
    kind: Kind
    default: bool
    sortable: bool
    nest: str | None


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
    return [_described(r, person) for r in registry.resources() if permitted(person, r.permission)]


def names(person: Person) -> list[str]:
    """The names of what this person may export; asks the database for nothing but the rights."""
    return [r.name for r in registry.resources() if permitted(person, r.permission)]


def resource(name: str, person: Person) -> ResourceInfo:
    """One resource. NotFound: there is none of this name. NotPermitted: not for this person."""
    from_registry = registry.resource(name)
    require(person, from_registry)
    return _described(from_registry, person)


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
        for s in sinks().values()
    ]


def content_types() -> list[str]:
    """Every content type that a file may have, compressed or not."""
    packed = {packing.content_type for packing in PACKINGS.values() if packing.missing is None}
    return sorted(packed | {sink.content_type for sink in sinks().values()})


def _described(one: Resource, person: Person) -> ResourceInfo:
    columns = (c for c in one.by_name.values() if permitted(person, c.permission))
    parameters: list[Any] = [p for rule in one.filters for p in rule.parameters(one.model)]
    return ResourceInfo(
        name=one.name,
        label=str(one.label),
        permission=one.permission,
        sort_by=one.sort_by,
        columns=tuple(
            ColumnInfo(c.name, c.label, c.kind or Kind.TEXT, c.default, c.sortable, c.nest[0] if c.nest else None)
            for c in columns
        ),
        filters=tuple(parameters),
    )
