"""The spec resolved for one person: the only permission gate. It runs at the request, again in the worker, and for
previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import DecimalField, F, Q, QuerySet
from django.db.models.expressions import OrderBy

from rowferry.exports import conf, registry
from rowferry.exports.cells import NULL
from rowferry.exports.columns import Column, field_at
from rowferry.exports.errors import InvalidRequest, NotPermitted
from rowferry.exports.kinds import TEXTS, Form, Kind
from rowferry.exports.models import Mode
from rowferry.exports.rendering import Rendering
from rowferry.exports.resource import Person, Resource
from rowferry.exports.sinks import Sink, SinkColumn, sinks
from rowferry.exports.sources import Size
from rowferry.exports.spec import ExportSpec, zone
from rowferry.exports.transforms import Computed, Passed, Transform


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that it takes to make the file. `renderings` are the cells to read, which `transform` makes into
    `columns`."""

    spec: ExportSpec
    resource: Resource
    person: Person
    queryset: QuerySet[Any]
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    sink: type[Sink]
    renderings: tuple[Rendering, ...]
    transform: Transform

    @property
    def sink_columns(self) -> tuple[SinkColumn, ...]:
        return tuple(
            SinkColumn(c.name, c.label, c.kind or Kind.TEXT, c.nest, _digits(c, self.resource)) for c in self.columns
        )


def build_plan(spec: ExportSpec, person: Person) -> Plan:
    """The plan, if this person may have it. NotPermitted: the resource, or a column that was named, is not theirs."""
    resource = registry.resource(spec.resource)
    require(person, resource)
    columns, left_out = _permitted_columns(resource, spec, person)
    sink = sinks()[spec.format]
    renderings, transform = _readings(columns, spec, sink)
    return Plan(
        spec=spec,
        resource=resource,
        person=person,
        queryset=_queryset(resource, spec, person),
        columns=columns,
        left_out=left_out,
        sink=sink,
        renderings=renderings,
        transform=transform,
    )


def require(person: Person, resource: Resource) -> None:
    """NotPermitted unless this person may export the resource. None is the operator, who may."""
    if not permitted(person, resource.permission):
        raise NotPermitted(
            f"To export {resource.name} you need the permission {resource.permission}: ask an administrator."
        )


def permitted(person: Person, permission: str | None) -> bool:
    if person is None or not permission:
        return True
    return bool(person.is_active and person.has_perm(permission))


