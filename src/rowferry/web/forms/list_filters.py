"""What the form beside a list says as a wish, and a wish as the fields of the form for a new export.

The engine checks the wish, and says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import QueryDict

from rowferry.exports.catalogue import ResourceInfo
from rowferry.web.forms.fields import FILTER, MORE


def parse_selection(resource: ResourceInfo, posted: QueryDict) -> dict[str, Any]:
    """Filters and columns as the engine takes them; what was left empty is left out."""
    columns = [c.name for c in resource.columns if c.name in posted.getlist("columns")]
    filters = dict(_filters(resource, posted))
    lost = [p.name for p in resource.filters if p.widens and p.widens not in filters]
    kept = {name: value for name, value in filters.items() if name not in lost}
    return {"filters": kept, "columns": columns or readable(resource)}


def readable(resource: ResourceInfo) -> list[str]:
    """The columns of a list that names none: the default ones, names instead of ids where there are both."""
    names: dict[str | None, str] = {c.nest: c.name for c in reversed(resource.columns) if c.nest and not c.default}
    return list(dict.fromkeys(names.get(c.nest, c.name) for c in resource.columns if c.default))


def selection_fields(resource: ResourceInfo, wish: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The wish as the fields of the form for a new export: names and values."""
    yield from ((name, str(wish[name])) for name in ("sort_by", "sort_order") if wish.get(name))
    yield from (("columns", name) for name in wish["columns"])
    listed = {p.name for p in resource.filters if p.multiple and p.choices}
    for name, value in wish.get("filters", {}).items():
        values = [_text(one) for one in value] if isinstance(value, list) else [_text(value)]
        yield from ((f"{FILTER}{name}", one) for one in (values if name in listed else [",".join(values)]))


def _filters(resource: ResourceInfo, posted: QueryDict) -> Iterator[tuple[str, Any]]:
    for parameter in resource.filters:
        given = [value.strip() for value in posted.getlist(f"{FILTER}{parameter.name}") if value.strip()]
        if parameter.multiple:
            typed = posted.getlist(f"{FILTER}{parameter.name}{MORE}")
            given = (given if parameter.choices else _pieces(given)) + _pieces(typed)
        if given:
            yield parameter.name, given if parameter.multiple else given[-1]


def _pieces(texts: list[str]) -> list[str]:
    return [piece.strip() for text in texts for piece in text.split(",") if piece.strip()]


def _text(value: Any) -> str:
    return "null" if value is None else str(value)
