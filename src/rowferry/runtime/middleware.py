"""The first thing that a request meets: its id, who is really asking, and whether it is one of the probes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.defaults import bad_request
from structlog.contextvars import bind_contextvars, clear_contextvars

from rowferry.api import problems
from rowferry.runtime.health_views import PROBES

REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
"""What we take over from a proxy as a request's id."""


class RequestMiddleware:
    """Middleware, before all others: a probe is answered before anybody looks at hosts, sessions or the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.META["REMOTE_ADDR"] = client(request.META, settings.ROWFERRY_TRUSTED_PROXIES)
        request_id = request_id_from(request.headers.get("X-Request-Id", ""))
        clear_contextvars()
        bind_contextvars(request_id=request_id)  # until the thread's next request: a stream goes on after this
        response = PROBES.get(request.path_info, self._get_response)(request)
        response["X-Request-Id"] = request_id
        return response


def bad_request_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer to what no view ever saw, such as a Host that is no host name; to programs as a problem."""
    if request.path_info.startswith("/api/"):
        return problems.to_problem(exception).response()
    return bad_request(request, exception)


def request_id_from(header: str) -> str:
    """The id of a request: the one that it came with, if that is a name, else a new one."""
    return header if REQUEST_ID.fullmatch(header) else uuid4().hex


def client(meta: Mapping[str, str], proxies: int) -> str:
    """The address of the client behind so many proxies of ours, each of which has added one to X-Forwarded-For.

    Counted from the right, since whatever stands further left anybody may have written. A request that did not come
    through all of them has the address of whoever connected.
    """
    forwarded = [part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    peer_address = meta.get("REMOTE_ADDR", "")
    if not 0 < proxies <= len(forwarded):
        return peer_address
    try:
        return str(ip_address(forwarded[-proxies]))
    except ValueError:
        return peer_address
