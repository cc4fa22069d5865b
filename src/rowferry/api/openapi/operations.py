"""The API's description of itself (OpenAPI 3.1): what each endpoint takes and answers, beside what serializers say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from rowferry.api.openapi.manifest_schema import MANIFEST
from rowferry.api.problems import CONTENT_TYPE
from rowferry.api.resource_serializers import ResourceSerializer, ResourcesSerializer
from rowferry.api.serializers import (
    DryRunSerializer,
    ExportSerializer,
    HistorySerializer,
    JSONFileSerializer,
    LogsSerializer,
    ProblemSerializer,
    QueuedSerializer,
)
from rowferry.exports import catalogue, records

Responses = dict[Any, Any]
ALWAYS = (400, 401, 500, 503)
BINARY = OpenApiTypes.BINARY
OPTION_TYPES = {"boolean": ("boolean",), "text": ("string",), "choice": ("boolean", "string")}


class SchemaView(SpectacularAPIView):
    """`/openapi.json`, for everybody."""

    http_method_names = ["get", "head"]
    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = [OpenApiJsonRenderer2]
    schema = None


class DocsView(SpectacularSwaggerView):
    """`/docs`, for everybody: the same as a page, its scripts from this server."""

    http_method_names = ["get", "head"]
    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "rowferry_api:openapi"
    schema = None


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a program says who it is."""

    target_class = "rowferry.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the page says it."""

    target_class = "rowferry.api.authentication.PageSessionAuthentication"
    name = "session"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def _problems(*statuses: int) -> Responses:
    return {(status, CONTENT_TYPE): ProblemSerializer for status in (*ALWAYS, *statuses)}


def _query(name: str, kind: Any = str, enum: Sequence[str] | None = None) -> OpenApiParameter:
    return OpenApiParameter(name, kind, enum=enum)


def _whole_number(name: str, most: int) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "integer", "minimum": 1, "maximum": most})


def _header(name: str, about: str, kind: Any = str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=about)


def _response_header(name: str, statuses: list[int], about: str, kind: Any = str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=about, response=statuses)


def _resource(name: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.PATH, enum=catalogue.names(None))


def _id() -> OpenApiParameter:
    return OpenApiParameter("export_id", OpenApiTypes.UUID, OpenApiParameter.PATH)


def _options(one: catalogue.FormatInfo) -> dict[str, Any]:
    options = {
        option.name: {
            "type": [*OPTION_TYPES[option.type], "null"],
            "description": option.label,
            **({"enum": [*option.choices, None]} if option.choices else {}),
        }
        for option in one.options
    }
    return {"type": ["object", "null"], "additionalProperties": False, "properties": options}


def _nullable(kind: str, description: str, **keywords: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], "description": description, **keywords}


def _order_body() -> dict[str, Any]:
    """The body of an order. Left out and null mean the same."""
    formats = catalogue.formats()
    names = {"type": "string"}
    properties: dict[str, Any] = {
        "format": {"type": "string", "enum": [one.name for one in formats]},
        "columns": _nullable("array", "Names, kept in order.", items=names, minItems=1, uniqueItems=True),
        "filters": _nullable("object", "Values by the names of the resource's filters; all have to hold."),
        "sort_by": _nullable("string", "A sortable column; by default the key."),
        "sort_order": _nullable("string", "Rows without a value come last either way.", enum=["asc", "desc", None]),
        "async": _nullable(
            "boolean", "true: queue it; false: answer in this request; left out: by the number of rows."
        ),
        "email_notification": _nullable("boolean", "By default for queued exports."),
        "dry_run": _nullable("boolean", "Only say what would be made."),
        "keep": _nullable("boolean", "false: forget the file once it is answered."),
        "nested": _nullable("boolean", "JSON formats: related values as objects."),
        "headers": _nullable("string", "What the header row holds.", enum=["names", "labels", None]),
        "time_zone": _nullable("string", 'Such as "Europe/Berlin"; by default UTC.'),
    }
    properties |= {one.name: _options(one) for one in formats}
    return {"type": "object", "required": ["format"], "additionalProperties": False, "properties": properties}


def _files(status: int) -> Responses:
    return {(status, kind.partition(";")[0]): BINARY for kind in catalogue.content_types()}


