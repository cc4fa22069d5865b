"""The form of one resource, built from the catalogue, and the request body that its values say.

The form judges nothing: the engine checks the body, and its errors come back under the names that the fields have here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.http import QueryDict

from rowferry.exports import catalogue
from rowferry.exports.catalogue import FormatInfo, ResourceInfo
from rowferry.exports.errors import RowferryError

if TYPE_CHECKING:
    from rowferry.exports.filters import Parameter
    from rowferry.exports.sinks import Option

Choices = Sequence[tuple[str, str]]
FILTER = "filters."
MORE = ".more"
ZONE = {"list": "zones", "autocomplete": "off", "spellcheck": "false"}
NONE: tuple[str, str] = ("null", "(none)")
ANY: tuple[str, str] = ("", "(any)")
PLAIN = ("format", "sort_by", "sort_order", "headers", "time_zone")
YES_NO: Choices = (ANY, ("true", "Yes"), ("false", "No"))
ORDERS: Choices = (("asc", "Ascending"), ("desc", "Descending"))
HEADERS: Choices = (("names", "Names, such as asset_tag"), ("labels", "Labels, such as Asset tag"))


class FormatRadios(forms.RadioSelect):
    """Radio buttons of which those in `missing` cannot be chosen."""

    missing: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if value in self.missing:
            option["attrs"]["disabled"] = True
        return option


class ExportForm(forms.Form):
    """Everything that may be asked of one resource. `data` = None for a fresh form with the defaults."""

    def __init__(self, resource: ResourceInfo, data: QueryDict | None = None) -> None:
        super().__init__(data, label_suffix="")
        self.resource = resource
        self.formats = catalogue.formats()
        self.fields.update(_fields(resource, self.formats))

    @property
    def filter_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(FILTER)]

    @property
    def format_groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The options of each format that has any, under its label."""
        return [(f.label, [self[f"{f.name}.{o.name}"] for o in f.options]) for f in self.formats if f.options]

    @property
    def zones(self) -> list[str]:
        return _zones()

    def payload(self, *, dry_run: bool) -> dict[str, Any]:
        """The body that the API would get for the same wish. What was left empty is left out."""
        self.full_clean()
        values = self.cleaned_data
        plain = {name: values[name] for name in PLAIN if values[name]}
        switches = {name: True for name in ("async", "nested") if values[name]}
        silent = {} if values["email_notification"] else {"email_notification": False}
        body = plain | switches | silent | {"columns": values["columns"], "filters": dict(self._filters())}
        return body | self._options() | ({"dry_run": True} if dry_run else {})

    def show(self, error: RowferryError) -> None:
        """Put the messages at the fields they are about, and what is about no field at the top."""
        if not error.errors:
            self.add_error(None, error.detail)
        for name, messages in error.errors.items():
            known = name in self.fields
            self.add_error(name if known else None, messages if known else [f"{name}: {text}" for text in messages])

    def _filters(self) -> Iterator[tuple[str, Any]]:
        for parameter in self.resource.filters:
            value = self.cleaned_data[f"{FILTER}{parameter.name}"]
            typed = self.cleaned_data.get(f"{FILTER}{parameter.name}{MORE}")
            if parameter.multiple:
                value = (value if isinstance(value, list) else _split(value)) + _split(typed)
            if value:
                yield parameter.name, value

    def _options(self) -> dict[str, Any]:
        chosen = [f for f in self.formats if f.name == self.cleaned_data["format"] and f.options]
        return {f.name: {o.name: self.cleaned_data[f"{f.name}.{o.name}"] for o in f.options} for f in chosen}


