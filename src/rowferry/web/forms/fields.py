"""The fields of the form of one resource, made from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rowferry.exports.catalogue import FormatInfo, ResourceInfo

if TYPE_CHECKING:
    from rowferry.exports.formats import Option
    from rowferry.exports.resources.parameter import Parameter

Choices = Sequence[tuple[str, Any]]
FILTER = "filters."
MORE = ".more"
TICKED = "ids"
"""The filter of rows that were ticked in a list."""
ZONE = {"list": "zones", "autocomplete": "off", "spellcheck": "false"}
NONE = "null"
"""What a form says for rows without a value."""
NULL_TEXT = re.compile(r"\\*null")
"""Texts that would be taken for it, and so have one backslash more in a form."""
YES_NO: Choices = (("", gettext_lazy("(any)")), ("true", gettext_lazy("Yes")), ("false", gettext_lazy("No")))
ORDERS: Choices = (("asc", gettext_lazy("Ascending")), ("desc", gettext_lazy("Descending")))
HEADERS: Choices = (
    ("names", gettext_lazy("Names, such as asset_tag")),
    ("labels", gettext_lazy("Labels, such as Asset tag")),
)


def fields_of(resource: ResourceInfo, formats: Sequence[FormatInfo]) -> dict[str, forms.Field]:
    """Every field by the name under which the engine speaks of it."""
    sortable = [(c.name, _(c.label)) for c in resource.columns if c.sortable]
    defaults = [c.name for c in resource.columns if c.default]
    columns = [(c.name, _(c.label)) for c in resource.columns]
    nesting = ", ".join(_(f.label) for f in formats if f.can_nest)
    installed = [f.name for f in formats if not f.missing]
    radios = forms.RadioSelect(choices=[(f.name, f.label) for f in formats])
    return {
        "format": _field(_("Format"), radios, initial=installed[0] if installed else None),
        **{f"{FILTER}{name}": field for p in resource.filters for name, field in _filter_fields(p)},
        "columns": _field(_("Columns"), forms.CheckboxSelectMultiple(choices=columns), initial=defaults),
        "sort_by": _field(_("Sort by"), _select([("", _("(key)")), *sortable]), initial=resource.sort_by),
        "sort_order": _field(_("Order"), _select(ORDERS)),
        "headers": _field(_("Column titles"), _select(HEADERS)),
        "time_zone": _field(_("Time zone"), forms.TextInput(attrs=ZONE), initial="UTC"),
        "nested": _switch(_("Ids and names as one object (only %(formats)s)") % {"formats": nesting}),
        "async": _switch(_("Put it in the queue, however small it is")),
        "email_notification": _switch(_("E-mail me when a queued export is done"), initial=True),
        **{f"{f.name}.{o.name}": _option_field(o) for f in formats for o in f.options},
    }


def to_field_text(value: Any, parameter: Parameter) -> str:
    """One value of a filter as a form says it."""
    if value is None:
        return NONE
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"\\{text}" if parameter.nullable and NULL_TEXT.fullmatch(text) else text


def from_field_text(text: str, parameter: Parameter) -> str | None:
    """What a form says as one value of a filter."""
    if not (parameter.nullable and NULL_TEXT.fullmatch(text)):
        return text
    return None if text == NONE else text[1:]


def _field(label: str, widget: forms.Widget, **extra: Any) -> forms.Field:
    return forms.Field(label=label, widget=widget, required=False, **extra)


def _switch(label: str, **extra: Any) -> forms.Field:
    return _field(label, forms.CheckboxInput(), **extra)


def _select(choices: Choices) -> forms.Select:
    return forms.Select(choices=choices)


def _filter_fields(parameter: Parameter) -> Iterator[tuple[str, forms.Field]]:
    """The field of one filter; a second one for values that its list is too short for."""
    yield parameter.name, _filter_field(parameter)
    if parameter.multiple and parameter.more:
        text = _("The list shows the first %(count)s. Others by id, with commas between.")
        help_text = text % {"count": len(parameter.choices or ())}
        label = _("%(label)s: more") % {"label": _(parameter.label)}
        yield f"{parameter.name}{MORE}", _field(label, forms.TextInput(), help_text=help_text)


def _filter_field(parameter: Parameter) -> forms.Field:
    label = _(parameter.label)
    if parameter.widens:
        return _field(label, forms.CheckboxInput(attrs={"value": "true"}))
    if parameter.type == "boolean":
        return _field(label, _select(YES_NO))
    if parameter.type == "date":
        return _field(label, forms.DateInput(attrs={"type": "date"}))
    choices = [(str(value), _(title)) for value, title in parameter.choices or ()]
    if parameter.multiple and parameter.choices is not None:
        return _field(label, forms.CheckboxSelectMultiple(choices=choices))
    if choices:
        return _field(label, _select([("", _("(default)")), *choices]))
    return _typed_field(parameter, label)


def _typed_field(parameter: Parameter, label: str) -> forms.Field:
    if not parameter.multiple:
        kind = "search" if parameter.type == "text" else "text"
        return _field(label, forms.TextInput(attrs={"type": kind}))
    return _field(label, forms.TextInput(), help_text=_several(parameter))


def _several(parameter: Parameter) -> str:
    if not parameter.nullable:
        return _("One or more, with commas between.")
    if parameter.type == "text":
        return _("One or more, with commas between; null = rows without a value, \\null = the text null.")
    return _("One or more, with commas between; null = rows without a value.")


def from_option_field(option: Option, value: Any) -> Any:
    """What a field says as the value of an option; None = the form has no such field."""
    return {str(choice): choice for choice in option.choices or ()}.get(value, value)


def _option_field(option: Option) -> forms.Field:
    if option.choices is None:
        if option.type == "boolean":
            return _switch(_(option.label), initial=option.default)
        return _field(_(option.label), forms.TextInput(), initial=option.default)
    choices = [(str(choice), _(title)) for choice, title in _titles(option) if title.isprintable()]
    return _field(_(option.label), _select(choices), initial=str(_initial(option)))


def _titles(option: Option) -> Iterator[tuple[bool | str, str]]:
    for choice in option.choices or ():
        yield choice, option.titles.get(choice, str(choice))


def _initial(option: Option) -> bool | str:
    """The default; a spreadsheet whose language writes decimals with a comma splits lines at semicolons."""
    is_comma_taken = option.name == "delimiter" and get_format("DECIMAL_SEPARATOR") == ","
    return ";" if is_comma_taken and option.accepts(";") else option.default
