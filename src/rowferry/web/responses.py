"""A file as an answer of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rowferry.exports.submission import Queued, Ready, Streamed
from rowferry.web.decorators import PersonRequest
from rowferry.web.templatetags.export_text import reason

if TYPE_CHECKING:
    from rowferry.exports.models import Export
    from rowferry.exports.storage.download import Download


def deliver(request: PersonRequest, answer: Queued | Ready | Streamed) -> HttpResponseBase:
    """The file, or the way to the list where it will be; what happened is said on the next page."""
    export = answer.export
    if isinstance(answer, Queued):
        wait = ngettext("Ready in about %(count)s second.", "Ready in about %(count)s seconds.", answer.wait)
        reason_context = {"file": export.filename, "reason": reason(export.reason)}
        text = _("%(file)s is queued, because %(reason)s.") % reason_context
        messages.success(request, f"{text} {wait % {'count': answer.wait}}")
        return redirect("index")
    rows = ngettext("%(count)s row", "%(count)s rows", export.total_items)
    context = {
        "file": export.filename,
        "rows": rows % {"count": number_format(export.total_items, force_grouping=True)},
    }
    if isinstance(answer, Ready):
        messages.success(request, _("%(file)s was sent to you: %(rows)s. It is kept here too.") % context)
        return whole_file_response(export, answer.file)
    messages.info(request, _("%(file)s was being sent: %(rows)s. Its state here says how it ended.") % context)
    response = StreamingHttpResponse(answer.chunks, content_type=answer.content_type)
    return as_attachment(response, export, answer.filename)


def whole_file_response(export: Export, file: Download) -> HttpResponseBase:
    response = FileResponse(file.stream, content_type=file.content_type)
    response["Content-Length"] = str(file.size)
    response["ETag"] = f'"{file.sha256}"'
    return as_attachment(response, export, file.filename)


def as_attachment(response: HttpResponseBase, export: Export, filename: str) -> HttpResponseBase:
    """An answer that a browser keeps as a file and does not show."""
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Export-Id"] = str(export.pk)
    return response
