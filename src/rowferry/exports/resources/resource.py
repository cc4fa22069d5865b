"""What a project declares to make a model exportable: one short class.

@register
class UserResource(Resource):
    model = User
    name = "users"
    columns = (Column("id"), Column("username"), Column("email", default=False))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_noop as _

from rowferry.exports.resources.actor import Person
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import Filter, Matches
from rowferry.exports.resources.registry import register

__all__ = ["Actor", "Column", "Person", "Resource", "register"]

Actor = Person
"""The former name of `Person`, which declarations may still import."""

KEYS = Matches("ids", "pk", _("Ids"), title="")
"""The filter that every resource has: exactly these rows, as they were ticked in a list."""


class Resource:
    """Something that can be exported. Only `model`, `name` and `columns` are required."""

    model: ClassVar[type[models.Model]]
    name: ClassVar[str]
    label: ClassVar[str] = ""
    columns: ClassVar[Sequence[Column]]
    filters: ClassVar[Sequence[Filter]] = ()
    permission: ClassVar[str] = ""
    """Django permission to export; by default `<app>.export_<model>`, created by `migrate`."""
    sort_by: ClassVar[str] = ""
    """Column that rows are sorted by when the request does not say; by default the key."""

    def __init__(self) -> None:
        if not self.label:
            type(self).label = str(self.model._meta.verbose_name_plural).capitalize()
        if not self.permission:
            type(self).permission = f"{self.model._meta.app_label}.export_{self.model._meta.model_name}"
        if not any("ids" in rule.names for rule in self.filters):
            type(self).filters = (*self.filters, KEYS)
        self.by_name = {column.name: column.resolve(self.model) for column in self.columns}
        self._check()

    def rows_for(self, person: Person) -> models.QuerySet[Any]:
        """The rows that this person may see (None = the operator: all); override to narrow. Holds in count, preview,
        worker and page."""
        return self.model._default_manager.all()

    @property
    def defaults(self) -> tuple[str, ...]:
        """The columns of an export that names none."""
        return tuple(column.name for column in self.by_name.values() if column.default)

    def _check(self) -> None:
        duplicates = [name for name, count in Counter(column.name for column in self.columns).items() if count > 1]
        if duplicates:
            raise ValueError(f"{type(self).__name__} declares {', '.join(duplicates)} more than once.")
        if not self.defaults:
            raise ValueError(f"{type(self).__name__} has no default column: leave default=True on one at least.")
        if self.sort_by and not (self.sort_by in self.by_name and self.by_name[self.sort_by].sortable):
            raise ValueError(f"{type(self).__name__}.sort_by is {self.sort_by!r}, which is no sortable column.")
        if self.sort_by and self.by_name[self.sort_by].permission:
            raise ValueError(f"{type(self).__name__}.sort_by is {self.sort_by!r}, by which not everybody may sort.")
        for rule in self.filters:
            rule.check(self.model)
