"""The spec resolved for one person: the only permission gate. It runs at the request, again in the worker, and for
previews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db.models import DecimalField, Q, QuerySet
from django.db.models.expressions import OrderBy

from rowferry.exports import conf
from rowferry.exports.databases import Size
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.value_types import TEXTS, Representation, ValueType
from rowferry.exports.errors import InvalidRequest, NotPermitted, SourceFault
from rowferry.exports.formats import FormatColumn, FormatWriter, format_writers
from rowferry.exports.joins import has_many
from rowferry.exports.models import Export, Mode, ModeReason, ReasonCode
from rowferry.exports.planning.column_privacy import Withheld, redact, redacted_column, visible_paths
from rowferry.exports.planning.computed_columns import Computed, Copied, Transform, validate_cell
from rowferry.exports.planning.ordering import order_by
from rowferry.exports.planning.spec import ExportSpec, zone
from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column, Redaction
from rowferry.exports.resources.paths import field_at
from rowferry.exports.resources.resource import Person, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that it takes to make the file. `expressions` are the cells to read, which `transform` makes into `columns`.
    `withheld` = of what was asked for, what this person may not see, and what becomes of it."""

    spec: ExportSpec
    resource: Resource
    person: Person
    queryset: QuerySet[Any]
    columns: tuple[Column, ...]
    withheld: Withheld
    writer_class: type[FormatWriter]
    expressions: tuple[CellExpression, ...]
    transform: Transform

    @property
    def format_columns(self) -> tuple[FormatColumn, ...]:
        return tuple(
            FormatColumn(c.name, c.label, c.kind or ValueType.TEXT, c.nest, _digits(c, self.resource), c.tones)
            for c in self.columns
        )


def build_plan(spec: ExportSpec, person: Person) -> Plan:
    """The plan, if this person may have it. NotPermitted: the resource, or a column that was named, is not theirs."""
    resource = registry.resource(spec.resource)
    require(person, resource)
    hidden = withheld(person, resource)
    _require_visible(resource, spec.filters, spec.sort_by, hidden)
    names = _permitted_columns(resource, spec, hidden)
    columns = [resource.by_name[name] for name in names if hidden.get(name) is not Redaction.DROP]
    writer_class = format_writers()[spec.format]
    expressions, transform = _plan_reads(columns, spec, writer_class, hidden)
    return Plan(
        spec=spec,
        resource=resource,
        person=person,
        queryset=_queryset(resource, spec, person),
        columns=tuple(redacted_column(column) if column.name in hidden else column for column in columns),
        withheld={name: hidden[name] for name in names if name in hidden},
        writer_class=writer_class,
        expressions=expressions,
        transform=transform,
    )


def require(person: Person, resource: Resource) -> None:
    """NotPermitted unless this person may export the resource. None is the operator, who may."""
    if not has_permission(person, resource.permission):
        raise NotPermitted(
            f"To export {resource.name} you need the permission {resource.permission}: ask an administrator."
        )


def has_permission(person: Person, permission: str | None) -> bool:
    if person is None or not permission:
        return True
    return bool(person.is_active and person.has_perm(permission))


def withheld(person: Person, resource: Resource) -> dict[str, Redaction]:
    """The columns that this person may not see, and what they get instead."""
    return {c.name: c.on_denied for c in resource.by_name.values() if not has_permission(person, c.permission)}


def require_content(person: Person, export: Export) -> None:
    """NotPermitted unless this person may have today what the file of an export holds, and what it was chosen by."""
    resource = registry.resource(export.resource)
    require(person, resource)
    hidden = withheld(person, resource)
    manifest: Mapping[str, Any] = export.manifest or {}
    file_columns = {column["name"] for column in manifest.get("columns", ())} - set(manifest.get("withheld", ()))
    newly_hidden = [name for name in hidden if name in file_columns]
    if newly_hidden:
        raise NotPermitted(f"The file holds {', '.join(newly_hidden)}, which you may not see any more.")
    _require_visible(resource, export.spec["filters"], export.spec["sort_by"], hidden)


