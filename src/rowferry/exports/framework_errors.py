"""Django's errors as ours, so that the API and the page answer each of them in the same way."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from rowferry.exports.errors import BodyTooLarge, NotFound, NotPermitted, RequestError, RowferryError, Unavailable

logger = logging.getLogger(__name__)
Matching = type[Exception] | tuple[type[Exception], ...]
MALFORMED = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)
OURS: tuple[tuple[Matching, Callable[[], RowferryError]], ...] = (
    (Http404, lambda: NotFound("There is nothing at this address.")),
    (PermissionDenied, lambda: NotPermitted("You may not do this.")),
    (RequestDataTooBig, lambda: BodyTooLarge("The body is larger than this server accepts.")),
    (MALFORMED, lambda: RequestError("The request is malformed.")),
    ((OperationalError, InterfaceError), lambda: Unavailable("The database does not answer at the moment: try again.")),
)
"""The first match counts: RequestDataTooBig is a SuspiciousOperation."""


def to_rowferry_error(error: Exception) -> RowferryError | None:
    """The error to answer with; None if nobody expected this one. What is no fault of the client is logged."""
    ours = error if isinstance(error, RowferryError) else _translate(error)
    if ours is not None and ours.http_status >= 500:
        logger.error("A request failed: %s", ours.detail, exc_info=error)
    return ours


def _translate(error: Exception) -> RowferryError | None:
    return next((make() for kinds, make in OURS if isinstance(error, kinds)), None)
