"""The pages on exports that there are. Each asks one front door and shows what it says."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from rowferry.exports import catalogue, tracking
from rowferry.exports.errors import Conflict, NotPermitted, TryLater
from rowferry.web.decorators import PersonRequest, personal
from rowferry.web.export_summary import summarize
from rowferry.web.responses import as_attachment, whole_file_response
from rowferry.web.templatetags.export_text import NAMES
from rowferry.web.views.progress import build_progress_list, select_active

LOG_LINES = "100"
FILTERS = ("status", "resource_type", "format", "date_from", "date_to")


@require_safe
@personal
def index(request: PersonRequest) -> HttpResponse:
    """My exports, newest first, and what can be exported."""
    filters = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    page = tracking.history(request.user, _page_of(request.GET) | filters)
    progress_list = build_progress_list(page.items)
    context = {
        "page": page,
        "progress_list": progress_list,
        "poll": select_active(progress_list),
        "filters": filters,
        "statuses": NAMES,
        "formats": catalogue.formats(),
        "resources": catalogue.names(request.user),
        "contact": settings.CONTACT_EMAIL,
    }
    return render(request, "rowferry/index.html", context)


@require_safe
@personal
def detail(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """One export: all that is known of it, and its log."""
    log = tracking.log(request.user, export_id, _page_of(request.GET) | {"limit": LOG_LINES})
    progress_list = build_progress_list([tracking.find(request.user, export_id)])
    context = {
        "item": progress_list.items[0],
        "export": progress_list.items[0].export,
        "manifest": progress_list.items[0].export.manifest,
        "page": log,
        "summary": summarize(progress_list.items[0].export, request.user),
        "progress_list": progress_list,
        "poll": select_active(progress_list),
        "view": "one",
        "contact": settings.CONTACT_EMAIL,
    }
    return render(request, "rowferry/export.html", context)


@require_GET
@personal
def download(request: PersonRequest, export_id: UUID) -> HttpResponseBase:
    """The whole file, counted and logged."""
    if storage_link := tracking.link(request.user, export_id):
        tracking.note_download(request.user, storage_link[0], "Downloaded from the page, by a link to the storage.")
        return HttpResponseRedirect(storage_link[1])
    export, file = tracking.open_file(request.user, export_id)
    tracking.note_download(request.user, export, "Downloaded from the page.")
    return whole_file_response(export, file)


@require_GET
@personal
def manifest(request: PersonRequest, export_id: UUID) -> HttpResponseBase:
    """What was asked, expected and written, as a JSON file."""
    manifest_data = tracking.manifest(request.user, export_id)
    export = tracking.find(request.user, export_id)
    response = JsonResponse(manifest_data, json_dumps_params={"indent": 2, "ensure_ascii": False})
    return as_attachment(response, export, f"{export.filename}.manifest.json")


@require_POST
@personal
def retry(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """A new export like one that failed or was cancelled."""
    return _run_action(request, lambda: tracking.retry(request.user, export_id), _("A new try is queued."))


@require_POST
@personal
def cancel(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """The end of one that waits or runs."""
    success_text = _("The export is cancelled, or will be in a moment.")
    return _run_action(request, lambda: tracking.cancel(request.user, export_id), success_text)


@require_POST
@personal
def delete(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """The end of a file; its log stays."""
    success_text = _("The file is deleted; its log stays.")
    return _run_action(request, lambda: tracking.delete(request.user, export_id), success_text)


def _page_of(query: QueryDict) -> dict[str, str]:
    return {"page": str(query["page"])} if "page" in query else {}


def _run_action(request: PersonRequest, action: Callable[[], object], success_text: str) -> HttpResponse:
    """Act, and say on the list what came of it: a button may be pressed when the state has moved on."""
    try:
        action()
    except (Conflict, NotPermitted, TryLater) as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, success_text)
    return redirect("index")
