"""The pages. Each asks one front door and shows what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from rowferry.exports import catalogue, submission, tracking
from rowferry.exports.errors import Conflict, NotFound, NotPermitted, RowferryError, TryLater
from rowferry.exports.submission import Answer, DryRun, Queued, Ready
from rowferry.web.forms import ExportForm
from rowferry.web.policy import PersonRequest, personal, status_of, with_retry_after

if TYPE_CHECKING:
    from rowferry.exports.download import Download
    from rowferry.exports.models import Export
    from rowferry.exports.preview import Preview

LOG_LINES = "100"
WILL = {
    "immediate": "will be answered at once",
    "streamed": "will be sent while it is read",
    "queued": "will be queued",
}


@require_safe
@personal
def index(request: PersonRequest) -> HttpResponse:
    """My exports, newest first, and what can be exported."""
    page = tracking.history(request.user, _page_of(request.GET))
    context = {
        "page": page,
        "resources": catalogue.names(request.user),
        "active": sum(export.status in ("pending", "processing") for export in page.items),
        "contact": settings.CONTACT_EMAIL,
    }
    return render(request, "web/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@personal
def new(request: PersonRequest, resource: str) -> HttpResponseBase:
    """The form of a resource; posted, it is answered with the file, the queue, or a preview below the form."""
    described = catalogue.resource(resource, request.user)
    if request.method != "POST":
        return _form_page(request, ExportForm(described))
    form = ExportForm(described, request.POST)
    try:
        answer = submission.submit(resource, form.payload(dry_run="preview" in request.POST), request.user)
    except NotFound:
        raise
    except RowferryError as error:
        form.show(error)
        return with_retry_after(_form_page(request, form, status=status_of(error)), error)
    return _form_page(request, form, answer.preview) if isinstance(answer, DryRun) else _delivered(request, answer)


@require_safe
@personal
def detail(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """One export: all that is known of it, and its log."""
    log = tracking.log(request.user, export_id, _page_of(request.GET) | {"limit": LOG_LINES})
    export = tracking.find(request.user, export_id)
    context = {"export": export, "manifest": export.manifest, "page": log, "contact": settings.CONTACT_EMAIL}
    return render(request, "web/export.html", context)


@require_GET
@personal
def download(request: PersonRequest, export_id: UUID) -> HttpResponseBase:
    """The whole file, counted and logged."""
    export, file = tracking.open_file(request.user, export_id)
    tracking.note_download(request.user, export, "Downloaded from the page.")
    return _whole(export, file)


@require_POST
@personal
def retry(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """A new export like one that failed or was cancelled."""
    return _acted(request, lambda: tracking.retry(request.user, export_id), "A new try is queued.")


@require_POST
@personal
def cancel(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """The end of one that waits or runs."""
    done = "The export is cancelled, or will be in a moment."
    return _acted(request, lambda: tracking.cancel(request.user, export_id), done)


@require_POST
@personal
def delete(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """The end of a file; its log stays."""
    return _acted(request, lambda: tracking.delete(request.user, export_id), "The file is deleted; its log stays.")


def _page_of(query: QueryDict) -> dict[str, str]:
    return {"page": str(query["page"])} if "page" in query else {}


def _acted(request: PersonRequest, action: Callable[[], object], done: str) -> HttpResponse:
    """Act, and say on the list what came of it: a button may be pressed when the state has moved on."""
    try:
        action()
    except (Conflict, NotPermitted, TryLater) as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
    return redirect("index")


def _form_page(
    request: PersonRequest, form: ExportForm, preview: Preview | None = None, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "resource": form.resource, "preview": preview}
    if preview is not None:
        context["will"] = WILL[preview.mode]
        context["titles"] = list(preview.rows[0]) if preview.rows else []
        context["rows"] = [list(row.values()) for row in preview.rows]
    return render(request, "web/new.html", context, status=status)


def _delivered(request: PersonRequest, answer: Answer) -> HttpResponseBase:
    assert not isinstance(answer, DryRun)
    export = answer.export
    if isinstance(answer, Queued):
        wait = f"{answer.wait} second" + "s" * (answer.wait != 1)
        messages.success(request, f"{export.filename} is queued, because {export.mode_reason}. Ready in about {wait}.")
        return redirect("index")
    if isinstance(answer, Ready):
        messages.success(
            request, f"{export.filename} was sent to you: {export.total_items:,} rows. It is kept here too."
        )
        return _whole(export, answer.file)
    messages.info(
        request, f"{export.filename} was being sent: {export.total_items:,} rows. Its state here says how it ended."
    )
    response = StreamingHttpResponse(answer.chunks, content_type=answer.content_type)
    return _attached(response, export, answer.filename)


def _whole(export: Export, file: Download) -> HttpResponseBase:
    response = FileResponse(file.stream, content_type=file.content_type)
    response["Content-Length"] = str(file.size)
    response["ETag"] = f'"{file.sha256}"'
    return _attached(response, export, file.filename)


def _attached(response: HttpResponseBase, export: Export, filename: str) -> HttpResponseBase:
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Export-Id"] = str(export.pk)
    return response
