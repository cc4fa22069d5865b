"""Lists of what can be exported, to look through before a file is made of them.

What somebody looks at (filters, sort, columns, place) is kept in the session under a short random name: an address that
a log keeps holds that name, and no value of any row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from rowferry.exports import browsing, catalogue
from rowferry.exports.catalogue import ResourceInfo
from rowferry.exports.errors import InvalidRequest
from rowferry.web.decorators import PersonRequest, personal
from rowferry.web.forms.export import ExportForm, initial_of
from rowferry.web.forms.fields import FILTER, TICKED
from rowferry.web.forms.list_filters import parse_selection, readable, selection_fields

View = dict[str, Any]
"""What is looked at: `resource`, `wish` (as the engine takes it) and `place`, as plain JSON."""
SESSION_KEY = "lists"
MOST_VIEWS = 30
"""Views that a session remembers; who goes back further begins anew."""


@require_safe
@personal
def begin(request: PersonRequest) -> HttpResponse:
    """The first list that this person may see; who may see none is told so by the page of the exports."""
    names = catalogue.names(request.user)
    return redirect("list", names[0]) if names else redirect("index")


@require_http_methods(["GET", "HEAD", "POST"])
@personal
def rows(request: PersonRequest, resource: str) -> HttpResponse:
    """A page of a list; posted, what the button says is done to the view, and the answer leads to the new one."""
    resource_info = catalogue.resource(resource, request.user)
    view = _view(request, resource_info, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST":
        return _apply_action(request, resource_info, view)
    context: dict[str, Any] = {"resource": resource_info, "resources": catalogue.names(request.user), "view": view}
    try:
        context |= _table_context(resource_info, browsing.page(resource, view["wish"], request.user, view["place"]))
    except InvalidRequest as error:
        context["error"] = error
    initial = initial_of({"format": "", **view["wish"]}, resource_info)
    form = ExportForm(resource_info, request.user, initial=initial)
    shown_fields = {field.name for field in form.others}
    context |= {
        "form": form,
        "name": request.GET.get("view", ""),
        "filter_count": len(view["wish"]["filters"]),
        "folded": sum(f"{FILTER}{name}" not in shown_fields for name in view["wish"]["filters"]),
    }
    return render(
        request, "rowferry/list.html", context, status=context["error"].http_status if "error" in context else 200
    )


@require_safe
@personal
def order(request: PersonRequest, resource: str) -> HttpResponse:
    """What is looked at, on its way to a file: at once, or by the form for a new export with all of it filled in."""
    resource_info = catalogue.resource(resource, request.user)
    view = _view(request, resource_info, request.GET)
    context = {
        "resource": resource_info,
        "formats": [format_info for format_info in catalogue.formats() if not format_info.missing],
        "fields": list(selection_fields(resource_info, view["wish"])),
        "ticked": len(view["wish"]["filters"].get(TICKED, ())),
        "name": request.GET.get("view", ""),
    }
    return render(request, "rowferry/list_order.html", context)


def _view(request: PersonRequest, resource: ResourceInfo, query: QueryDict) -> View:
    stored_view = request.session.get(SESSION_KEY, {}).get(query.get("view", ""))
    if stored_view is not None and stored_view["resource"] == resource.name:
        return dict(stored_view)
    return _new_view(request, resource)


def _new_view(request: PersonRequest, resource: ResourceInfo) -> View:
    """The whole list. It says its sort, so that a file of it has the same."""
    sort_by = browsing.default_sort(resource.name, request.user)
    wish = {"columns": readable(resource), "filters": {}, "sort_by": sort_by}
    return {"resource": resource.name, "wish": wish, "place": None}


def _store_view(request: HttpRequest, view: View) -> str:
    """The name of the view from now on."""
    name = get_random_string(10)
    stored_views = {**request.session.get(SESSION_KEY, {}), name: view}
    request.session[SESSION_KEY] = dict(list(stored_views.items())[-MOST_VIEWS:])
    return name


def _apply_action(request: PersonRequest, resource: ResourceInfo, view: View) -> HttpResponse:
    action, _colon, argument = request.POST.get("do", "").partition(":")
    moved = MOVES.get(action, _first)(resource, view, request.POST, argument)
    new_view = _new_view(request, resource) if action == "clear" else moved
    if action == "these" and not new_view["wish"]["filters"].get(TICKED):
        messages.error(request, _("Tick the rows that you want first."))
        action, new_view = "", view
    url_name = "list_order" if action in ("these", "all") else "list"
    url = reverse(url_name, args=[resource.name])
    return redirect(f"{url}?{urlencode({'view': _store_view(request, new_view)})}")


Move = Callable[[ResourceInfo, View, QueryDict, str], View]


def _apply(resource: ResourceInfo, view: View, posted: QueryDict, _what: str) -> View:
    sort = {name: posted[name] for name in ("sort_by", "sort_order") if name in posted}
    return {**view, "wish": {**view["wish"], **sort, **parse_selection(resource, posted)}, "place": None}


def _sort(_resource: ResourceInfo, view: View, _posted: QueryDict, column: str) -> View:
    """By this column; a second time, the other way round."""
    selection = view["wish"]
    flip = selection.get("sort_by") == column and selection.get("sort_order", "asc") == "asc"
    return {**view, "wish": {**selection, "sort_by": column, "sort_order": "desc" if flip else "asc"}, "place": None}


def _move_to(name: str) -> Move:
    def move(_resource: ResourceInfo, view: View, posted: QueryDict, _what: str) -> View:
        return {**view, "place": _parse_cursor(posted.get(name, ""))}

    return move


def _parse_cursor(text: str) -> Any:
    try:
        cursor = json.loads(text)
    except ValueError:
        return None
    return cursor if isinstance(cursor, dict) else None


def _first(_resource: ResourceInfo, view: View, _posted: QueryDict, _what: str) -> View:
    return {**view, "place": None}


def _last(_resource: ResourceInfo, view: View, _posted: QueryDict, _what: str) -> View:
    return {**view, "place": {"last": True}}


def _only_ticked(_resource: ResourceInfo, view: View, posted: QueryDict, _what: str) -> View:
    """The ticked rows, whatever filters showed them."""
    return {**view, "wish": {**view["wish"], "filters": {TICKED: posted.getlist(f"{FILTER}{TICKED}")}}}


MOVES: dict[str, Move] = {
    "apply": _apply,
    "sort": _sort,
    "next": _move_to("after"),
    "previous": _move_to("before"),
    "first": _first,
    "last": _last,
    "these": _only_ticked,
    "all": _first,
}


def _table_context(resource: ResourceInfo, page: browsing.Listing) -> View:
    directions = {"asc": "ascending", "desc": "descending"}
    sorts = {page.sort_by: directions[page.sort_order]} if page.sort_by else {}
    labels = {c.name: c.label for c in resource.columns}
    return {
        "page": page,
        "titles": [
            (c.name, labels.get(c.name, c.label), c.name in page.sortable, sorts.get(c.name)) for c in page.columns
        ],
        "ticks": bool(page.rows) and page.rows[0].key is not None,
        "before": json.dumps(page.before) if page.before else "",
        "after": json.dumps(page.after) if page.after else "",
    }


urlpatterns = [
    path("lists", begin, name="lists"),
    path("lists/<str:resource>", rows, name="list"),
    path("lists/<str:resource>/export", order, name="list_order"),
]
