"""Columns that somebody may not see: what is written instead, and which filters would tell of them.

Knows no person: the plan says which columns are withheld.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.utils.encoding import force_bytes

from rowferry.exports.databases.value_sql import Change
from rowferry.exports.encoding.blocks import NULL
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.persistent_names import HASH_DOMAIN
from rowferry.exports.resources.columns import Column, Redaction
from rowferry.exports.resources.paths import field_at
from rowferry.exports.resources.resource import Resource

Withheld = Mapping[str, Redaction]
"""By name, the columns that are not shown, and what becomes of them."""
DONE = {Redaction.MASK: "masked", Redaction.HASH: "hashed", Redaction.DROP: "left out"}


def describe_withheld(withheld: Withheld) -> str:
    """What log and warnings say of it; empty if everything is shown."""
    treatments = "; ".join(f"{name} is {DONE[treatment]}" for name, treatment in withheld.items())
    return f"Without the permission to see them: {treatments}." if treatments else ""


def redacted_column(column: Column) -> Column:
    """A withheld column as formats see it: text. Of a bare mask nothing is read at all."""
    is_bare_mask = column.on_denied is Redaction.MASK and not column.shown
    if is_bare_mask:
        return replace(column, kind=ValueType.TEXT, source=Value(column.mask), compute=None, needs=(), tones={})
    compute = _hide_values_in_errors(column.compute) if column.compute else None
    return replace(column, kind=ValueType.TEXT, compute=compute, tones={})


def redact(column: Column, resource: Resource) -> Change | None:
    """What is done to each cell of a withheld column; None = a bare mask, which is its own disguise."""
    if column.on_denied is Redaction.HASH:
        return _hashing(_domain(column, resource))
    return _masking(column.mask.encode(), column.shown) if column.shown else None


def _hashing(domain: str) -> Change:
    """Keyed, so that nobody can try all values at home; by domain, so that equal numbers of different things differ."""
    key = hmac.digest(force_bytes(settings.SECRET_KEY), f"{HASH_DOMAIN}:{domain}".encode(), "sha256")

    def hash_cell(cell: bytes) -> bytes:
        return NULL if cell == NULL else hmac.digest(key, cell, "sha256").hex().encode()

    return hash_cell


def _masking(mask: bytes, shown: int) -> Change:
    """A value of fewer than twice as many characters shows none: too little of it would stay hidden."""

    def mask_cell(cell: bytes) -> bytes:
        text = "" if cell == NULL else cell.decode("utf-8", "replace")
        return mask + text[-shown:].encode() if len(text) >= 2 * shown else mask

    return mask_cell


def _domain(column: Column, resource: Resource) -> str:
    """The field that a value is from, behind all foreign keys: hashes of one field can be joined, others cannot."""
    if column.compute is not None or not isinstance(column.path, str):
        return f"{resource.name}.{column.name}"
    field = field_at(resource.model, column.path)
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return f"{field.model._meta.label_lower}.{field.name}"


def _hide_values_in_errors(compute: Callable[..., object]) -> Callable[..., object]:
    """The same function, whose errors do not quote the value that they are about: the log names them."""

    def compute_quietly(*texts: str | None) -> object:
        try:
            return compute(*texts)
        except Exception:
            raise ValueError("its value is withheld, and could not be computed") from None

    return compute_quietly


def visible_paths(resource: Resource, withheld: Iterable[str]) -> Callable[[str], bool]:
    """Whether a filter may look at a path: not at what a withheld column is made of, nor through it at what lies
    behind. However the path is spelt."""
    hidden = set(withheld)
    columns = resource.by_name.values()
    hidden_paths = {
        _canonical_path(resource.model, path) for c in columns if c.name in hidden for path in _paths_read(c)
    }
    visible = {_canonical_path(resource.model, c.path) for c in columns if c.name not in hidden and _is_direct(c)}

    def is_visible(path: str) -> bool:
        canonical_path = _canonical_path(resource.model, path)
        return canonical_path in visible or not any(
            f"{canonical_path}__".startswith(f"{hidden_path}__") for hidden_path in hidden_paths
        )

    return is_visible


def _is_direct(column: Column) -> bool:
    return column.compute is None and isinstance(column.path, str)


def _paths_read(column: Column) -> Iterable[str]:
    """Every path that a column's value depends on."""
    if column.compute is not None:
        return column.needs
    return (column.path,) if isinstance(column.path, str) else _paths_in(column.path)


def _paths_in(part: Any) -> list[str]:
    """The paths in an expression, those of its conditions too."""
    if isinstance(part, Q):
        conditions = [child if isinstance(child, tuple) else (None, child) for child in part.children]
        return [path for name, value in conditions for path in ([name] if name else []) + _paths_in(value)]
    own_paths = [part.name] if isinstance(getattr(part, "name", None), str) else []
    subexpressions = part.get_source_expressions() if hasattr(part, "get_source_expressions") else []
    return own_paths + [path for subexpression in subexpressions for path in _paths_in(subexpression)]


def _canonical_path(model: type[models.Model], path: Any) -> str:
    """One spelling for `owner_id`, `owner__pk`, `owner__id`, `owner`. What is no field (a lookup, say) ends the path;
    what has no field at all stays."""
    names: list[str] = []
    previous_field: Any = None
    parts = str(path).split("__")
    for end in range(1, len(parts) + 1):
        try:
            field = field_at(model, "__".join(parts[:end]))
        except ValueError:
            break
        if not (isinstance(previous_field, models.ForeignKey) and field == previous_field.target_field):
            names.append(field.name)
        previous_field = field
    return "__".join(names) or str(path)
