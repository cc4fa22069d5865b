"""What a project declares about one column of a resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Combinable

from rowferry.exports.encoding.value_types import FORMULA_STARTS, Severity, ValueType
from rowferry.exports.joins import has_many
from rowferry.exports.resources.conversions import json_value, value_of
from rowferry.exports.resources.paths import is_converted, json_keys, kind_of, single_field_at


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
        """This column with its kind and label filled in from the model. ValueError: no cell can be made of it."""
        self._check_protection()
        column = replace(self, label=self.label or self.name.replace("_", " ").capitalize())
        if column.compute is not None:
            for path in column.needs:
                single_field_at(model, path)
            return replace(column, kind=column.kind or ValueType.TEXT, sortable=False)
        return column._at_path(model) if isinstance(column.path, str) else column._of_expression(model, column.path)

    def _at_path(self, model: type[models.Model]) -> Column:
        path = str(self.path)
        if keys := json_keys(model, path):
            return self._computed(partial(json_value, keys[1]), keys[0])
        field = single_field_at(model, path)
        if self.kind is not None or not is_converted(field):
            return replace(self, kind=self.kind or kind_of(field))
        if kind_of(field) is not ValueType.TEXT:
            raise ValueError(
                f"Column {self.name!r}: {type(field).__name__} stores something else than it reads. Give the kind of "
                "what is stored, e.g. kind=ValueType.JSON, or compute the value."
            )
        return self._computed(partial(value_of, field), path)

    def _computed(self, compute: Callable[..., object], path: str) -> Column:
        """This column as a text that Python makes of what is stored at a path."""
        if self.kind not in (None, ValueType.TEXT):
            raise ValueError(f"Column {self.name!r} is a key of a JSON field, which is text: leave its kind out.")
        return replace(self, kind=ValueType.TEXT, compute=compute, needs=(path,), sortable=False)

    def _of_expression(self, model: type[models.Model], expression: Combinable) -> Column:
        if self.kind is None:
            raise ValueError(f"Column {self.name!r} is an expression: give its kind, e.g. kind=ValueType.TEXT.")
        try:
            query = model._base_manager.annotate(rowferry_cell=expression).query
        except FieldError:  # it may name an annotation that `rows_for` adds
            return self
        if query.group_by is None and has_many(query):
            raise ValueError(f"Column {self.name!r} leads to many rows: a cell holds one value, so aggregate them.")
        return self

    def _check_protection(self) -> None:
        if self.on_denied is not Redaction.DROP and not self.permission:
            raise ValueError(f"Column {self.name!r} says what comes otherwise, but needs no permission: give it one.")
        if self.on_denied not in (Redaction.MASK, Redaction.HASH, Redaction.DROP):
            raise ValueError(f"Column {self.name!r}: on_denied is Redaction.MASK, Redaction.HASH or Redaction.DROP.")
        if not self.mask or self.mask.startswith(FORMULA_STARTS) or not self.mask.isprintable() or self.shown < 0:
            raise ValueError(f"Column {self.name!r}: a mask is text that no spreadsheet runs; shown is 0 or more.")
