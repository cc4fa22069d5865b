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
from rowferry.web.decorators import PersonRequest, personal, status_of
from rowferry.web.forms.export import ExportForm, initial_of
from rowferry.web.forms.fields import FILTER, TICKED
from rowferry.web.forms.list_filters import parse_selection, readable, selection_fields

View = dict[str, Any]
"""What is looked at: `resource`, `wish` (as the engine takes it) and `place`, as plain JSON."""
KEPT = "lists"
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
    described = catalogue.resource(resource, request.user)
    view = _view(request, described, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST":
        return _apply_action(request, described, view)
    context: dict[str, Any] = {"resource": described, "resources": catalogue.names(request.user), "view": view}
    try:
        context |= _table_context(described, browsing.page(resource, view["wish"], request.user, view["place"]))
    except InvalidRequest as error:
        context["error"] = error
    initial = initial_of({"format": "", **view["wish"]}, described)
    form = ExportForm(described, request.user, initial=initial)
    seen = {field.name for field in form.others}
    context |= {
        "form": form,
        "name": request.GET.get("view", ""),
        "narrowed": len(view["wish"]["filters"]),
        "folded": sum(f"{FILTER}{name}" not in seen for name in view["wish"]["filters"]),
    }
    return render(
        request, "rowferry/list.html", context, status=status_of(context["error"]) if "error" in context else 200
    )


@require_safe
@personal
def order(request: PersonRequest, resource: str) -> HttpResponse:
    """What is looked at, on its way to a file: at once, or by the form for a new export with all of it filled in."""
    described = catalogue.resource(resource, request.user)
    view = _view(request, described, request.GET)
    context = {
        "resource": described,
        "formats": [one for one in catalogue.formats() if not one.missing],
        "fields": list(selection_fields(described, view["wish"])),
        "ticked": len(view["wish"]["filters"].get(TICKED, ())),
        "name": request.GET.get("view", ""),
    }
    return render(request, "rowferry/list_order.html", context)


def _view(request: HttpRequest, resource: ResourceInfo, query: QueryDict) -> View:
    kept = request.session.get(KEPT, {}).get(query.get("view", ""))
    if kept is not None and kept["resource"] == resource.name:
        return dict(kept)
    return _fresh(resource)


def _fresh(resource: ResourceInfo) -> View:
    return {"resource": resource.name, "wish": {"columns": readable(resource), "filters": {}}, "place": None}


def _keep(request: HttpRequest, view: View) -> str:
    """The name of the view from now on."""
    name = get_random_string(10)
    kept = {**request.session.get(KEPT, {}), name: view}
    request.session[KEPT] = dict(list(kept.items())[-MOST_VIEWS:])
    return name


def _apply_action(request: PersonRequest, resource: ResourceInfo, view: View) -> HttpResponse:
    do, _colon, what = request.POST.get("do", "").partition(":")
    changed = MOVES.get(do, _first)(resource, view, request.POST, what)
    if do == "these" and not changed["wish"]["filters"].get(TICKED):
        messages.error(request, _("Tick the rows that you want first."))
        do, changed = "", view
    where = "list_order" if do in ("these", "all") else "list"
    address = reverse(where, args=[resource.name])
    return redirect(f"{address}?{urlencode({'view': _keep(request, changed)})}")


Move = Callable[[ResourceInfo, View, QueryDict, str], View]


def _apply(resource: ResourceInfo, view: View, posted: QueryDict, _what: str) -> View:
    sort = {name: posted[name] for name in ("sort_by", "sort_order") if name in posted}
    return {**view, "wish": {**view["wish"], **sort, **parse_selection(resource, posted)}, "place": None}


def _sort(_resource: ResourceInfo, view: View, _posted: QueryDict, what: str) -> View:
    """By this column; a second time, the other way round."""
    wish = view["wish"]
    again = wish.get("sort_by") == what and wish.get("sort_order", "asc") == "asc"
    return {**view, "wish": {**wish, "sort_by": what, "sort_order": "desc" if again else "asc"}, "place": None}


def _to(name: str) -> Move:
    def move(_resource: ResourceInfo, view: View, posted: QueryDict, _what: str) -> View:
        return {**view, "place": _place(posted.get(name, ""))}

    return move


def _place(text: str) -> Any:
    try:
        place = json.loads(text)
    except ValueError:
        return None
    return place if isinstance(place, dict) else None


def _first(_resource: ResourceInfo, view: View, _posted: QueryDict, _what: str) -> View:
    return {**view, "place": None}


def _last(_resource: ResourceInfo, view: View, _posted: QueryDict, _what: str) -> View:
    return {**view, "place": {"last": True}}


def _these(_resource: ResourceInfo, view: View, posted: QueryDict, _what: str) -> View:
    """The ticked rows, whatever filters showed them."""
    return {**view, "wish": {**view["wish"], "filters": {TICKED: posted.getlist(f"{FILTER}{TICKED}")}}}


def _clear(resource: ResourceInfo, _view: View, _posted: QueryDict, _what: str) -> View:
    return _fresh(resource)


MOVES: dict[str, Move] = {
    "apply": _apply,
    "clear": _clear,
    "sort": _sort,
    "next": _to("after"),
    "previous": _to("before"),
    "first": _first,
    "last": _last,
    "these": _these,
    "all": _first,
}


def _table_context(resource: ResourceInfo, page: browsing.Listing) -> View:
    ways = {"asc": "ascending", "desc": "descending"}
    sorts = {page.sort_by: ways[page.sort_order]} if page.sort_by else {}
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
