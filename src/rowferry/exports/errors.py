"""Everything that can go wrong, cut by what to do next.

RowferryError
├── RequestError    change the request: it will never work as it stands
│   ├── InvalidRequest, NotPermitted, NotFound, Conflict, KeyReused, Gone, BodyTooLarge
├── TryLater        the same request may work later; `retry_after` says when (seconds)
│   ├── QuotaExceeded, Unavailable
├── Stopped         somebody or something asked this attempt to end
│   ├── Cancelled, FenceLost, DeadlinePassed, ClientGone, Interrupted, Released
└── Fault           ours: the reader of the message can do nothing but report it
    ├── RowsMissing, StorageFault, SourceFault, UnexpectedFault

`code` is stable and documented in docs/errors.md; `str(error)` is a sentence for people; `http_status` is the status of
an answer by the API and by the page; `advice` says what the owner of an export that failed with it can do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rowferry.exports.translation import gettext_noop as _

Messages = Mapping[str, Sequence[str]]
RETRY_AFTER = 5
"""Seconds until a request may be tried again, where no better estimate is known."""


class RowferryError(Exception):
    """Root of every error that Rowferry raises on purpose."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = _("Something went wrong")
    advice: ClassVar[str] = _("Press Retry.")
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, errors: Messages | None = None, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors: dict[str, list[str]] = {field: list(messages) for field, messages in (errors or {}).items()}
        self.retry_after = RETRY_AFTER if retry_after is None and self.http_status == 503 else retry_after

    def as_json(self) -> dict[str, Any]:
        """The error as it is stored with a failed export and shown to its owner."""
        return {"code": self.code, "title": self.title, "detail": self.detail, "retryable": self.retryable}


class RequestError(RowferryError):
    """Change the request: it will never work as it stands."""

    code = "bad_request"
    title = _("The request cannot be carried out")
    advice = _("Edit it, make another choice, and run it again.")
    http_status = 400


class InvalidRequest(RequestError):
    """A value of the request is wrong; `errors` says which and what would be right."""

    code = "invalid_request"
    title = _("The request is not valid")
    http_status = 422

    @classmethod
    def field(cls, name: str, message: str) -> InvalidRequest:
        return cls(f"{name}: {message}", errors={name: [message]})


class NotPermitted(RequestError):
    """This person may not do this."""

    code = "not_permitted"
    title = _("You do not have the permission for this")
    advice = _("Ask an administrator for the permission, or edit it and leave that out.")
    http_status = 403


class NotFound(RequestError):
    """There is no such thing, or it is somebody else's."""

    code = "not_found"
    title = _("Not found")
    http_status = 404


class Conflict(RequestError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    title = _("Not possible in the present state")
    http_status = 409


class KeyReused(RequestError):
    """An idempotency key was used before with another request."""

    code = "idempotency_key_reused"
    title = _("This idempotency key belongs to another request")
    http_status = 422


class Gone(RequestError):
    """It was there, and its time is over."""

    code = "gone"
    title = _("The file is no longer kept")
    http_status = 410


class BodyTooLarge(RequestError):
    """The body of a request is larger than the server accepts."""

    code = "body_too_large"
    title = _("The request is too large")
    http_status = 413


class TryLater(RowferryError):
    """The same request may work later."""

    code = "try_later"
    title = _("Try again later")
    http_status = 503
    retryable = True


class QuotaExceeded(TryLater):
    """Too many requests by this person; `allowance` and `limit` say of what and how many a minute."""

    code = "quota_exceeded"
    title = _("Too many requests")
    http_status = 429

    def __init__(self, detail: str, *, allowance: str, limit: int, retry_after: int) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.allowance = allowance
        self.limit = limit


class TooManyDownloads(TryLater):
    """As many files are being sent as this process sends at once."""

    code = "crowded"
    title = _("Too many files at once")


class Unavailable(TryLater):
    """Something that we need does not answer at the moment."""

    code = "unavailable"
    title = _("Temporarily unavailable")


class Stopped(RowferryError):
    """Somebody or something asked this attempt to end."""

    code = "stopped"
    title = _("The export was stopped")


class Cancelled(Stopped):
    """The owner cancelled the export."""

    code = "cancelled"
    title = _("The export was cancelled")
    http_status = 409


class FenceLost(Stopped):
    """Another worker has taken this export over; this attempt may not publish."""

    code = "fence_lost"
    title = _("Another worker has taken this export over")


class DeadlinePassed(Stopped):
    """The attempt ran longer than ROWFERRY_TIME_LIMIT allows."""

    code = "time_limit"
    title = _("The export took too long")
    advice = _("Edit it: choose fewer rows with a filter. Or press Retry when less is going on.")
    http_status = 503
    retryable = True


class ClientGone(Stopped):
    """The client closed the connection before the stream had ended."""

    code = "client_gone"
    title = _("The client closed the connection")
    advice = _("The connection ended before the file did: press Retry, and it is made in the queue.")
    http_status = 503
    retryable = True


class Interrupted(Stopped):
    """The process that made this export ended before the file was whole."""

    code = "interrupted"
    title = _("The export was interrupted")
    advice = _("Nothing is wrong with what you asked for: press Retry.")
    http_status = 503
    retryable = True


class Released(Stopped):
    """The worker was told to stop, and gave the export to another one."""

    code = "handed_over"
    title = _("Another worker goes on with this export")
    http_status = 503
    retryable = True


class Fault(RowferryError):
    """Ours: the person who reads the message can only report it."""

    code = "fault"
    title = _("The export could not be made")
    http_status = 503
    retryable = True


class RowsMissing(Fault):
    """Fewer or more rows were written than the same snapshot had counted."""

    code = "rows_missing"
    title = _("The file would not have been complete")
    advice = _("Nothing incomplete was kept. Press Retry; if it comes again, report it.")


class StorageFault(Fault):
    """The file could not be written or read."""

    code = "storage_fault"
    title = _("The file could not be stored")
    advice = _("Tell whoever runs this site that files cannot be stored; then press Retry.")


class SourceFault(Fault):
    """The database refused or broke off the read."""

    code = "source_fault"
    title = _("The rows could not be read")


class UnexpectedFault(Fault):
    """A bug. The log has the trace; people get a sentence."""

    code = "unexpected_fault"
    title = _("Something unexpected went wrong")


def class_of_code(code: str) -> type[RowferryError]:
    """The class of errors that has this code; the root, if this program has none (any more)."""
    return _with_code(RowferryError, code) or RowferryError


def _with_code(cls: type[RowferryError], code: str) -> type[RowferryError] | None:
    if cls.code == code:
        return cls
    return next((found for child in cls.__subclasses__() if (found := _with_code(child, code))), None)


def problem_type_uri(code: str) -> str:
    """The URI of a kind of problem (RFC 9457); it names it and leads nowhere."""
    return f"urn:rowferry:problem:{code}"
