"""The form of one resource, and the request body that its values say.

The form judges nothing: the engine checks the body, and its errors come back under the names that the fields have here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rowferry.exports import catalogue
from rowferry.exports.catalogue import ColumnInfo, FormatInfo, ResourceInfo
from rowferry.exports.errors import RowferryError
from rowferry.web.forms.fields import (
    FILTER,
    MORE,
    NONE,
    TICKED,
    fields_of,
    from_field_text,
    from_option_field,
    to_field_text,
)

if TYPE_CHECKING:
    from rowferry.exports.resources.parameter import Parameter

PLAIN = ("format", "sort_by", "sort_order", "headers", "time_zone")
DATES = ("date_from", "date_to", "date_column")
IDS, NAMES, DAYS, OWN = (
    gettext_noop("Ids of what it points at"),
    gettext_noop("Names of what it points at"),
    gettext_noop("Dates"),
    gettext_noop("Its own values"),
)
SEARCHED_ABOVE = 8
"""Choices that are taken in at a glance."""


@dataclass(frozen=True)
class Pick:
    """A filter of which several values may be ticked, as (value, label) pairs. `more` = ids to be typed."""

    field: forms.BoundField
    key: str
    chosen: list[tuple[str, str]]
    offered: list[tuple[str, str]]
    endless: bool
    switch: forms.BoundField | None
    more: forms.BoundField | None

    @property
    def searched(self) -> bool:
        return self.endless or len(self.chosen) + len(self.offered) > SEARCHED_ABOVE

    @property
    def is_set(self) -> bool:
        return bool(self.chosen or self.field.errors or (self.more and self.more.value()))


class ExportForm(forms.Form):
    """Everything that may be asked of one resource. `data` = None for a fresh form, with `initial` or the defaults."""

    def __init__(
        self,
        resource: ResourceInfo,
        person: User,
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), label_suffix="")
        self.resource = resource
        self.person = person
        self.formats: list[FormatInfo] = catalogue.formats()
        self.fields.update(fields_of(resource, self.formats))

    @cached_property
    def picks(self) -> list[Pick]:
        """The filters with a list to tick."""
        switches = {p.widens: self[f"{FILTER}{p.name}"] for p in self.resource.filters if p.widens}
        listed = [p for p in self.resource.filters if _is_pick(p)]
        return [self._pick(p, switches.get(p.name)) for p in listed]

    @property
    def dates(self) -> list[forms.BoundField]:
        """From, to, and which date."""
        return [self[f"{FILTER}{p.name}"] for p in self.resource.filters if p.name in DATES]

    @property
    def others(self) -> list[forms.BoundField]:
        """The filters that are one field each: search, yes or no, typed values."""
        remaining = (
            p for p in self.resource.filters if not (_is_pick(p) or p.widens or p.name in DATES or self._is_hidden(p))
        )
        return [self[f"{FILTER}{p.name}"] for p in remaining]

    @property
    def chosen_columns(self) -> list[tuple[str, ColumnInfo]]:
        """The ticked columns in their order, each with its group."""
        by_name = {column.name: column for column in self.resource.columns}
        names = [name for name in self["columns"].value() or () if name in by_name]
        return [(group_of(by_name[name]), by_name[name]) for name in names]

    @property
    def other_columns(self) -> list[tuple[str, list[ColumnInfo]]]:
        """The rest by groups; a group may be empty, since columns come back to where they belong."""
        chosen = {column.name for _group, column in self.chosen_columns}
        groups: dict[str, list[ColumnInfo]] = {group_of(column): [] for column in self.resource.columns}
        for column in self.resource.columns:
            if column.name not in chosen:
                groups[group_of(column)].append(column)
        return list(groups.items())

    @property
    def format_groups(self) -> list[tuple[FormatInfo, list[forms.BoundField]]]:
        """The options of each format that has any."""
        return [(f, [self[f"{f.name}.{o.name}"] for o in f.options]) for f in self.formats if f.options]

    @property
    def zones(self) -> list[str]:
        return _zones()

    def payload(self) -> dict[str, Any]:
        """The body that the API would get for the same wish. What was left empty is left out."""
        self.full_clean()
        values = self.cleaned_data
        plain = {name: values[name] for name in PLAIN if values[name]}
        if values["sort_by"] == "":
            plain["sort_by"] = ""  # the key, which is no default where the resource has a sort of its own
        switches = {name: True for name in ("async", "nested") if values[name]}
        notification = {} if values["email_notification"] else {"email_notification": False}
        filters = dict(self._filters())
        dangling = [p.name for p in self.resource.filters if p.widens and p.widens not in filters]
        usable = {name: value for name, value in filters.items() if name not in dangling}
        return plain | switches | notification | {"columns": values["columns"], "filters": usable} | self._options()

    def add_errors(self, error: RowferryError) -> None:
        """Put the messages at the fields they are about, and what is about no field at the top."""
        if not error.errors:
            self.add_error(None, error.detail)
        for name, messages in error.errors.items():
            is_field = name in self.fields
            self.add_error(
                name if is_field else None, messages if is_field else [f"{name}: {text}" for text in messages]
            )

    def _pick(self, parameter: Parameter, switch: forms.BoundField | None) -> Pick:
        field = self[f"{FILTER}{parameter.name}"]
        values = [str(value) for value in field.value() or ()]
        labels = dict(offered_first(parameter))
        unlisted = [value for value in values if value not in labels]
        if unlisted:
            named = [text for one in unlisted if (text := from_field_text(one, parameter)) is not None]
            found_choices = catalogue.choices(self.resource.name, self.person, parameter.name, chosen=named)
            labels |= {to_field_text(value, parameter): label for value, label in found_choices.chosen}
        chosen = [(value, labels[value]) for value in values if value in labels]
        offered = [(value, label) for value, label in labels.items() if value not in values]
        more = self[f"{field.name}{MORE}"] if parameter.more else None
        return Pick(field, parameter.name, chosen, offered, parameter.more, switch, more)

    def _is_hidden(self, parameter: Parameter) -> bool:
        """Keys come from a list where rows were ticked; nobody types them."""
        return parameter.name == TICKED and not self[f"{FILTER}{TICKED}"].value()

    def _filters(self) -> Iterator[tuple[str, Any]]:
        for parameter in self.resource.filters:
            value = self.cleaned_data[f"{FILTER}{parameter.name}"]
            typed = self.cleaned_data.get(f"{FILTER}{parameter.name}{MORE}")
            if parameter.multiple:
                texts = (value if isinstance(value, list) else _split(value)) + _split(typed)
                value = [from_field_text(text, parameter) for text in texts]
            if value:
                yield parameter.name, value

    def _options(self) -> dict[str, Any]:
        chosen = [f for f in self.formats if f.name == self.cleaned_data["format"] and f.options]
        return {
            f.name: {o.name: from_option_field(o, self.cleaned_data[f"{f.name}.{o.name}"]) for o in f.options}
            for f in chosen
        }


def initial_of(body: Mapping[str, Any], resource: ResourceInfo) -> dict[str, Any]:
    """What the fields hold when the form is to say this body of a request."""
    format_name = str(body["format"])
    options = {f"{format_name}.{name}": value for name, value in body.get(format_name, {}).items()}
    plain = {name: body[name] for name in (*PLAIN, "columns", "nested") if name in body}
    known = {p.name: p for p in resource.filters}
    filters = {n: v for n, v in body.get("filters", {}).items() if v is not False or not _is_switch(resource, n)}
    return plain | options | {f"{FILTER}{n}": _field_value(v, known[n]) for n, v in filters.items() if n in known}


def offered_first(parameter: Parameter) -> list[tuple[str, str]]:
    """The list of a filter before anything is searched in it."""
    choices = [(to_field_text(value, parameter), _(label)) for value, label in parameter.choices or ()]
    return [(NONE, _("(none)")), *choices] if parameter.nullable else choices


def group_of(column: ColumnInfo) -> str:
    """The heading under which a column waits to be ticked."""
    if column.nest:
        return IDS if column.kind.value == "integer" else NAMES
    return DAYS if column.kind.value in ("date", "datetime") else OWN


def _is_pick(parameter: Parameter) -> bool:
    return parameter.multiple and parameter.choices is not None


def _is_switch(resource: ResourceInfo, name: str) -> bool:
    return any(p.name == name and p.widens for p in resource.filters)


def _field_value(value: Any, parameter: Parameter) -> Any:
    """A value of a filter as its field holds it."""
    listed = _is_pick(parameter)
    if isinstance(value, list) or listed:
        texts = [to_field_text(item, parameter) for item in (value if isinstance(value, list) else [value])]
        return texts if listed else ", ".join(texts)
    return to_field_text(value, parameter)


def _split(text: str | None) -> list[str]:
    return [piece.strip() for piece in (text or "").split(",") if piece.strip()]


@cache
def _zones() -> list[str]:
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]