def _require_visible(resource: Resource, filters: Mapping[str, Any], sort_by: str, hidden: Withheld) -> None:
    """NotPermitted: a filter or the sort would tell of a column that is not shown. A mask must not be a riddle."""
    if sort_by in hidden:
        permission = resource.by_name[sort_by].permission
        raise NotPermitted(f"You may not sort by {sort_by}: it needs the permission {permission}.")
    is_visible = visible_paths(resource, hidden)
    for rule in resource.filters:
        if any(name in filters for name in rule.names) and not all(map(is_visible, rule.reads(filters))):
            raise NotPermitted(f"You may not filter by {rule.names[0]}: it looks at a column that is not for you.")


def _permitted_columns(resource: Resource, spec: ExportSpec, hidden: Withheld) -> tuple[str, ...]:
    """The columns that are meant, those to be dropped too. NotPermitted: one that was named would be."""
    names = _with_nest(resource, spec)
    dropped = [name for name in names if hidden.get(name) is Redaction.DROP]
    named_explicitly = [name for name in dropped if name in spec.columns]
    if named_explicitly and spec.columns != resource.defaults:
        raise NotPermitted(
            f"You may not export {', '.join(named_explicitly)}: leave them out, or ask for the permission."
        )
    if len(dropped) == len(names):
        raise NotPermitted(f"You may not export any of the columns of {resource.name}.")
    return names


def _with_nest(resource: Resource, spec: ExportSpec) -> tuple[str, ...]:
    """The columns asked for; if nested, an object that one of them belongs to comes with all its parts."""
    if not spec.nested:
        return spec.columns
    names: list[str] = []
    for name in spec.columns:
        nest = resource.by_name[name].nest
        members = [c.name for c in resource.by_name.values() if nest and c.nest and c.nest[0] == nest[0]] or [name]
        names += [member for member in members if member not in names]
    return tuple(names)


def _queryset(resource: Resource, spec: ExportSpec, person: Person) -> QuerySet[Any]:
    condition = Q()
    for rule in resource.filters:
        if any(name in spec.filters for name in rule.names):
            condition &= rule.bind(resource.model, spec.filters, zone(spec.time_zone))
    rows = _each_row_once(resource.rows_for(person))
    matching: QuerySet[Any] = resource.model._base_manager.using(rows.db).filter(condition)
    if has_many(matching.query):
        condition = Q(pk__in=matching.values("pk"))
    return rows.filter(condition).order_by(*_order(resource, spec))


