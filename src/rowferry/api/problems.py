"""Errors as RFC 9457 problems. Their status is `http_status` of their class."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from rest_framework.exceptions import APIException

from rowferry.api import rate_limit_headers
from rowferry.api.ranges import UnsatisfiableRangeError
from rowferry.exports.errors import QuotaExceeded, RowferryError, problem_type_uri
from rowferry.exports.framework_errors import to_rowferry_error

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


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
        problem = {"type": problem_type_uri(self.code), "title": title, "status": self.status}
        errors = {"errors": self.errors} if self.errors else {}
        return problem | {"detail": self.detail, "code": self.code} | errors

    def response(self) -> JsonResponse:
        return JsonResponse(self.as_json(), status=self.status, content_type=CONTENT_TYPE, headers=dict(self.headers))


def exception_handler(error: Exception, context: Mapping[str, Any]) -> JsonResponse:  # noqa: ARG001  (DRF's signature)
    """The response to any exception of a view: DRF's EXCEPTION_HANDLER. A bug is logged and answered as 500."""
    return to_problem(error).response()


def to_problem(error: Exception) -> Problem:
    """The problem that an exception is."""
    if isinstance(error, APIException):
        return _from_rest_framework(error)
    if isinstance(error, UnsatisfiableRangeError):
        return _from_range(error)
    ours = to_rowferry_error(error)
    if ours is not None:
        return _from_rowferry(ours)
    logger.error("A request failed unexpectedly.", exc_info=error)
    return Problem(status=500, code="internal_error", detail="A fault in the program; it is in the server's log.")


def _from_rowferry(error: RowferryError) -> Problem:
    headers = rate_limit_headers.exceeded_headers(error) if isinstance(error, QuotaExceeded) else {}
    wait = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return Problem(
        status=error.http_status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=error.errors,
        headers=headers | wait,
    )


def _from_rest_framework(error: APIException) -> Problem:
    asked = getattr(error, "auth_header", None)
    codes = error.get_codes()
    return Problem(
        status=error.status_code,
        code=codes if isinstance(codes, str) else error.default_code,
        detail=str(error.detail),
        headers={"WWW-Authenticate": asked} if asked else {},
    )


def _from_range(error: UnsatisfiableRangeError) -> Problem:
    headers = {"Content-Range": f"bytes */{error.size}"}
    return Problem(status=416, code="range_not_satisfiable", detail=str(error), headers=headers)
