"""The endpoints. Each asks one front door of the engine and puts the answer into HTTP; errors go on to `problems`."""

from __future__ import annotations

from functools import partial, singledispatch
from typing import TYPE_CHECKING, Any

from django.http.response import HttpResponseBase, HttpResponseRedirect
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rowferry.api import files, parsers, rate_limit_headers
from rowferry.api.authentication import require_user
from rowferry.api.files import with_headers
from rowferry.api.openapi import operations
from rowferry.api.resource_serializers import ResourceSerializer, ResourcesSerializer
from rowferry.api.serializers import (
    DryRunSerializer,
    ExportSerializer,
    HistorySerializer,
    LogsSerializer,
    Plain,
    QueuedSerializer,
    absolute_url,
)
from rowferry.exports import catalogue, records, submission, tracking
from rowferry.exports.submission import DryRun, Queued, Ready, Streamed

if TYPE_CHECKING:
    from rowferry.exports.models import Export

ASYNC = "respond-async"
SOONEST, LATEST = 1, 30
"""Seconds between two looks at an export that waits, at least and at most."""


class Endpoint(APIView):
    """What all endpoints have in common: answers are for the one who asked, and no cache keeps them."""

    http_method_names = ["get", "head", "post", "delete"]

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Cache-Control": "private, no-store"}


def json_response(request: Request, serializer: type[Plain], value: object, **options: Any) -> Response:
    """A value as JSON."""
    return Response(serializer(value, context={"request": request}).data, **options)


class OrderView(Endpoint):
    """`/{resource}/export`."""

    @operations.order
    def post(self, request: Request, resource: str) -> HttpResponseBase:
        """Order a file. Answered with the file, with its bytes as they come, or with where it will be."""
        key = request.headers.get("Idempotency-Key")
        prefers_async = _prefers_async(request.headers.get("Prefer", ""))
        answer = submission.submit(
            resource, parsers.body(request), require_user(request), key=key, prefer_async=prefers_async
        )
        response = to_response(answer, request)
        preference_headers = {"Preference-Applied": ASYNC} if prefers_async and isinstance(answer, Queued) else {}
        return with_headers(response, rate_limit_headers.remaining_headers(answer.allowance) | preference_headers)


def _prefers_async(prefer: str) -> bool:
    """Whether a Prefer header (RFC 7240) asks for an answer at once and the work later."""
    return any(preference.partition(";")[0].strip().lower() == ASYNC for preference in prefer.split(","))


@singledispatch
def to_response(answer: object, _request: Request) -> HttpResponseBase:
    """An answer of the engine as HTTP."""
    raise TypeError(f"{type(answer).__name__} is no answer of the engine.")


@to_response.register
def _(answer: DryRun, request: Request) -> HttpResponseBase:
    return json_response(request, DryRunSerializer, answer.preview)


@to_response.register
def _(answer: Queued, request: Request) -> HttpResponseBase:
    wait = str(min(max(answer.wait, SOONEST), LATEST))
    response = json_response(request, QueuedSerializer, answer, status=status.HTTP_202_ACCEPTED)
    return with_headers(response, _location_headers(answer, request) | {"Retry-After": wait})


@to_response.register
def _(answer: Ready, request: Request) -> HttpResponseBase:
    return with_headers(files.whole_file_response(answer.file), _location_headers(answer, request))


@to_response.register
def _(answer: Streamed, request: Request) -> HttpResponseBase:
    response = files.stream_response(answer.chunks, answer.filename, answer.content_type)
    return with_headers(response, _location_headers(answer, request))


def _location_headers(answer: Queued | Ready | Streamed, request: Request) -> dict[str, str]:
    return {"X-Export-Id": str(answer.export.pk), "Location": absolute_url(request, "export", answer.export.pk)}


class HistoryView(Endpoint):
    """`/exports`."""

    @operations.history
    def get(self, request: Request) -> Response:
        """The caller's own exports, newest first."""
        page = tracking.history(require_user(request), parsers.query(request.query_params))
        return json_response(request, HistorySerializer, page)


