"""Where the path of a column or a filter (`status__name`) leads in a model, and what is stored there."""

from __future__ import annotations

from typing import Any, cast

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from rowferry.exports.encoding.value_types import ValueType

KIND_OF_FIELD: tuple[tuple[type[models.Field[Any, Any]], ValueType], ...] = (
    (models.BooleanField, ValueType.BOOLEAN),
    (models.DateTimeField, ValueType.INSTANT),
    (models.DateField, ValueType.DATE),
    (models.TimeField, ValueType.TIME),
    (models.DurationField, ValueType.DURATION),
    (models.DecimalField, ValueType.DECIMAL),
    (models.FloatField, ValueType.FLOAT),
    (models.AutoField, ValueType.INTEGER),
    (models.IntegerField, ValueType.INTEGER),
    (models.UUIDField, ValueType.UUID),
    (models.JSONField, ValueType.JSON),
)
"""First match wins; any other field is text."""
JSON_ON_POSTGRESQL = {"ArrayField", "HStoreField", "RangeField"}
"""Fields of `django.contrib.postgres`, which needs psycopg to be imported: known by the names of their classes."""


def fields_along(model: type[models.Model], path: str) -> list[models.Field[Any, Any]]:
    """The fields that a path goes through, the last of them where it ends. ValueError names the part that does not
    exist."""
    fields: list[Any] = []
    current: Any = model
    for part in path.split("__"):
        if current is None:
            raise ValueError(f"The path {path!r} goes on behind {fields[-1].name!r}, which leads to no other model.")
        fields.append(_field(current, part, path))
        current = fields[-1].related_model
    return fields


def _field(model: type[models.Model], part: str, path: str) -> Any:
    meta = model._meta
    if part.endswith("_id") and part not in {field.name for field in meta.get_fields()}:
        part = part.removesuffix("_id")
    try:
        return meta.pk if part == "pk" else meta.get_field(part)
    except FieldDoesNotExist:
        raise ValueError(f"{model.__name__} has no field {part!r} (in the path {path!r}).") from None


def field_at(model: type[models.Model], path: str) -> models.Field[Any, Any]:
    """The model field at the end of a path; ValueError names the part that does not exist."""
    return fields_along(model, path)[-1]


def single_field_at(model: type[models.Model], path: str) -> models.Field[Any, Any]:
    """The same, where a row has one value at most; ValueError says which relation leads to more."""
    fields = fields_along(model, path)
    for field in fields:
        if field.one_to_many or field.many_to_many:
            raise ValueError(f"The path {path!r} leads to many rows (by {field.name!r}): a cell holds one value.")
        if not field.concrete and not field.one_to_one:
            raise ValueError(f"{field.name!r} is no column of the database: name the fields that it is made of.")
    return fields[-1]


def can_be_null(model: type[models.Model], path: str) -> bool:
    """Whether a row may have no value at a path: nothing is stored there, or a relation before it leads to no row."""
    return any(field.null for field in fields_along(model, path))


def kind_of(field: models.Field[Any, Any]) -> ValueType:
    """The kind of a model field; a foreign key is what its target's key is."""
    while not field.concrete or isinstance(field, models.ForeignKey):
        field = (
            field.target_field if isinstance(field, models.ForeignKey) else cast("Any", field).related_model._meta.pk
        )
    if isinstance(field, models.BinaryField):
        raise ValueError(f"{field} holds bytes, which no format can show: leave it out, or compute a text from it.")
    if JSON_ON_POSTGRESQL.intersection(cls.__name__ for cls in type(field).__mro__):
        return ValueType.JSON
    return next((kind for cls, kind in KIND_OF_FIELD if isinstance(field, cls)), ValueType.TEXT)


def json_keys(model: type[models.Model], path: str) -> tuple[str, list[str]] | None:
    """The path of a JSON field and the keys within its values, if a path goes on behind one; None = it does not."""
    parts = path.split("__")
    for end in range(1, len(parts)):
        try:
            field = single_field_at(model, "__".join(parts[:end]))
        except ValueError:
            return None
        if isinstance(field, models.JSONField):
            return "__".join(parts[:end]), parts[end:]
    return None


def is_converted(field: models.Field[Any, Any]) -> bool:
    """Whether the field reads its values by a `from_db_value` of the project, so that what is stored is something
    else."""
    converter = getattr(type(field), "from_db_value", None)
    return converter is not None and not converter.__module__.startswith("django.")