def _permitted_columns(
    resource: Resource, spec: ExportSpec, person: Person
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    named = _with_nest(resource, spec)
    refused = tuple(name for name in named if not permitted(person, resource.by_name[name].permission))
    sort = resource.by_name.get(spec.sort_by)
    if sort is not None and not permitted(person, sort.permission):
        raise NotPermitted(f"You may not sort by {sort.name}: it needs the permission {sort.permission}.")
    asked = [name for name in refused if name in spec.columns]
    if asked and spec.columns != resource.defaults:
        raise NotPermitted(f"You may not export {', '.join(asked)}: leave them out, or ask for the permission.")
    columns = tuple(resource.by_name[name] for name in named if name not in refused)
    if not columns:
        raise NotPermitted(f"You may not export any of the columns of {resource.name}.")
    return columns, refused


def _with_nest(resource: Resource, spec: ExportSpec) -> tuple[str, ...]:
    """The columns asked for; if nested, an object that one of them belongs to comes with all its parts."""
    if not spec.nested:
        return spec.columns
    names: list[str] = []
    for name in spec.columns:
        nest = resource.by_name[name].nest
        group = [c.name for c in resource.by_name.values() if nest and c.nest and c.nest[0] == nest[0]] or [name]
        names += [member for member in group if member not in names]
    return tuple(names)


def _queryset(resource: Resource, spec: ExportSpec, person: Person) -> QuerySet[Any]:
    condition = Q()
    hidden = {column.path for column in resource.by_name.values() if not permitted(person, column.permission)}
    for rule in resource.filters:
        if any(name in spec.filters for name in rule.names):
            if not hidden.isdisjoint(rule.reads(spec.filters)):
                raise NotPermitted(f"You may not filter by {rule.names[0]}: it looks at a column that is not for you.")
            condition &= rule.bind(resource.model, spec.filters, zone(spec.time_zone))
    return resource.rows_for(person).filter(condition).order_by(*_order(resource, spec))


def _order(resource: Resource, spec: ExportSpec) -> list[OrderBy]:
    """The sort, then the key: rows come in the same order each time. Rows without a value come last either way."""
    key = F("pk").asc()
    if not spec.sort_by:
        return [F("pk").desc() if spec.sort_order == "desc" else key]
    path = resource.by_name[spec.sort_by].path
    if path == "id" or path == resource.model._meta.pk.name:
        return [F("pk").desc() if spec.sort_order == "desc" else key]
    value: Any = F(path) if isinstance(path, str) else path
    nulls = (
        {"nulls_last": True} if not isinstance(path, str) or "__" in path or field_at(resource.model, path).null else {}
    )
    return [value.desc(**nulls) if spec.sort_order == "desc" else value.asc(**nulls), key]


def _readings(columns: Sequence[Column], spec: ExportSpec, sink: type[Sink]) -> tuple[tuple[Rendering, ...], Transform]:
    """What to read, and how the output columns are made of it."""
    reads: list[Rendering] = []
    outputs: list[Passed | Computed] = []
    for column in columns:
        if column.compute is None:
            outputs.append(Passed(len(reads)))
            reads.append(_rendering(column, spec, sink))
        else:
            start = len(reads)
            reads += [Rendering(path, _kind(spec.resource, path), zone=spec.time_zone) for path in column.needs]
            written = _writer(column, spec, sink)
            outputs.append(Computed(column.compute, tuple(range(start, len(reads))), written))
    transform = Transform(tuple(outputs), len(reads))
    if transform.needed:
        reads.append(Rendering("pk", _kind(spec.resource, "pk")))
        transform = replace(transform, width=len(reads))
    return tuple(reads), transform


def _kind(resource: str, path: str) -> Kind:
    column = Column(path).resolved(registry.resource(resource).model)
    return column.kind or Kind.TEXT


def _guard(spec: ExportSpec) -> bool:
    return bool(spec.options.get("formula_guard"))


def _rendering(column: Column, spec: ExportSpec, sink: type[Sink]) -> Rendering:
    kind = column.kind or Kind.TEXT
    form = sink.forms.get(kind, Form.PLAIN)
    return Rendering(column.path, kind, form, _guard(spec), spec.time_zone, _places(column, spec))


def _places(column: Column, spec: ExportSpec) -> int:
    field = _decimal(column, registry.resource(spec.resource))
    return 6 if field is None else field.decimal_places or 0


def _digits(column: Column, resource: Resource) -> tuple[int, int] | None:
    """Most digits, and digits after the point, of a decimal whose field says so."""
    field = _decimal(column, resource)
    return (field.max_digits, field.decimal_places or 0) if field is not None and field.max_digits else None


def _decimal(column: Column, resource: Resource) -> DecimalField[Any, Any] | None:
    """The field of a decimal that is read as it is."""
    if column.kind is not Kind.DECIMAL or column.compute is not None or not isinstance(column.path, str):
        return None
    field = field_at(resource.model, column.path)
    return field if isinstance(field, DecimalField) else None


def _writer(column: Column, spec: ExportSpec, sink: type[Sink]) -> Any:
    rendering = _rendering(column, spec, sink)

    def written(value: object) -> bytes:
        if value is None:
            return NULL
        if isinstance(value, str) or rendering.kind in TEXTS:
            return replace(rendering, kind=Kind.TEXT).text(str(value))
        return rendering.text(value)

    return written


def enough_to_decide() -> int:
    """Rows that have to be counted exactly; beyond them an estimate will do."""
    return max(conf.number(name) for name in ("QUEUE_ABOVE", "REQUEST_ROW_LIMIT", "COUNT_LIMIT"))


def decide(size: Size, asynchronous: bool | None) -> tuple[Mode, str]:
    """The mode for so many rows, and the reason in words. InvalidRequest: too many to be answered in the request."""
    below, above, limit = (conf.number(n) for n in ("IMMEDIATE_BELOW", "QUEUE_ABOVE", "REQUEST_ROW_LIMIT"))
    total, about = size.rows, "" if size.exact else "about "
    if asynchronous:
        return Mode.QUEUED, "it was asked for"
    if asynchronous is None and total > above:
        return Mode.QUEUED, f"{about}{total:,} rows are more than {above:,}"
    if total > max(limit, above):
        message = (
            f"{about}{total:,} rows are more than the {limit:,} of one request: leave async out, or set it to true."
        )
        raise InvalidRequest.field("async", message)
    if total < below:
        return Mode.IMMEDIATE, f"{total:,} {'row is' if total == 1 else 'rows are'} fewer than {below:,}"
    asked = "" if total <= above else ", and async: false was asked for"
    return Mode.STREAMED, f"{total:,} rows are {below:,} or more{asked}"
