"""Byte ranges (RFC 9110, section 14), as pure functions: which part of a file a client wants to have."""

from __future__ import annotations

import re
from dataclasses import dataclass

ONE_RANGE = re.compile(r"bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)", re.IGNORECASE)
TOO_LARGE = 10**20
"""More than any file has bytes; what longer numbers count as, unread."""


class UnsatisfiableRangeError(Exception):
    """The range lies outside the file, which has `size` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size:,} bytes: the range asked for lies outside.")
        self.size = size


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to, not including, `stop`, of a file of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def parse_range(header: str, size: int) -> Span | None:
    """The one range of a Range header. None: send the whole file (several ranges, another unit, unintelligible).

    UnsatisfiableRangeError: understood, but the file has no such bytes.
    """
    match = ONE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return _checked_span(size - min(_parse_digits(last), size), size, size)
    if last and _parse_digits(last) < _parse_digits(first):
        return None
    return _checked_span(_parse_digits(first), min(_parse_digits(last) + 1, size) if last else size, size)


def if_range_matches(if_range: str, etag: str, modified: str) -> bool:
    """Whether If-Range names this very file, by its strong ETag or its exact date. Empty = it need not."""
    return if_range.strip() in ("", etag, modified)


def _checked_span(start: int, stop: int, size: int) -> Span:
    if start >= size:
        raise UnsatisfiableRangeError(size)
    return Span(start, stop, size)


def _parse_digits(digits: str) -> int:
    significant = digits.lstrip("0")
    return TOO_LARGE if len(significant) > 20 else int(significant or "0")
