"""What a project declares about one column of a resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.db import models
from django.db.models.expressions import Combinable

from rowferry.exports.encoding.value_types import FORMULA_STARTS, Severity, ValueType

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


class Redaction(StrEnum):
    """What a file holds of a column."""

    SHOW = "show"
    MASK = "mask"
    """The column's `mask`, with the last `shown` characters of the value behind it."""
    HASH = "hash"
    """A keyed SHA-256 in hexadecimal, the same in each export; nothing for nothing."""
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Column:
    """A named value of a resource.

    `source` is a Django path (`"status__name"`), an expression (then `kind` is required), or, by default, the name
    itself. `default` = part of an export that names no columns. `nest` = (object, key) for JSON's `nested`.
    `permission` = the Django permission without which nobody gets this column; `on_denied` = what they get instead.
    `compute` = a Python function for what SQL cannot say: it gets the texts (str or None) of the paths in `needs` and
    returns str, int, float, bool or None; a row for which it raises is left out, counted and logged with its key.
    `tones` = what single values mean (`{"Urgent": Severity.BAD}`), for formats that have colours.
    """

    name: str
    source: str | Combinable | None = None
    kind: ValueType | None = None
    label: str = ""
    default: bool = True
    nest: tuple[str, str] | None = None
    permission: str | None = None
    on_denied: Redaction = Redaction.DROP
    mask: str = "***"
    shown: int = 0
    compute: Callable[..., object] | None = None
    needs: tuple[str, ...] = ()
    sortable: bool = True
    tones: Mapping[str, Severity] = field(default_factory=dict, hash=False)

    @property
    def path(self) -> str | Combinable:
        return self.name if self.source is None else self.source

    def resolve(self, model: type[models.Model]) -> Column:
        """This column with its kind and label filled in from the model; a path that leads nowhere is a ValueError."""
        self._check_protection()
        label = self.label or self.name.replace("_", " ").capitalize()
        if self.compute is not None:
            for path in self.needs:
                field_at(model, path)
            return replace(self, label=label, kind=self.kind or ValueType.TEXT, sortable=False)
        if self.kind is not None and not isinstance(self.path, str):
            return replace(self, label=label)
        if not isinstance(self.path, str):
            raise ValueError(f"Column {self.name!r} is an expression: give its kind, e.g. kind=ValueType.TEXT.")
        return replace(self, label=label, kind=self.kind or kind_of(field_at(model, self.path)))

    def _check_protection(self) -> None:
        if self.on_denied is not Redaction.DROP and not self.permission:
            raise ValueError(f"Column {self.name!r} says what comes otherwise, but needs no permission: give it one.")
        if self.on_denied not in (Redaction.MASK, Redaction.HASH, Redaction.DROP):
            raise ValueError(f"Column {self.name!r}: on_denied is Redaction.MASK, Redaction.HASH or Redaction.DROP.")
        if not self.mask or self.mask.startswith(FORMULA_STARTS) or not self.mask.isprintable() or self.shown < 0:
            raise ValueError(f"Column {self.name!r}: a mask is text that no spreadsheet runs; shown is 0 or more.")


def field_at(model: type[models.Model], path: str) -> models.Field[Any, Any]:
    """The model field at the end of `status__name`; ValueError names the part that does not exist."""
    field: Any = None
    for part in path.split("__"):
        meta = model._meta
        if part.endswith("_id") and part not in {f.name for f in meta.get_fields()}:
            part = part.removesuffix("_id")
        try:
            field = meta.pk if part == "pk" else meta.get_field(part)
        except Exception as error:
            raise ValueError(f"{model.__name__} has no field {part!r} (in the path {path!r}).") from error
        model = field.related_model or model
    return field  # type: ignore[no-any-return]


def can_be_null(model: type[models.Model], path: str) -> bool:
    """Whether a row may have no value at a path: nothing is stored there, or a relation before it leads to no row."""
    parts = path.split("__")
    fields = [field_at(model, "__".join(parts[:end])) for end in range(1, len(parts) + 1)]
    return any(field.null for field in fields)


def kind_of(field: models.Field[Any, Any]) -> ValueType:
    """The kind of a model field; a foreign key is what its target's key is."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, models.BinaryField):
        raise ValueError(f"{field} holds bytes, which no format can show: leave it out, or compute a text from it.")
    return next((kind for cls, kind in KIND_OF_FIELD if isinstance(field, cls)), ValueType.TEXT)
