"""What is left of an allowance, as the headers `RateLimit` and `RateLimit-Policy` say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rowferry.exports.errors import QuotaExceeded

if TYPE_CHECKING:
    from rowferry.exports.limits.quota import Allowance

WINDOW = 60
"""Seconds: allowances are so many a minute."""


def remaining_headers(allowance: Allowance | None) -> dict[str, str]:
    """The headers of an answer that has used one of the allowance; none where nothing was used."""
    if allowance is None:
        return {}
    return _headers(allowance.name, allowance.limit, allowance.remaining, allowance.reset)


def exceeded_headers(error: QuotaExceeded) -> dict[str, str]:
    """The headers of a refusal."""
    return _headers(error.allowance, error.limit, 0, error.retry_after or WINDOW)


def _headers(name: str, limit: int, remaining: int, reset: int) -> dict[str, str]:
    return {"RateLimit-Policy": f'"{name}";q={limit};w={WINDOW}', "RateLimit": f'"{name}";r={remaining};t={reset}'}
