"""The one place where errors become HTTP: RFC 9457 problems, with a status by the class of the error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import APIException

from rowferry.api import rate_limit_headers
from rowferry.api.ranges import UnsatisfiableRangeError
from rowferry.exports import errors
from rowferry.exports.errors import QuotaExceeded, RowferryError

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = 5
"""Seconds, where nobody knows better."""
STATUS: Mapping[type[RowferryError], int] = {
    errors.InvalidRequest: 422,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.KeyReused: 422,
    errors.Gone: 410,
    errors.RequestError: 400,
    errors.QuotaExceeded: 429,
    errors.TryLater: 503,
    errors.Cancelled: 409,
}
"""A class that is not named has its parent's; one without such a parent is 503 if it may work later, else 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, for a program (`status`, `code`, `errors` by field) and for a person (`title`, `detail`)."""

    status: int
    code: str
    detail: str
    title: str = ""
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        title = self.title or HTTPStatus(self.status).phrase
        what = {"type": kind(self.code), "title": title, "status": self.status}
        errors = {"errors": self.errors} if self.errors else {}
        return what | {"detail": self.detail, "code": self.code} | errors

    def response(self) -> JsonResponse:
        return JsonResponse(self.as_json(), status=self.status, content_type=CONTENT_TYPE, headers=dict(self.headers))


def answer(error: Exception, context: Mapping[str, Any]) -> JsonResponse:  # noqa: ARG001  (DRF's signature)
    """The response to any exception of a view: DRF's EXCEPTION_HANDLER. A bug is logged and answered as 500."""
    return to_problem(error).response()


def to_problem(error: Exception) -> Problem:
    """The problem that an exception is."""
    for kinds, describe in KINDS:
        if isinstance(error, kinds):
            return describe(error)
    logger.error("A request failed unexpectedly.", exc_info=error)
    return Problem(status=500, code="internal_error", detail="A fault in the program; it is in the server's log.")


def of_export(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The problem with which an export failed, as its row keeps it."""
    by_code = {cls.code: _status(cls) for cls in _all(RowferryError)}
    status = by_code.get(stored["code"], 500)
    problem = Problem(status=status, code=stored["code"], title=stored["title"], detail=stored["detail"])
    return problem.as_json() | {"retryable": bool(stored.get("retryable"))}


def kind(code: str) -> str:
    """The URI of a kind of problem; it names it and leads nowhere."""
    return f"urn:rowferry:problem:{code}"


def _status(cls: type[RowferryError]) -> int:
    found = (STATUS[parent] for parent in cls.__mro__ if parent in STATUS)
    return next(found, 503 if cls.retryable else 500)


def _all(cls: type[RowferryError]) -> list[type[RowferryError]]:
    return [cls] + [found for child in cls.__subclasses__() for found in _all(child)]


def _ours(error: RowferryError) -> Problem:
    status = _status(type(error))
    if status >= 500:
        logger.error("A request failed: %s", error.detail, exc_info=error)
    headers = rate_limit_headers.exceeded_headers(error) if isinstance(error, QuotaExceeded) else {}
    wait = error.retry_after or (RETRY_AFTER if status == 503 else None)
    return Problem(
        status=status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=error.errors,
        headers=headers | ({"Retry-After": str(wait)} if wait else {}),
    )


def _frameworks(error: APIException) -> Problem:
    asked = getattr(error, "auth_header", None)
    codes = error.get_codes()
    return Problem(
        status=error.status_code,
        code=codes if isinstance(codes, str) else error.default_code,
        detail=str(error.detail),
        headers={"WWW-Authenticate": asked} if asked else {},
    )


def _outside(error: UnsatisfiableRangeError) -> Problem:
    headers = {"Content-Range": f"bytes */{error.size}"}
    return Problem(status=416, code="range_not_satisfiable", detail=str(error), headers=headers)


def _database(error: Exception) -> Problem:
    logger.error("The database did not answer a request.", exc_info=error)
    detail = "The database does not answer at the moment: try again."
    return Problem(status=503, code="unavailable", detail=detail, headers={"Retry-After": str(RETRY_AFTER)})


def _plain(status: int, code: str, detail: str) -> Callable[[Any], Problem]:
    return lambda _error: Problem(status=status, code=code, detail=detail)


NOWHERE = _plain(404, "not_found", "There is nothing at this address.")
BAD = _plain(400, "bad_request", "The request is malformed.")
KINDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Problem]], ...] = (
    (RowferryError, _ours),
    (APIException, _frameworks),
    (UnsatisfiableRangeError, _outside),
    (Http404, NOWHERE),
    (PermissionDenied, _plain(403, "permission_denied", "You may not do this.")),
    (RequestDataTooBig, _plain(413, "body_too_large", "The body is larger than this server takes.")),
    ((SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError), BAD),
    ((OperationalError, InterfaceError), _database),
)
"""Of two that fit, the first one counts."""
