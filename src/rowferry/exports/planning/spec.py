"""The request for a file, checked and frozen. Plain JSON both ways: the same call reads a client's body and a stored
row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError

from rowferry.exports.errors import InvalidRequest
from rowferry.exports.formats import FormatWriter, Option, format_writers
from rowferry.exports.resources import registry
from rowferry.exports.resources.resource import Resource

ORDERS = ("asc", "desc")
HEADERS = ("names", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSpec:
    """One file, fully said. `columns` keep the order of the request; `filters` and `options` are checked plain JSON."""

    resource: str
    format: str
    columns: tuple[str, ...]
    filters: Mapping[str, Any] = field(default_factory=dict)
    sort_by: str = ""
    sort_order: str = "asc"
    nested: bool = False
    headers: str = "names"
    time_zone: str = "UTC"
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON that `parse` takes back (with the resource beside it)."""
        return asdict(self) | {"columns": list(self.columns)}

    @classmethod
    def parse(cls, resource_name: str, body: Mapping[str, Any]) -> ExportSpec:
        """The spec that a body says; InvalidRequest names every wrong field at once. NotFound: no such resource."""
        resource = registry.resource(resource_name)
        errors_by_field: dict[str, list[str]] = {}
        values = {name: _read_field(errors_by_field, reader, resource, body) for name, reader in READERS.items()}
        errors_by_field |= _unknown_fields(body, values["format"])
        writer_class = format_writers().get(values["format"]) if values["format"] else None
        values["options"] = _read_field(errors_by_field, lambda _r, b: _options(writer_class, b), resource, body)
        if writer_class is not None and values["nested"] and not writer_class.can_nest:
            errors_by_field["nested"] = [
                f"{writer_class.name} has no nested values: leave it out, or choose a JSON format."
            ]
        if errors_by_field:
            raise InvalidRequest(_summary(errors_by_field), errors=errors_by_field)
        return cls(resource=resource_name, **values)

    @classmethod
    def from_stored(cls, spec: Mapping[str, Any]) -> ExportSpec:
        """The spec that a row keeps."""
        body = {name: value for name, value in spec.items() if name not in ("resource", "options")}
        return cls.parse(spec["resource"], body | {spec["format"]: spec["options"]})


def to_plain_json(payload: object) -> dict[str, Any]:
    """The payload as an object of plain JSON whose text is all Unicode. InvalidRequest if it is not."""
    if not isinstance(payload, Mapping):
        raise InvalidRequest('The body must be a JSON object such as {"format": "csv"}.')
    try:
        return json.loads(json.dumps(dict(payload), ensure_ascii=False, allow_nan=False).encode())  # type: ignore[no-any-return]
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest(
            "The body holds text that is no valid Unicode, a value that JSON does not know, or is nested too deep."
        ) from None


FieldReader = Callable[[Resource, Mapping[str, Any]], Any]


def _read_field(
    errors_by_field: dict[str, list[str]], reader: FieldReader, resource: Resource, body: Mapping[str, Any]
) -> Any:
    try:
        return reader(resource, body)
    except InvalidRequest as error:
        errors_by_field.update(error.errors)
    return None


def _unknown_fields(body: Mapping[str, Any], format_name: str | None) -> dict[str, list[str]]:
    errors_by_field = {}
    for name in sorted(set(body) - set(READERS)):
        if name not in format_writers():
            errors_by_field[name[:60]] = [
                f"There is no such field. There are: {', '.join(READERS)}, and the options of the format."
            ]
        elif format_name is not None and name != format_name:
            errors_by_field[name] = [f"These are options of {name}, but the format is {format_name}."]
    return errors_by_field


def _summary(errors_by_field: Mapping[str, list[str]]) -> str:
    first_field, messages = next(iter(errors_by_field.items()))
    suffix = f" (and {len(errors_by_field) - 1} more)" if len(errors_by_field) > 1 else ""
    return f"{first_field}: {messages[0]}{suffix}"


def _format(_resource: Resource, body: Mapping[str, Any]) -> str:
    valid = ", ".join(format_writers())
    if "format" not in body:
        raise InvalidRequest.field("format", f"This field is required: one of {valid}.")
    name = body["format"]
    if not isinstance(name, str) or name not in format_writers():
        raise InvalidRequest.field("format", f"Must be one of: {valid}.")
    missing = format_writers()[name].missing
    if missing:
        raise InvalidRequest.field("format", f"{name} is not installed here: {missing}.")
    return name


def _columns(resource: Resource, body: Mapping[str, Any]) -> tuple[str, ...]:
    names = body.get("columns")
    if names is None:
        return resource.defaults
    valid = ", ".join(resource.by_name)
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise InvalidRequest.field("columns", f"Must be a list of names. There are: {valid}.")
    if not names:
        raise InvalidRequest.field(
            "columns", f"The list is empty: leave it out for the default, or name some of: {valid}."
        )
    unknown = [name for name in names if name not in resource.by_name]
    if unknown:
        unknown_names = ", ".join(name[:60] for name in unknown[:10])
        raise InvalidRequest.field("columns", f"Unknown: {unknown_names}. There are: {valid}.")
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise InvalidRequest.field("columns", f"Named more than once: {', '.join(duplicates)}. There are: {valid}.")
    return tuple(names)


