"""Byte ranges, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowferry.api.ranges import Span, UnsatisfiableRangeError, if_range_matches, parse_range

SIZE = 100


@pytest.mark.parametrize(
    "header, start, stop",
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 100),
        ("bytes=10-19", 10, 20),
        ("bytes=99-", 99, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-1000", 0, 100),
        ("bytes=-" + "9" * 5_000, 0, 100),
        ("BYTES = 1 - 2", 1, 3),
        ("bytes=0" + "0" * 5_000 + "-1", 0, 2),
    ],
)
def test_one_range_is_found(header: str, start: int, stop: int) -> None:
    assert parse_range(header, SIZE) == Span(start, stop, SIZE)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=0-1,3-4",
        "rows=0-1",
        "bytes=a-b",
        "bytes=٠-١",
        "bytes=+1-2",
    ],
)
def test_what_is_no_single_range_means_the_whole_file(header: str) -> None:
    assert parse_range(header, SIZE) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 5_000 + "-"])
def test_a_range_outside_is_refused(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError) as caught:
        parse_range(header, SIZE)
    assert caught.value.size == SIZE


def test_of_an_empty_file_there_is_no_range() -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range("bytes=0-", 0)


@given(st.text(max_size=40).map(lambda text: f"bytes={text}") | st.text(max_size=40), st.integers(0, 10_000))
def test_any_header_is_a_span_inside_the_file_or_none(header: str, size: int) -> None:
    try:
        span = parse_range(header, size)
    except UnsatisfiableRangeError:
        return
    assert span is None or 0 <= span.start < span.stop <= size


@pytest.mark.parametrize(
    "if_range, same", [("", True), ('"a"', True), ("Mon", True), ('"b"', False), ('W/"a"', False), ("Tue", False)]
)
def test_if_range_wants_this_very_file(if_range: str, same: bool) -> None:
    assert if_range_matches(if_range, '"a"', "Mon") is same
