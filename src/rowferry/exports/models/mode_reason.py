"""Why an export is answered at once, streamed or queued: a code and its numbers, so that each language can say it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rowferry.exports.translation import count_of


class ReasonCode(StrEnum):
    """What decided the mode of an export."""

    REQUESTED = "requested"
    RETRY = "retry"
    FROM_PYTHON = "from_python"
    ABOVE_QUEUE_LIMIT = "above_queue_limit"
    BELOW_IMMEDIATE_LIMIT = "below_immediate_limit"
    BETWEEN_LIMITS = "between_limits"
    NOT_TO_BE_QUEUED = "not_to_be_queued"
    COUNT_TIMEOUT = "count_timeout"


TEXTS = {
    ReasonCode.REQUESTED: "it was asked for",
    ReasonCode.RETRY: "it is a retry",
    ReasonCode.FROM_PYTHON: "it was run from Python",
    ReasonCode.ABOVE_QUEUE_LIMIT: "{rows} are more than {limit:,}",
    ReasonCode.BELOW_IMMEDIATE_LIMIT: "{rows} are fewer than {limit:,}",
    ReasonCode.BETWEEN_LIMITS: "{rows} are {limit:,} or more",
    ReasonCode.NOT_TO_BE_QUEUED: "{rows} are {limit:,} or more, and async: false was asked for",
    ReasonCode.COUNT_TIMEOUT: "counting its rows takes longer than {limit:g} s",
}


@dataclass(frozen=True, slots=True)
class ModeReason:
    """`rows` = the rows to export (estimated unless `exact`); `limit` = the rows or seconds they were compared with."""

    code: ReasonCode
    limit: float = 0
    rows: int = 0
    exact: bool = True

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ModeReason:
        return cls(**{**stored, "code": ReasonCode(stored["code"])})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        """The reason in English, for API and log."""
        about = "" if self.exact else "about "
        rows = about + count_of(self.rows, "row")
        text = TEXTS[self.code].format(rows=rows, limit=self.limit)
        return text.replace(" row are ", " row is ")
