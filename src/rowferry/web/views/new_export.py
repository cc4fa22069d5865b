"""Where an export is asked for: the form, what it says while it is filled in, and an earlier one asked for again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rowferry.exports import catalogue, submission, tracking
from rowferry.exports.errors import Conflict, NotFound, QuotaExceeded, RowferryError
from rowferry.exports.submission import DryRun
from rowferry.web import order_key
from rowferry.web.decorators import PersonRequest, personal, with_retry_after
from rowferry.web.forms.export import ExportForm, initial_of, offered_first
from rowferry.web.forms.fields import FILTER, NONE, from_field_text, to_field_text
from rowferry.web.responses import deliver

if TYPE_CHECKING:
    from rowferry.exports.execution.preview import Preview
    from rowferry.exports.resources.parameter import Parameter


@require_http_methods(["GET", "HEAD", "POST"])
@personal
def new(request: PersonRequest, resource: str) -> HttpResponseBase:
    """The form of a resource; posted, it is answered with the file, the queue, or a preview below the form."""
    resource_info = catalogue.resource(resource, request.user)
    if request.method != "POST":
        return _form_page(request, ExportForm(resource_info, request.user))
    form = ExportForm(resource_info, request.user, request.POST)
    try:
        if "preview" in request.POST:
            return _form_page(request, form, submission.preview_form(resource, form.payload(), request.user))
        return _order(request, resource, form.payload())
    except NotFound:
        raise
    except RowferryError as error:
        form.add_errors(error)
        return with_retry_after(_form_page(request, form, status=error.http_status), error)


@require_POST
@personal
def preview_export(request: PersonRequest, resource: str) -> HttpResponse:
    """What the form as it is now would give: rows, size, mode, warnings, the first rows. Part of a page."""
    form = ExportForm(catalogue.resource(resource, request.user), request.user, request.POST)
    context: dict[str, Any] = {"resource": form.resource, "live": True}
    try:
        context |= _preview_table(form, submission.preview_form(resource, form.payload(), request.user))
    except QuotaExceeded as error:
        context["wait"] = error.retry_after
    except RowferryError as error:
        form.add_errors(error)
        context |= {"form": form, "error": error}
    return render(request, "rowferry/preview.html", context)


@require_POST
@personal
def choices(request: PersonRequest, resource: str, key: str) -> HttpResponse:
    """The list of one filter: what is ticked, and what is found. Part of a page."""
    ticked = request.POST.getlist(f"{FILTER}{key}")
    text = request.POST.get(f"find.{key}", "").strip()[:100]
    parameter = next((p for p in catalogue.resource(resource, request.user).filters if p.name == key), None)
    named = [value for one in ticked if parameter and (value := from_field_text(one, parameter)) is not None]
    filter_choices = catalogue.choices(resource, request.user, key, text, named)
    assert parameter is not None
    null_choices = [pair for pair in offered_first(parameter) if pair[0] == NONE]
    chosen = [pair for pair in null_choices if NONE in ticked] + _pairs(filter_choices.chosen, parameter)
    offered = [pair for pair in null_choices if NONE not in ticked and not text] + _pairs(
        filter_choices.offered, parameter
    )
    context = {"name": f"{FILTER}{key}", "chosen": chosen, "offered": offered}
    return render(request, "rowferry/choices.html", context)


@require_safe
@personal
def edit(request: PersonRequest, export_id: UUID) -> HttpResponse:
    """The form, filled in as an export was asked for."""
    export = tracking.find(request.user, export_id)
    resource_info = catalogue.resource(export.resource, request.user)
    initial = initial_of(submission.body_of(export), resource_info)
    return _form_page(request, ExportForm(resource_info, request.user, initial=initial), like=export.filename)


@require_POST
@personal
def again(request: PersonRequest, export_id: UUID) -> HttpResponseBase:
    """The same export once more, of the rows as they are now."""
    export = tracking.find(request.user, export_id)
    return _order(request, export.resource, submission.body_of(export))


def _order(request: PersonRequest, resource: str, body: dict[str, Any]) -> HttpResponseBase:
    """Order an export, or answer once more the form that has ordered it."""
    answer = submission.submit(resource, body, request.user, key=order_key.idempotency_key(request, body))
    assert not isinstance(answer, DryRun)
    return order_key.mark_answered(request, deliver(request, answer))


def _form_page(
    request: PersonRequest, form: ExportForm, preview: Preview | None = None, *, status: int = 200, like: str = ""
) -> HttpResponse:
    context = {"form": form, "resource": form.resource, "like": like, "resources": catalogue.names(request.user)}
    if status == Conflict.http_status:  # the first request with this key is still being answered
        context["kept_key"] = request.POST.get(order_key.FIELD, "")
    preview_context = _preview_table(form, preview) if preview is not None else {}
    return render(request, "rowferry/new.html", context | preview_context, status=status)


def _preview_table(form: ExportForm, preview: Preview) -> dict[str, Any]:
    """A preview as a table: titles as the file will have them, cells as text."""
    names = list(preview.rows[0]) if preview.rows else []
    labels = {c.name: c.label for c in form.resource.columns} if form.cleaned_data["headers"] == "labels" else {}
    return {
        "preview": preview,
        "titles": [labels.get(name, name) for name in names],
        "rows": [[_cell(value) for value in row.values()] for row in preview.rows],
    }


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _pairs(pairs: tuple[tuple[Any, str], ...], parameter: Parameter) -> list[tuple[str, str]]:
    return [(to_field_text(value, parameter), label) for value, label in pairs]