def _each_row_once(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same rows, each one once whatever columns are read of it.

    A DISTINCT or a union would compare the texts of the columns; a join to many rows gives a row as often as there are
    such rows. SourceFault: the rows are a slice, of which no rows can be picked.
    """
    query = rows.query
    if query.is_sliced:
        raise SourceFault("rows_for gives a slice of rows: give the rows by a condition.")
    if not (query.distinct or query.combinator or (query.group_by is None and has_many(query))):
        return rows
    every_row: QuerySet[Any] = rows.model._base_manager.using(rows.db)
    return every_row.filter(pk__in=rows.order_by().values("pk"))


def _order(resource: Resource, spec: ExportSpec) -> list[OrderBy]:
    path = resource.by_name[spec.sort_by].path if spec.sort_by else None
    return order_by(resource.model, path, descending=spec.sort_order == "desc")


def _plan_reads(
    columns: Sequence[Column], spec: ExportSpec, writer_class: type[FormatWriter], hidden: Withheld
) -> tuple[tuple[CellExpression, ...], Transform]:
    """What to read, and how the output columns are made of it."""
    expressions: list[CellExpression] = []
    outputs: list[Copied | Computed] = []
    for declared in columns:
        column = redacted_column(declared) if declared.name in hidden else declared
        expression = (
            _redacted_expression(declared, spec)
            if declared.name in hidden
            else _cell_expression(declared, spec, writer_class)
        )
        if column.compute is None:
            outputs.append(Copied(len(expressions)))
            expressions.append(expression)
        else:
            start = len(expressions)
            expressions += [
                CellExpression(path, _kind(spec.resource, path), zone=spec.time_zone) for path in column.needs
            ]
            outputs.append(Computed(column.compute, tuple(range(start, len(expressions))), _cell_writer(expression)))
    transform = Transform(tuple(outputs), len(expressions))
    if transform.needed:
        expressions.append(CellExpression("pk", _kind(spec.resource, "pk")))
        transform = replace(transform, width=len(expressions))
    return tuple(expressions), transform


def _kind(resource: str, path: str) -> ValueType:
    column = Column(path).resolve(registry.resource(resource).model)
    return column.kind or ValueType.TEXT


def _guard(spec: ExportSpec) -> bool:
    return bool(spec.options.get("formula_guard"))


def _cell_expression(column: Column, spec: ExportSpec, writer_class: type[FormatWriter]) -> CellExpression:
    kind = column.kind or ValueType.TEXT
    form = writer_class.forms.get(kind, Representation.PLAIN)
    return CellExpression(column.path, kind, form, _guard(spec), spec.time_zone, _places(column, spec))


def _redacted_expression(column: Column, spec: ExportSpec) -> CellExpression:
    """A withheld column as it is read: plain text in UTC, whatever the format, so that hashes are always the same."""
    change = redact(column, registry.resource(spec.resource))
    if change is None:
        return CellExpression(redacted_column(column).path, ValueType.TEXT)
    return CellExpression(column.path, column.kind or ValueType.TEXT, places=_places(column, spec), redact=change)


def _places(column: Column, spec: ExportSpec) -> int:
    field = _decimal(column, registry.resource(spec.resource))
    return 6 if field is None else field.decimal_places or 0


def _digits(column: Column, resource: Resource) -> tuple[int, int] | None:
    """Most digits, and digits after the point, of a decimal whose field says so."""
    field = _decimal(column, resource)
    return (field.max_digits, field.decimal_places or 0) if field is not None and field.max_digits else None


def _decimal(column: Column, resource: Resource) -> DecimalField[Any, Any] | None:
    """The field of a decimal that is read as it is, or that an expression says it gives."""
    if column.kind is not ValueType.DECIMAL or column.compute is not None:
        return None
    path = column.path
    field = field_at(resource.model, path) if isinstance(path, str) else vars(path).get("output_field")
    return field if isinstance(field, DecimalField) else None


def _cell_writer(expression: CellExpression) -> Any:
    text_expression = replace(expression, kind=ValueType.TEXT)

    def write_value(value: object) -> bytes:
        if expression.kind in TEXTS:
            return text_expression.text(None if value is None else str(value))
        return validate_cell((text_expression if isinstance(value, str) else expression).text(value), expression.kind)

    return write_value


def count_limit() -> int:
    """Rows that have to be counted exactly; beyond them an estimate will do."""
    return max(conf.number(name) for name in ("QUEUE_ABOVE", "REQUEST_ROW_LIMIT", "COUNT_LIMIT"))


def decide(size: Size, asynchronous: bool | None) -> tuple[Mode, ModeReason]:
    """The mode for so many rows, and the reason. Raises InvalidRequest if they are too many for one request."""
    below, above, limit = (conf.number(n) for n in ("IMMEDIATE_BELOW", "QUEUE_ABOVE", "REQUEST_ROW_LIMIT"))
    total = size.rows
    because = partial(ModeReason, rows=total, exact=size.exact)
    if asynchronous:
        return Mode.QUEUED, ModeReason(ReasonCode.REQUESTED)
    if asynchronous is None and total > above:
        return Mode.QUEUED, because(ReasonCode.ABOVE_QUEUE_LIMIT, above)
    if not size.exact and total <= max(limit, above):
        return _mode_without_count(asynchronous)
    if total > max(limit, above):
        too_many = because(ReasonCode.ABOVE_QUEUE_LIMIT, limit)
        raise InvalidRequest.field("async", f"{too_many} of one request: leave async out, or set it to true.")
    if total < below:
        return Mode.IMMEDIATE, because(ReasonCode.BELOW_IMMEDIATE_LIMIT, below)
    code = ReasonCode.BETWEEN_LIMITS if total <= above else ReasonCode.NOT_TO_BE_QUEUED
    return Mode.STREAMED, because(code, below)


def _mode_without_count(asynchronous: bool | None) -> tuple[Mode, ModeReason]:
    """What to do with rows that could not even be counted in time: to read them takes longer still."""
    reason = ModeReason(ReasonCode.COUNT_TIMEOUT, conf.seconds("COUNT_TIME").total_seconds())
    if asynchronous is None:
        return Mode.QUEUED, reason
    raise InvalidRequest.field("async", f"{str(reason).capitalize()}: leave async out, or set it to true.")
