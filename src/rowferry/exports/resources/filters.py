"""What a project declares about one filter. The same declaration checks the value, builds the form and narrows the
query.

Values are plain JSON. A number or a truth may come as text (`"2"`, `"true"`), because forms and shells have nothing
else. Only JSON's `null` is no value: the text `"null"` is a text like any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.resources.filter_values import boolean, day, integer, midnight, midnight_after, text
from rowferry.exports.resources.parameter import MOST_CHOICES, YES_NO, Parameter, label_of
from rowferry.exports.resources.paths import can_be_null, field_at, is_converted, kind_of

MOST_VALUES = 5_000
"""Values of one list; more would be a sign that a file of ids was meant."""
INT64 = 2**63


class Filter(ABC):
    """A named, typed condition. It owns one or more keys of the request's `filters`."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The keys that are this filter's."""

    @abstractmethod
    def parameters(self, model: type[models.Model]) -> Iterator[Parameter]:
        """What forms and documents need to know; may ask the database for choices."""

    @abstractmethod
    def clean(self, model: type[models.Model], raw: Mapping[str, Any]) -> dict[str, Any]:
        """The checked values, plain JSON again; ValidationError({key: message}) says what would be right."""

    @abstractmethod
    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        """The condition for checked values, of which there is at least one."""

    def check(self, model: type[models.Model]) -> None:
        """ValueError if the declaration does not fit the model."""

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        """The paths that the condition looks at: who may not have one as a column may not filter by it."""
        return self.names

    def without_hidden_paths(self, is_visible: Callable[[str], bool]) -> Filter | None:
        """This filter without what it would tell of paths that are not to be looked at; None = nothing is left."""
        return self if all(map(is_visible, self.reads({}))) else None


@dataclass(frozen=True, slots=True)
class Matches(Filter):
    """Equals one value or any of a list; `null` selects rows without a value. For keys and other exact fields.

    `title` is the field of the related model that people read; "" = its rows are not listed. `tree` = (switch, path):
    the boolean key `switch` also takes in what lies below, where the field at `path` holds all ancestors' ids and the
    own one as `/1/5/9/`. `tree_label` is what people read for the switch.
    """

    name: str
    path: str = ""
    label: str = ""
    title: str = "name"
    tree: tuple[str, str] | None = None
    tree_label: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, self.tree[0]) if self.tree else (self.name,)

    def field(self, model: type[models.Model]) -> models.Field[Any, Any]:
        return field_at(model, self.path or self.name)

    def check(self, model: type[models.Model]) -> None:
        self.field(model)

    def parameters(self, model: type[models.Model]) -> Iterator[Parameter]:
        field = self.field(model)
        label = self.label or label_of(self.name.removesuffix("_id"))
        kind = "id" if field.related_model or field.primary_key else "choice" if field.choices else "text"
        yield Parameter(self.name, label, kind, True, can_be_null(model, self.path or self.name), self._choices(field))
        if self.tree:
            yield Parameter(
                self.tree[0], self.tree_label or label_of(self.tree[0]), "boolean", choices=YES_NO, widens=self.name
            )

    def _choices(self, field: models.Field[Any, Any]) -> tuple[tuple[Any, str], ...] | None:
        related: Any = field.related_model
        if related and self.title:
            rows = related._default_manager.order_by(self.title, "pk").values_list("pk", self.title)
            return tuple((key, str(title)) for key, title in rows[:MOST_CHOICES])
        return tuple(islice(field.flatchoices, MOST_CHOICES)) if field.choices else None

    def clean(self, model: type[models.Model], raw: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if self.name in raw:
            values[self.name] = self._clean_values(self.field(model), raw[self.name])
        if self.tree and self.tree[0] in raw:
            if self.name not in raw:
                raise ValidationError({self.tree[0]: [f"Give {self.name} as well."]})
            values[self.tree[0]] = boolean(self.tree[0], raw[self.tree[0]])
        return values

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        return (self.path or self.name,)

    def without_hidden_paths(self, is_visible: Callable[[str], bool]) -> Filter | None:
        path = self.path or self.name
        if not is_visible(path):
            return None
        return self if is_visible(f"{path}__{self.title}") else replace(self, title="")

    def _clean_values(self, field: models.Field[Any, Any], raw: Any) -> Any:
        if not isinstance(raw, list):
            return self._clean_one(field, raw)
        if not raw:
            raise ValidationError({self.name: ["The list is empty: give a value, or leave the filter out."]})
        if len(raw) > MOST_VALUES:
            raise ValidationError({self.name: [f"At most {MOST_VALUES:,} values; there are {len(raw):,}."]})
        return [self._clean_one(field, value) for value in raw]

    def _clean_one(self, field: models.Field[Any, Any], raw: Any) -> Any:
        if raw is None:
            return None
        target = field.target_field if isinstance(field, models.ForeignKey) else field
        if kind_of(target) is ValueType.INTEGER:
            return integer(self.name, raw)
        raw_text = text(self.name, raw, "a text value")
        try:
            value = target.to_python(raw_text)
        except ValidationError as error:
            raise ValidationError({self.name: error.messages}) from None
        if target.choices and value not in dict(target.flatchoices):
            valid = ", ".join(str(key) for key, _ in target.flatchoices)
            raise ValidationError({self.name: [f"{raw_text!r} is none of: {valid}."]})
        return str(value)

    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        path = self.path or self.name
        selected = values[self.name]
        selected_values = selected if isinstance(selected, list) else [selected]
        keys = [key for key in selected_values if key is not None and not (isinstance(key, int) and abs(key) >= INT64)]
        if self.tree and values.get(self.tree[0]):
            in_subtree = Q(pk__in=[])
            for key in keys:
                in_subtree |= Q(**{f"{self.tree[1]}__contains": f"/{key}/"})
            condition = in_subtree
        else:
            condition = Q(**{f"{path}__in": keys})
        return condition | Q(**{f"{path}__isnull": True}) if None in selected_values else condition


@dataclass(frozen=True, slots=True)
class Flag(Filter):
    """True or false."""

    name: str
    label: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def check(self, model: type[models.Model]) -> None:
        field_at(model, self.name)

    def parameters(self, model: type[models.Model]) -> Iterator[Parameter]:
        yield Parameter(self.name, self.label or label_of(self.name), "boolean", choices=YES_NO)

    def clean(self, model: type[models.Model], raw: Mapping[str, Any]) -> dict[str, Any]:
        return {self.name: boolean(self.name, raw[self.name])}

    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        return Q(**{f"{self.name}__is_true": values[self.name]})


@dataclass(frozen=True, slots=True)
class DateRange(Filter):
    """`date_from` and `date_to`, both inclusive calendar days in the request's time zone, on `date_column`."""

    columns: Sequence[str]
    """The date and date-time fields to choose from; the first is the default."""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What people read for a field, where that is not its name."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("date_from", "date_to", "date_column")

    def check(self, model: type[models.Model]) -> None:
        for column in self.columns:
            if kind_of(field_at(model, column)) not in (ValueType.DATE, ValueType.INSTANT):
                raise ValueError(f"{model.__name__}.{column} is no date: DateRange cannot use it.")

    def parameters(self, model: type[models.Model]) -> Iterator[Parameter]:
        yield Parameter("date_from", _("From"), "date")
        yield Parameter("date_to", _("To"), "date")
        choices = tuple((name, self.labels.get(name) or label_of(name)) for name in self.columns)
        yield Parameter("date_column", _("Date"), "choice", choices=choices)

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        return (values.get("date_column", self.columns[0]),)

    def without_hidden_paths(self, is_visible: Callable[[str], bool]) -> Filter | None:
        visible_columns = tuple(filter(is_visible, self.columns))
        return replace(self, columns=visible_columns) if visible_columns else None

    def clean(self, model: type[models.Model], raw: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: day(name, raw[name]).isoformat() for name in ("date_from", "date_to") if name in raw}
        if values.get("date_from", "") > values.get("date_to", "9999-12-31"):
            raise ValidationError({"date_to": ["date_to is before date_from: no day would be left."]})
        if "date_column" in raw:
            if raw["date_column"] not in self.columns:
                raise ValidationError({"date_column": [f"Must be one of: {', '.join(self.columns)}."]})
            values["date_column"] = raw["date_column"]
        return values

    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        (column,) = self.reads(values)
        is_day = kind_of(field_at(model, column)) is ValueType.DATE
        condition = Q()
        if "date_from" in values:
            first = date.fromisoformat(values["date_from"])
            condition &= Q(**{f"{column}__gte": first if is_day else midnight(first, zone)})
        if "date_to" in values:
            last = date.fromisoformat(values["date_to"])
            condition &= Q(**{f"{column}__lte": last}) if is_day else _before(column, last, zone)
        return condition


@dataclass(frozen=True, slots=True)
class Search(Filter):
    """A piece of text that any of these fields contains, in upper or lower case."""

    paths: Sequence[str]
    name: str = "search"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def check(self, model: type[models.Model]) -> None:
        for path in self.paths:
            if is_converted(field_at(model, path)):
                raise ValueError(
                    f"{model.__name__}.{path} is stored as something else than it shows: no search can look at it."
                )

    def parameters(self, model: type[models.Model]) -> Iterator[Parameter]:
        yield Parameter(self.name, label_of(self.name), "text")

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        return self.paths

    def clean(self, model: type[models.Model], raw: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(raw[self.name], str):
            raise ValidationError({self.name: ["Must be text."]})
        return {self.name: text(self.name, raw[self.name], "text")}

    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        condition = Q()
        for path in self.paths:
            condition |= Q(**{f"{path}__contains_any_case": values[self.name]})
        return condition


def _before(column: str, last: date, zone: ZoneInfo) -> Q:
    end = midnight_after(last, zone)
    return Q() if end is None else Q(**{f"{column}__lt": end})