def _filters(resource: Resource, body: Mapping[str, Any]) -> dict[str, Any]:
    filters = body.get("filters")
    if filters is None:
        return {}
    if not isinstance(filters, Mapping):
        raise InvalidRequest.field("filters", "Must be an object of filter names and values.")
    valid = [name for rule in resource.filters for name in rule.names]
    errors_by_field = {
        f"filters.{name[:60]}": [f"There is no such filter. There are: {', '.join(valid) or 'none'}."]
        for name in filters
        if name not in valid
    }
    values: dict[str, Any] = {}
    for rule in resource.filters:
        if any(name in filters for name in rule.names):
            try:
                values |= rule.clean(resource.model, filters)
            except ValidationError as error:
                errors_by_field |= {f"filters.{name}": messages for name, messages in error.message_dict.items()}
    if errors_by_field:
        raise InvalidRequest("A filter is wrong.", errors=errors_by_field)
    return values


def _sort_by(resource: Resource, body: Mapping[str, Any]) -> str:
    """The column; "" = the key, also where the resource has a sort of its own."""
    name = body.get("sort_by")
    if name is None:
        return resource.sort_by
    if name == "":
        return ""
    valid = [column.name for column in resource.by_name.values() if column.sortable]
    if not isinstance(name, str) or name not in valid:
        raise InvalidRequest.field("sort_by", f"Must be one of: {', '.join(valid)}.")
    return name


def _one_of(name: str, valid: tuple[str, ...]) -> FieldReader:
    def read(_resource: Resource, body: Mapping[str, Any]) -> str:
        value = body.get(name)
        if value is None:
            return valid[0]
        if not isinstance(value, str) or value not in valid:
            raise InvalidRequest.field(name, f"Must be one of: {', '.join(valid)}.")
        return value

    return read


def _parse_nested(_resource: Resource, body: Mapping[str, Any]) -> bool:
    return bool(boolean(body, "nested", False))


def boolean(body: Mapping[str, Any], name: str, default: bool | None) -> bool | None:
    """A true-or-false field of a body; null counts as left out."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidRequest.field(name, "Must be true or false.")
    return value


def _time_zone(_resource: Resource, body: Mapping[str, Any]) -> str:
    name = body.get("time_zone")
    if name is None:
        return "UTC"
    if not isinstance(name, str) or name not in zones():
        raise InvalidRequest.field("time_zone", 'Must be the name of a time zone, such as "Europe/Berlin" or "UTC".')
    return name


@cache
def zones() -> frozenset[str]:
    """The time zones by name, those left out that only this machine would know."""
    return frozenset(name for name in available_timezones() if not name.startswith(("localtime", "Factory")))


def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


READERS: dict[str, FieldReader] = {
    "format": _format,
    "columns": _columns,
    "filters": _filters,
    "sort_by": _sort_by,
    "sort_order": _one_of("sort_order", ORDERS),
    "nested": _parse_nested,
    "headers": _one_of("headers", HEADERS),
    "time_zone": _time_zone,
}


def _options(writer_class: type[FormatWriter] | None, body: Mapping[str, Any]) -> dict[str, Any]:
    if writer_class is None:
        return {}
    chosen_options = body.get(writer_class.name)
    if chosen_options is not None and not isinstance(chosen_options, Mapping):
        raise InvalidRequest.field(writer_class.name, "Must be an object of options.")
    options_by_name = {option.name: option for option in writer_class.options}
    valid = ", ".join(options_by_name) or "none"
    errors_by_field = {
        f"{writer_class.name}.{name[:60]}": [f"There is no such option. There are: {valid}."]
        for name in chosen_options or {}
        if name not in options_by_name
    }
    values = {}
    for name, option in options_by_name.items():
        try:
            values[name] = _option(writer_class.name, option, (chosen_options or {}).get(name))
        except InvalidRequest as error:
            errors_by_field |= error.errors
    if errors_by_field:
        raise InvalidRequest("An option is wrong.", errors=errors_by_field)
    return values


def _expected(option: Option) -> str:
    if option.choices is not None:
        return f"one of: {', '.join(map(json.dumps, option.choices))}"
    return "true or false" if option.type == "boolean" else "text"


def _option(format_name: str, option: Option, value: bool | str | None) -> bool | str:
    if value is None:
        return option.default
    if not option.accepts(value):
        raise InvalidRequest.field(f"{format_name}.{option.name}", f"Must be {_expected(option)}.")
    missing = option.missing.get(str(value))
    if missing:
        raise InvalidRequest.field(f"{format_name}.{option.name}", f"{value} is not installed here: {missing}.")
    return value
