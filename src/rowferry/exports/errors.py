"""Everything that can go wrong, cut by what to do next.

RowferryError
├── RequestError    change the request: it will never work as it stands
│   ├── InvalidRequest, NotPermitted, NotFound, Conflict, KeyReused, Gone
├── TryLater        the same request may work later; `retry_after` says when (seconds)
│   ├── QuotaExceeded, Unavailable
├── Stopped         somebody or something asked this attempt to end
│   ├── Cancelled, FenceLost, DeadlinePassed, ClientGone, Interrupted, Released
└── Fault           ours: the reader of the message can do nothing but report it
    ├── RowsMissing, StorageFault, SourceFault, UnexpectedFault

`code` is stable and documented in docs/errors.md; `str(error)` is a sentence for people; HTTP numbers live in `api/`
and `web/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

Messages = Mapping[str, Sequence[str]]


class RowferryError(Exception):
    """Root of every error that Rowferry raises on purpose."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, errors: Messages | None = None, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors: dict[str, list[str]] = {field: list(messages) for field, messages in (errors or {}).items()}
        self.retry_after = retry_after

    def as_json(self) -> dict[str, Any]:
        """The error as it is stored with a failed export and shown to its owner."""
        return {"code": self.code, "title": self.title, "detail": self.detail, "retryable": self.retryable}


class RequestError(RowferryError):
    """Change the request: it will never work as it stands."""

    code = "bad_request"
    title = "The request cannot be carried out"


class InvalidRequest(RequestError):
    """A value of the request is wrong; `errors` says which and what would be right."""

    code = "invalid_request"
    title = "The request is not valid"

    @classmethod
    def field(cls, name: str, message: str) -> InvalidRequest:
        return cls(f"{name}: {message}", errors={name: [message]})


class NotPermitted(RequestError):
    """This person may not do this."""

    code = "not_permitted"
    title = "You do not have the permission for this"


class NotFound(RequestError):
    """There is no such thing, or it is somebody else's."""

    code = "not_found"
    title = "Not found"


class Conflict(RequestError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    title = "Not possible in the present state"


class KeyReused(RequestError):
    """An idempotency key was used before with another request."""

    code = "idempotency_key_reused"
    title = "This idempotency key belongs to another request"


class Gone(RequestError):
    """It was there, and its time is over."""

    code = "gone"
    title = "The file is no longer kept"


class TryLater(RowferryError):
    """The same request may work later."""

    code = "try_later"
    title = "Try again later"
    retryable = True


class QuotaExceeded(TryLater):
    """Too many requests by this person; `allowance` and `limit` say of what and how many a minute."""

    code = "quota_exceeded"
    title = "Too many requests"

    def __init__(self, detail: str, *, allowance: str, limit: int, retry_after: int) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.allowance = allowance
        self.limit = limit


class TooManyDownloads(TryLater):
    """As many files are being sent as this process sends at once."""

    code = "crowded"
    title = "Too many files at once"


class Unavailable(TryLater):
    """Something that we need does not answer at the moment."""

    code = "unavailable"
    title = "Temporarily unavailable"


class Stopped(RowferryError):
    """Somebody or something asked this attempt to end."""

    code = "stopped"
    title = "The export was stopped"


class Cancelled(Stopped):
    """The owner cancelled the export."""

    code = "cancelled"
    title = "The export was cancelled"


class FenceLost(Stopped):
    """Another worker has taken this export over; this attempt may not publish."""

    code = "fence_lost"
    title = "Another worker has taken this export over"


class DeadlinePassed(Stopped):
    """The attempt ran longer than ROWFERRY_TIME_LIMIT allows."""

    code = "time_limit"
    title = "The export took too long"
    retryable = True


class ClientGone(Stopped):
    """The client closed the connection before the stream had ended."""

    code = "client_gone"
    title = "The client closed the connection"
    retryable = True


class Interrupted(Stopped):
    """The process that made this export ended before the file was whole."""

    code = "interrupted"
    title = "The export was interrupted"
    retryable = True


class Released(Stopped):
    """The worker was told to stop, and gave the export to another one."""

    code = "handed_over"
    title = "Another worker goes on with this export"
    retryable = True


class Fault(RowferryError):
    """Ours: the person who reads the message can only report it."""

    code = "fault"
    title = "The export could not be made"
    retryable = True


class RowsMissing(Fault):
    """Fewer or more rows were written than the same snapshot had counted."""

    code = "rows_missing"
    title = "The file would not have been complete"


class StorageFault(Fault):
    """The file could not be written or read."""

    code = "storage_fault"
    title = "The file could not be stored"


class SourceFault(Fault):
    """The database refused or broke off the read."""

    code = "source_fault"
    title = "The rows could not be read"


class UnexpectedFault(Fault):
    """A bug. The log has the trace; people get a sentence."""

    code = "unexpected_fault"
    title = "Something unexpected went wrong"
