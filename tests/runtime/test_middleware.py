"""Who is really asking, behind proxies that are trusted and headers that are not."""

from __future__ import annotations

import pytest

from rowferry.runtime.middleware import client

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    "forwarded, proxies, found",
    [
        ("", 0, PROXY),
        ("203.0.113.9", 0, PROXY),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("6.6.6.6,203.0.113.9 ,\t10.0.0.2", 2, "203.0.113.9"),
        ("203.0.113.9", 2, PROXY),
        ("", 1, PROXY),
        ("<script>", 1, PROXY),
        ("2001:DB8::1", 1, "2001:db8::1"),
    ],
)
def test_the_client_is_counted_from_the_right(forwarded: str, proxies: int, found: str) -> None:
    assert client({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": forwarded}, proxies) == found
