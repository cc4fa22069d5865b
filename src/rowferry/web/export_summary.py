"""What an export was asked for, in words: whoever reads it knows its filters by their titles, not by ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from rowferry.exports import catalogue
from rowferry.exports.errors import RowferryError

if TYPE_CHECKING:
    from rowferry.exports.models import Export
    from rowferry.exports.resources.parameter import Parameter

MAX_NAMED_VALUES = 20
"""Values of one filter that are named; of more, only how many there are is said."""


@dataclass(frozen=True)
class ExportSummary:
    """The wish in words; `filters` as (label, what was chosen)."""

    what: str
    format: str
    filters: list[tuple[str, str]]
    sort: str


def summarize(export: Export, person: User) -> ExportSummary:
    """In this person's language. Who may no longer export this resource gets names and ids instead of titles."""
    try:
        resource_info = catalogue.resource(export.resource, person)
    except RowferryError:
        parameters, labels = {}, {}
    else:
        parameters = {p.name: p for p in resource_info.filters}
        labels = {c.name: c.label for c in resource_info.columns}
    formats = {f.name: f.label for f in catalogue.formats()}
    spec = export.spec
    sort_by = spec["sort_by"]
    directions = {"asc": _("Ascending"), "desc": _("Descending")}
    return ExportSummary(
        what=_(capfirst(export.resource)),
        format=_(formats.get(export.format, export.format)),
        filters=list(_filters(export, parameters, person)),
        sort=f"{_(labels.get(sort_by, sort_by)) if sort_by else _('(key)')}, {directions[spec['sort_order']].lower()}",
    )


def _filters(export: Export, parameters: dict[str, Parameter], person: User) -> Iterator[tuple[str, str]]:
    for name, value in export.spec["filters"].items():
        values = value if isinstance(value, list) else [value]
        parameter = parameters.get(name)
        label = _(parameter.label) if parameter else name
        if len(values) > MAX_NAMED_VALUES:
            yield label, _("%(count)s values") % {"count": len(values)}
        else:
            yield label, ", ".join(_titles(export.resource, parameter, values, person))


def _titles(resource: str, parameter: Parameter | None, values: list[Any], person: User) -> Iterator[str]:
    titles: dict[str, str] = {}
    if parameter and parameter.multiple and parameter.choices is not None:
        filter_choices = catalogue.choices(
            resource, person, parameter.name, chosen=[str(v) for v in values if v is not None]
        )
        titles = {str(key): _(label) for key, label in filter_choices.chosen}
    elif parameter and parameter.choices:
        titles = {str(key): _(label) for key, label in parameter.choices}
    for value in values:
        yield _constant_label(value) or titles.get(str(value), str(value))


def _constant_label(value: Any) -> str:
    if value is None:
        return _("(none)")
    return (_("Yes") if value else _("No")) if isinstance(value, bool) else ""
