"""What every address of the page has in common: who may see it, what a browser may do with it, how an error looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRefresh

from rowferry.exports.errors import RowferryError, Unavailable
from rowferry.exports.framework_errors import to_rowferry_error

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
GZIP = GZipMiddleware(HttpResponse)
P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)


class PersonRequest(HttpRequest):
    """A request of somebody who is logged in."""

    user: User


def with_page_policy(
    view: Callable[Concatenate[R, P], HttpResponseBase],
) -> Callable[Concatenate[R, P], HttpResponseBase]:
    """The view with our policy on its answer, whose errors are pages, and which no cache keeps."""

    @wraps(view)
    def answer(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        with translation.override(translation.get_language_from_request(request)):
            return respond(request, *args, **kwargs)

    def respond(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Exception as error:
            ours = to_rowferry_error(error)
            if ours is None:
                raise
            response = error_page(request, ours)
        response = _compress_html(request, _render_now(response))
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        add_never_cache_headers(response)
        return response

    return answer


def personal(
    view: Callable[Concatenate[PersonRequest, P], HttpResponseBase],
) -> Callable[Concatenate[PersonRequest, P], HttpResponseBase]:
    """A guarded view for people who are logged in; others are sent to the login and come back."""
    to_login = login_required(view)

    @wraps(view)
    def answer(request: PersonRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if "HX-Request" in request.headers and _is_nobody(request):
            return HttpResponseClientRefresh()  # the page itself then leads to the login, not a part of it
        return to_login(request, *args, **kwargs)

    return with_page_policy(answer)


def _is_nobody(request: HttpRequest) -> bool:
    return not request.user.is_authenticated


def _render_now(response: HttpResponseBase) -> HttpResponseBase:
    """Some of Django's own views leave the rendering to later, when our language is over."""
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _compress_html(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """HTML as gzip, of a random length against guesses at the tokens in it; a file goes out as it is."""
    if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
        return GZIP.process_response(request, response)
    return response


def with_retry_after(response: HttpResponseBase, error: RowferryError) -> HttpResponseBase:
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def error_page(request: HttpRequest, error: RowferryError) -> HttpResponseBase:
    """The error as a page: what is wrong and what to do."""
    context: dict[str, Any] = {"error": error, "contact": settings.CONTACT_EMAIL}
    if isinstance(error, Unavailable):
        # The page has to be written without the database, where the account and the session are.
        request.user = AnonymousUser()
        context["messages"] = ()
    return with_retry_after(render(request, "rowferry/error.html", context, status=error.http_status), error)