def _fields(resource: ResourceInfo, formats: Sequence[FormatInfo]) -> dict[str, forms.Field]:
    sortable = [(c.name, c.label) for c in resource.columns if c.sortable]
    defaults = [c.name for c in resource.columns if c.default]
    columns = [(c.name, c.label) for c in resource.columns]
    nesting = ", ".join(f.label for f in formats if f.can_nest)
    return {
        "format": _format_field(formats),
        **{f"{FILTER}{name}": field for p in resource.filters for name, field in _filter_fields(p)},
        "columns": _field("Columns", forms.CheckboxSelectMultiple(choices=columns), initial=defaults),
        "sort_by": _field("Sort by", _select([("", "(key)"), *sortable]), initial=resource.sort_by),
        "sort_order": _field("Order", _select(ORDERS)),
        "headers": _field("Column titles", _select(HEADERS)),
        "time_zone": _field("Time zone", forms.TextInput(attrs=ZONE), initial="UTC"),
        "nested": _field(f"Ids and names as one object (only {nesting})", forms.CheckboxInput()),
        "async": _field("Put it in the queue, however small it is", forms.CheckboxInput()),
        "email_notification": _field("E-mail me when a queued export is done", forms.CheckboxInput(), initial=True),
        **{f"{f.name}.{o.name}": _option_field(o) for f in formats for o in f.options},
    }


def _field(label: str, widget: forms.Widget, **more: Any) -> forms.Field:
    return forms.Field(label=label, widget=widget, required=False, **more)


def _select(choices: Choices) -> forms.Select:
    return forms.Select(choices=choices)


def _format_field(formats: Sequence[FormatInfo]) -> forms.Field:
    radios = FormatRadios(choices=[(f.name, _format_words(f)) for f in formats])
    radios.missing = frozenset(f.name for f in formats if f.missing)
    ready = [f.name for f in formats if not f.missing]
    return _field("Format", radios, initial=ready[0] if ready else None)


def _format_words(one: FormatInfo) -> str:
    missing = f" (not here: {one.missing})" if one.missing else ""
    return f"{one.label}: {one.description}{missing}"


def _filter_fields(parameter: Parameter) -> Iterator[tuple[str, forms.Field]]:
    """The field of one filter; a second one for values that its list is too short for."""
    yield parameter.name, _filter_field(parameter)
    if parameter.multiple and parameter.more:
        text = f"The list shows the first {len(parameter.choices or ())}. Others by id, with commas between."
        yield f"{parameter.name}{MORE}", _field(f"{parameter.label}: more", forms.TextInput(), help_text=text)


def _filter_field(parameter: Parameter) -> forms.Field:
    if parameter.type == "boolean":
        return _field(parameter.label, _select(YES_NO))
    if parameter.type == "date":
        return _field(parameter.label, forms.DateInput(attrs={"type": "date"}))
    choices = [(str(value), label) for value, label in parameter.choices or ()]
    if parameter.multiple and choices:
        offered = [NONE, *choices] if parameter.nullable else choices
        return _field(parameter.label, forms.SelectMultiple(choices=offered, attrs={"size": min(len(offered), 6)}))
    if choices:
        return _field(parameter.label, _select([("", "(default)"), *choices]))
    return _typed_field(parameter)


def _typed_field(parameter: Parameter) -> forms.Field:
    if not parameter.multiple:
        kind = "search" if parameter.type == "text" else "text"
        return _field(parameter.label, forms.TextInput(attrs={"type": kind}))
    rest = "; null = rows without a value." if parameter.nullable else "."
    return _field(parameter.label, forms.TextInput(), help_text=f"One or more, with commas between{rest}")


def _option_field(option: Option) -> forms.Field:
    if isinstance(option.default, bool):
        return _field(option.label, forms.CheckboxInput(), initial=option.default)
    if option.choices is None:
        return _field(option.label, forms.TextInput(), initial=option.default)
    legible = [(choice, choice) for choice in option.choices if choice.isprintable()]
    return _field(option.label, _select(legible), initial=option.default)


def _split(text: str | None) -> list[str]:
    return [piece.strip() for piece in (text or "").split(",") if piece.strip()]


@cache
def _zones() -> list[str]:
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]
