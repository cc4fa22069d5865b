"""What a project declares about one filter. The same declaration checks the value, builds the form and narrows the
query.

Values are plain JSON. Text is taken for what it says (`"2"`, `"null"`, `"true"`), because forms and shells have
nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.resources.columns import field_at, kind_of
from rowferry.exports.resources.filter_values import boolean, day, integer, midnight, text

MOST_VALUES = 5_000
"""Values of one list; more would be a sign that a file of ids was meant."""
MOST_CHOICES = 200
INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of `filters`. `type` is id, text, boolean, date or choice; `multiple` = a list is welcome."""

    name: str
    label: str
    type: str
    multiple: bool = False
    nullable: bool = False
    choices: tuple[tuple[Any, str], ...] | None = None
    """(value, label) pairs; None = anything of the type. At most MOST_CHOICES are listed."""
    widens: str | None = None  # the key whose condition this switch widens, and without which it says nothing

    @property
    def more(self) -> bool:
        """Whether there may be choices beyond those that are listed."""
        return self.choices is not None and len(self.choices) >= MOST_CHOICES


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
    def clean(self, model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
        """The checked values, plain JSON again; ValidationError({key: message}) says what would be right."""

    @abstractmethod
    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        """The condition for checked values, of which there is at least one."""

    def check(self, model: type[models.Model]) -> None:
        """ValueError if the declaration does not fit the model."""

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        """The paths that the condition looks at: who may not have one as a column may not filter by it."""
        return self.names

    def without_hidden_paths(self, may_look: Callable[[str], bool]) -> Filter | None:
        """This filter without what it would tell of paths that are not to be looked at; None = nothing is left."""
        return self if all(map(may_look, self.reads({}))) else None


@dataclass(frozen=True, slots=True)
class Matches(Filter):
    """Equals one value or any of a list; `null` selects rows without a value. For keys and other exact fields.

    `title` is the field of the related model that people read; "" = its rows are not listed. `tree` = (switch, path):
    the boolean key `switch` also takes in what lies below, where the field at `path` holds all ancestors' ids and the
    own one as `/1/5/9/`.
    """

    name: str
    path: str = ""
    label: str = ""
    title: str = "name"
    tree: tuple[str, str] | None = None

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
        yield Parameter(self.name, label, kind, True, bool(field.null), self._choices(field))
        if self.tree:
            yield Parameter(self.tree[0], label_of(self.tree[0]), "boolean", choices=YES_NO, widens=self.name)

    def _choices(self, field: models.Field[Any, Any]) -> tuple[tuple[Any, str], ...] | None:
        related: Any = field.related_model
        if related and self.title:
            rows = related._default_manager.order_by(self.title, "pk").values_list("pk", self.title)
            return tuple((key, str(title)) for key, title in rows[:MOST_CHOICES])
        return tuple(islice(field.flatchoices, MOST_CHOICES)) if field.choices else None

    def clean(self, model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if self.name in given:
            values[self.name] = self._clean_values(self.field(model), given[self.name])
        if self.tree and self.tree[0] in given:
            if self.name not in given:
                raise ValidationError({self.tree[0]: [f"Give {self.name} as well."]})
            values[self.tree[0]] = boolean(self.tree[0], given[self.tree[0]])
        return values

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        return (self.path or self.name,)

    def without_hidden_paths(self, may_look: Callable[[str], bool]) -> Filter | None:
        path = self.path or self.name
        if not may_look(path):
            return None
        return self if may_look(f"{path}__{self.title}") else replace(self, title="")

    def _clean_values(self, field: models.Field[Any, Any], raw: Any) -> Any:
        if not isinstance(raw, list):
            return self._clean_one(field, raw)
        if not raw:
            raise ValidationError({self.name: ["The list is empty: give a value, or leave the filter out."]})
        if len(raw) > MOST_VALUES:
            raise ValidationError({self.name: [f"At most {MOST_VALUES:,} values; there are {len(raw):,}."]})
        return [self._clean_one(field, value) for value in raw]

    def _clean_one(self, field: models.Field[Any, Any], raw: Any) -> Any:
        if raw is None or raw == "null":
            return None
        target = field.target_field if isinstance(field, models.ForeignKey) else field
        if kind_of(target) is ValueType.INTEGER:
            return integer(self.name, raw)
        written = text(self.name, raw, "a text value")
        try:
            value = target.to_python(written)
        except ValidationError as error:
            raise ValidationError({self.name: error.messages}) from None
        if target.choices and value not in dict(target.flatchoices):
            valid = ", ".join(str(key) for key, _ in target.flatchoices)
            raise ValidationError({self.name: [f"{written!r} is none of: {valid}."]})
        return str(value)

    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        path = self.path or self.name
        given = values[self.name]
        wanted = given if isinstance(given, list) else [given]
        keys = [key for key in wanted if key is not None and not (isinstance(key, int) and abs(key) >= INT64)]
        if self.tree and values.get(self.tree[0]):
            below = Q(pk__in=[])
            for key in keys:
                below |= Q(**{f"{self.tree[1]}__contains": f"/{key}/"})
            condition = below
        else:
            condition = Q(**{f"{path}__in": keys})
        return condition | Q(**{f"{path}__isnull": True}) if None in wanted else condition


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

    def clean(self, model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
        return {self.name: boolean(self.name, given[self.name])}

    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        return Q(**{f"{self.name}__in": [values[self.name]]})  # plain truth of a column would pass by its index


@dataclass(frozen=True, slots=True)
class DateRange(Filter):
    """`date_from` and `date_to`, both inclusive calendar days in the request's time zone, on `date_column`."""

    columns: Sequence[str]
    """The date and date-time fields to choose from; the first is the default."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("date_from", "date_to", "date_column")

    def check(self, model: type[models.Model]) -> None:
        for column in self.columns:
            if kind_of(field_at(model, column)) not in (ValueType.DATE, ValueType.INSTANT):
                raise ValueError(f"{model.__name__}.{column} is no date: DateRange cannot use it.")

    def parameters(self, model: type[models.Model]) -> Iterator[Parameter]:
        yield Parameter("date_from", "From", "date")
        yield Parameter("date_to", "To", "date")
        yield Parameter("date_column", "Date", "choice", choices=tuple((name, label_of(name)) for name in self.columns))

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        return (values.get("date_column", self.columns[0]),)

    def without_hidden_paths(self, may_look: Callable[[str], bool]) -> Filter | None:
        left = tuple(filter(may_look, self.columns))
        return replace(self, columns=left) if left else None

    def clean(self, model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: day(name, given[name]).isoformat() for name in ("date_from", "date_to") if name in given}
        if values.get("date_from", "") > values.get("date_to", "9999-12-31"):
            raise ValidationError({"date_to": ["date_to is before date_from: no day would be left."]})
        if "date_column" in given:
            if given["date_column"] not in self.columns:
                raise ValidationError({"date_column": [f"Must be one of: {', '.join(self.columns)}."]})
            values["date_column"] = given["date_column"]
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
            field_at(model, path)

    def parameters(self, model: type[models.Model]) -> Iterator[Parameter]:
        yield Parameter(self.name, label_of(self.name), "text")

    def reads(self, values: Mapping[str, Any]) -> Sequence[str]:
        return self.paths

    def clean(self, model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(given[self.name], str):
            raise ValidationError({self.name: ["Must be text."]})
        return {self.name: text(self.name, given[self.name], "text")}

    def bind(self, model: type[models.Model], values: Mapping[str, Any], zone: ZoneInfo) -> Q:
        found = Q()
        for path in self.paths:
            found |= Q(**{f"{path}__icontains": values[self.name]})
        return found


YES_NO = ((True, "Yes"), (False, "No"))


def label_of(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _before(column: str, last: date, zone: ZoneInfo) -> Q:
    if last == date.max:
        return Q()
    return Q(**{f"{column}__lt": midnight(last + timedelta(days=1), zone)})
