"""What every address of the page has in common: who may see it, what a browser may do with it, how an error looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from rowferry.exports.errors import (
    Conflict,
    Gone,
    InvalidRequest,
    KeyReused,
    NotFound,
    NotPermitted,
    QuotaExceeded,
    RequestError,
    RowferryError,
    Unavailable,
)

CONTENT_SECURITY_POLICY = "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
STATUS: tuple[tuple[type[RowferryError], int], ...] = (
    (InvalidRequest, 422),
    (KeyReused, 422),
    (NotPermitted, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Gone, 410),
    (RequestError, 400),
    (QuotaExceeded, 429),
    (Unavailable, 503),
)
"""First match wins; anything else is 500."""

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)


class PersonRequest(HttpRequest):
    """A request of somebody who is logged in."""

    user: User


def guarded(view: Callable[Concatenate[R, P], HttpResponseBase]) -> Callable[Concatenate[R, P], HttpResponseBase]:
    """The view with our policy on its answer, whose errors are pages, and which no cache keeps."""

    @wraps(view)
    def answer(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except RowferryError as error:
            response = error_page(request, error)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        add_never_cache_headers(response)
        return response

    return answer


def personal(
    view: Callable[Concatenate[PersonRequest, P], HttpResponseBase],
) -> Callable[Concatenate[PersonRequest, P], HttpResponseBase]:
    """A guarded view for people who are logged in; others are sent to the login and come back."""
    return guarded(login_required(view))


def status_of(error: RowferryError) -> int:
    """The HTTP number of an error."""
    return next((number for kind, number in STATUS if isinstance(error, kind)), 500)


def with_retry_after(response: HttpResponseBase, error: RowferryError) -> HttpResponseBase:
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def error_page(request: HttpRequest, error: RowferryError) -> HttpResponseBase:
    """The error as a page: what is wrong and what to do."""
    context = {"error": error, "contact": settings.CONTACT_EMAIL}
    return with_retry_after(render(request, "web/error.html", context, status=status_of(error)), error)