class ExportView(Endpoint):
    """`/exports/{export_id}`."""

    @operations.show
    def get(self, request: Request, export_id: str) -> Response:
        """One export: how far it is, what became of it."""
        return json_response(request, ExportSerializer, tracking.find(require_user(request), export_id))

    @operations.delete
    def delete(self, request: Request, export_id: str) -> Response:
        """Delete the file of an export. The log stays."""
        tracking.delete(require_user(request), export_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DownloadView(Endpoint):
    """`/exports/{export_id}/download`."""

    @operations.download
    def get(self, request: Request, export_id: str) -> HttpResponseBase:
        """The file, or the part of it that a Range header names."""
        if storage_link := tracking.link(require_user(request), export_id):
            return _redirect_to_storage(request, *storage_link)
        export, file = tracking.open_file(require_user(request), export_id)
        response = files.file_response(request, file)
        if response.status_code in (status.HTTP_200_OK, status.HTTP_206_PARTIAL_CONTENT):
            tracking.note_download(
                require_user(request),
                export,
                _download_message(request, response.get("Content-Range", "the whole file")),
            )
        return with_headers(response, {"X-Export-Id": str(export.pk)})

    @operations.hidden
    def head(self, request: Request, export_id: str) -> HttpResponseBase:
        """What a download would say, without the file; not counted."""
        export, file = tracking.open_file(require_user(request), export_id)
        return with_headers(files.file_response(request, file), {"X-Export-Id": str(export.pk)})


def _redirect_to_storage(request: Request, export: Export, url: str) -> HttpResponseBase:
    tracking.note_download(require_user(request), export, _download_message(request, "a link to the storage"))
    return with_headers(HttpResponseRedirect(url), {"X-Export-Id": str(export.pk)})


def _download_message(request: Request, sent_part: str) -> str:
    """What was sent, and where to: for the log."""
    return f"Downloaded ({sent_part}) to {request.META.get('REMOTE_ADDR') or 'an unknown address'}."


class LogsView(Endpoint):
    """`/exports/{export_id}/logs`."""

    @operations.logs
    def get(self, request: Request, export_id: str) -> Response:
        """What has happened to an export, oldest first."""
        page = tracking.log(require_user(request), export_id, parsers.query(request.query_params))
        return json_response(request, LogsSerializer, page)


class ManifestView(Endpoint):
    """`/exports/{export_id}/manifest`."""

    @operations.manifest
    def get(self, request: Request, export_id: str) -> Response:
        """What was asked, expected and written."""
        return Response(tracking.manifest(require_user(request), export_id))


class RetryView(Endpoint):
    """`/exports/{export_id}/retry`."""

    @operations.retry
    def post(self, request: Request, export_id: str) -> HttpResponseBase:
        """Order the file of a failed or cancelled export again, as a new export."""
        answer = submission.queued_answer(tracking.retry(require_user(request), export_id), require_user(request))
        return with_headers(to_response(answer, request), rate_limit_headers.remaining_headers(answer.allowance))


class CancelView(Endpoint):
    """`/exports/{export_id}/cancel`."""

    @operations.cancel
    def post(self, request: Request, export_id: str) -> Response:
        """Ask for the end of an export that waits or runs; a worker stops at its next batch."""
        export = tracking.cancel(require_user(request), export_id)
        return json_response(request, ExportSerializer, export, status=status.HTTP_202_ACCEPTED)


class ResourcesView(Endpoint):
    """`/resources`."""

    @operations.resources
    def get(self, request: Request) -> Response:
        """All that the caller may export."""
        return json_response(request, ResourcesSerializer, {"data": catalogue.resources(require_user(request))})


class ResourceView(Endpoint):
    """`/resources/{name}`."""

    @operations.resource
    def get(self, request: Request, name: str) -> Response:
        """What an export of one resource can hold: columns, filters with their choices, formats."""
        return json_response(request, ResourceSerializer, catalogue.resource(name, require_user(request)))


class RowSchemaView(Endpoint):
    """`/resources/{name}/schema.json`."""

    @operations.row_schema
    def get(self, request: Request, name: str) -> Response:
        """The JSON Schema of one row of the resource's JSON file, as the caller may have it."""
        schema = records.row_schema(catalogue.resource(name, require_user(request)), partial(absolute_url, request))
        return Response(schema, content_type="application/schema+json")


class NotFoundView(APIView):
    """Every other address of the API: a problem, like every error."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is nothing at this address.")