def _order_answers() -> Responses:
    in_json = [DryRunSerializer, JSONFileSerializer]
    return {
        **_files(200),
        (200, "application/json"): PolymorphicProxySerializer("FileOrDryRun", in_json, resource_type_field_name=None),
        202: QueuedSerializer,
        **_problems(403, 404, 409, 411, 413, 415, 422, 429),
    }


IN_FILES = (
    _response_header("Content-Disposition", [200], "The name of the file."),
    _response_header("ETag", [200], "SHA-256 of the file, where it is known before the first byte."),
    _response_header("Repr-Digest", [200], "The same (RFC 9530)."),
)
Decorator = Callable[[Any], Any]
ROW_SCHEMA = {"type": "object", "description": "A JSON Schema (2020-12) of one row.", "additionalProperties": True}
hidden: Decorator = extend_schema(exclude=True)
order: Decorator = extend_schema(
    operation_id="order_export",
    request={"application/json": _order_body()},
    parameters=[
        _resource("resource"),
        _header("Idempotency-Key", "The same key and body within 24 hours mean the same export."),
        _header("Prefer", "`respond-async` means `async: true`."),
        _response_header("Location", [200, 202], "The export."),
        _response_header("X-Export-Id", [200, 202], "The export's id."),
        _response_header("Retry-After", [202, 429, 503], "Seconds.", int),
        _response_header("RateLimit", [200, 202, 429], "What is left."),
        _response_header("RateLimit-Policy", [200, 202, 429], "How many a minute."),
        *IN_FILES,
    ],
    responses=_order_answers(),
)
history: Decorator = extend_schema(
    operation_id="list_exports",
    parameters=[
        _query("status", enum=records.STATUSES),
        _query("resource_type"),
        _query("format"),
        _query("date_from", OpenApiTypes.DATE),
        _query("date_to", OpenApiTypes.DATE),
        _whole_number("page", 10_000_000),
        _whole_number("limit", 100),
    ],
    responses={200: HistorySerializer, **_problems(422)},
)
show: Decorator = extend_schema(
    operation_id="show_export", parameters=[_id()], responses={200: ExportSerializer, **_problems(404)}
)
delete: Decorator = extend_schema(
    operation_id="delete_export", parameters=[_id()], responses={204: None, **_problems(403, 404, 409)}
)
download: Decorator = extend_schema(
    operation_id="download_export",
    parameters=[
        _id(),
        _header("Range", "One range of bytes."),
        _header("If-Range", "The ETag or date that the range is meant for."),
        _header("If-None-Match", "The ETag of the file that is there already."),
        _response_header("Accept-Ranges", [200, 206], "`bytes`"),
        _response_header("Content-Range", [206, 416], "Which bytes of how many."),
        *IN_FILES,
    ],
    responses={
        **_files(200),
        (200, "application/json"): JSONFileSerializer,
        **_files(206),
        304: None,
        **_problems(403, 404, 409, 410, 412, 416),
    },
)
logs: Decorator = extend_schema(
    operation_id="list_events",
    parameters=[
        _id(),
        _query("event", enum=records.EVENTS),
        _whole_number("page", 10_000_000),
        _whole_number("limit", 500),
    ],
    responses={200: LogsSerializer, **_problems(404, 422)},
)
manifest: Decorator = extend_schema(
    operation_id="show_manifest", parameters=[_id()], responses={200: MANIFEST, **_problems(404, 409)}
)
retry: Decorator = extend_schema(
    operation_id="retry_export",
    parameters=[
        _id(),
        _response_header("Location", [202], "The new export."),
        _response_header("Retry-After", [202, 429], "Seconds.", int),
    ],
    request=None,
    responses={202: QueuedSerializer, **_problems(403, 404, 409, 422, 429)},
)
cancel: Decorator = extend_schema(
    operation_id="cancel_export",
    parameters=[_id()],
    request=None,
    responses={202: ExportSerializer, **_problems(403, 404, 409)},
)
resources: Decorator = extend_schema(operation_id="list_resources", responses={200: ResourcesSerializer, **_problems()})
resource: Decorator = extend_schema(
    operation_id="show_resource",
    parameters=[_resource("name")],
    responses={200: ResourceSerializer, **_problems(403, 404)},
)
row_schema: Decorator = extend_schema(
    operation_id="show_row_schema",
    parameters=[_resource("name")],
    responses={(200, "application/schema+json"): ROW_SCHEMA, **_problems(403, 404)},
)
