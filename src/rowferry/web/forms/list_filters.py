"""What the form beside a list says as a wish, and a wish as the fields of the form for a new export.

The engine checks the wish, and says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import QueryDict

from rowferry.exports.catalogue import ResourceInfo
from rowferry.exports.errors import NotPermitted
from rowferry.web.forms.fields import FILTER, MORE, from_field_text, to_field_text


def parse_selection(resource: ResourceInfo, posted: QueryDict) -> dict[str, Any]:
    """Filters and columns as the engine takes them; what was left empty is left out."""
    columns = [c.name for c in resource.columns if c.name in posted.getlist("columns")]
    filters = dict(_filters(resource, posted))
    dangling = [p.name for p in resource.filters if p.widens and p.widens not in filters]
    usable = {name: value for name, value in filters.items() if name not in dangling}
    return {"filters": usable, "columns": columns or readable(resource)}


def readable(resource: ResourceInfo) -> list[str]:
    """The columns of a list that names none: the default ones, names instead of ids where there are both."""
    names: dict[str | None, str] = {c.nest: c.name for c in reversed(resource.columns) if c.nest and not c.default}
    return list(dict.fromkeys(names.get(c.nest, c.name) for c in resource.columns if c.default))


def selection_fields(resource: ResourceInfo, selection: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The wish as the fields of the form for a new export: names and values."""
    yield from ((name, str(selection[name])) for name in ("sort_by", "sort_order") if name in selection)
    yield from (("columns", name) for name in selection["columns"])
    known = {p.name: p for p in resource.filters}
    for name, value in selection.get("filters", {}).items():
        if name not in known:
            raise NotPermitted(f"You may not filter by {name} any more: begin at the list.")
        parameter = known[name]
        values = [to_field_text(item, parameter) for item in (value if isinstance(value, list) else [value])]
        listed = parameter.multiple and parameter.choices
        yield from ((f"{FILTER}{name}", item) for item in (values if listed else [",".join(values)]))


def _filters(resource: ResourceInfo, posted: QueryDict) -> Iterator[tuple[str, Any]]:
    for parameter in resource.filters:
        texts = [text.strip() for text in posted.getlist(f"{FILTER}{parameter.name}") if text.strip()]
        if parameter.multiple:
            typed = posted.getlist(f"{FILTER}{parameter.name}{MORE}")
            chosen = texts if parameter.choices else _split_values(texts)
            values = [from_field_text(text, parameter) for text in chosen + _split_values(typed)]
            if values:
                yield parameter.name, values
        elif texts:
            yield parameter.name, texts[-1]


def _split_values(texts: list[str]) -> list[str]:
    return [piece.strip() for text in texts for piece in text.split(",") if piece.strip()]
