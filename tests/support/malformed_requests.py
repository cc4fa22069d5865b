"""Headers and bodies that no honest client sends, as far as HTTP has them at all."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Host",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Origin",
    "Prefer",
    "Range",
    "Referer",
    "X-CSRFToken",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
    "X-Request-Id",
)
VALUES = (
    "",
    "*/*;q=2",
    ",;=,;",
    "0",
    "-1",
    "NaN",
    "DELETE",
    "Bearer",
    "Bearer \xff",
    "Basic Og==",
    "gzip, br;q=nan",
    "respond-async, wait=99999999999999999999",
    "bytes=0-0,1-1,2-2",
    "bytes=99999999999999999999-",
    "bytes=-0",
    "bytes=5-1",
    '"',
    'W/""',
    "sessionid=../../x; csrftoken=\xff",
    "application/json; charset=utf-7",
    "application/json; charset=\xff",
    "multipart/form-data; boundary=",
    "application/x-www-form-urlencoded",
    "Thu, 99 Foo 0000 25:61:61 GMT",
    "../../etc/passwd",
    "' OR 1=1 --",
    "${jndi:ldap://x/y}",
    "<script>alert(1)</script>",
    "%00%0d%0aSet-Cookie: a=b",
    "\xff\xfe\x80",
    "x" * 4_000,
)
BODIES = (
    b"",
    b"null",
    b"[]",
    b'"csv"',
    b"{",
    b"{}",
    b'{"format": "csv", "format": "json"}',
    b'{"format": "csv\\u0000"}',
    b'{"format": null}',
    b'{"format": ["csv"]}',
    b'{"format": "csv", "columns": [["id"], {"id": 1}]}',
    b'{"format": "csv", "columns": "id"}',
    b'{"format": "csv", "filters": []}',
    b'{"format": "csv", "filters": {"search": "\\ud800"}}',
    b'{"format": "csv", "filters": {"search": "\\u0000%_\\\\"}}',
    b'{"format": "csv", "filters": {"status_id": NaN}}',
    b'{"format": "csv", "filters": {"status_id": 1e999}}',
    b'{"format": "csv", "filters": {"status_id": ' + b"9" * 5_000 + b"}}",
    b'{"format": "csv", "filters": {"status_id": [[[1]]]}}',
    b'{"format": "csv", "filters": {"date_from": "0000-00-00", "date_to": "9999-12-31"}}',
    b'{"format": "csv", "filters": {"__proto__": {}, "id__gt": 0}}',
    b'{"format": "csv", "time_zone": "../../etc/passwd"}',
    b'{"format": "csv", "csv": {"delimiter": "\\r\\n"}}',
    b'{"\\ud800": 1}',
    b"\xef\xbb\xbf{}",
    '{"format": "csv"}'.encode("utf-16"),
    b"\xff" * 64,
    b"[" * 5_000,
    b"format=csv&columns=id",
    b"--x\r\nContent-Disposition: form-data; name=format\r\n\r\ncsv\r\n--x--\r\n",
)
VISIBLE = [chr(code) for code in (*range(0x21, 0x7F), *range(0x80, 0x85), *range(0xA1, 0x100))]

some_value = st.sampled_from(VALUES) | st.text(VISIBLE, max_size=40)
some_headers = st.dictionaries(st.sampled_from(HEADERS), some_value, min_size=1, max_size=4)
"""Each character is one byte on the wire."""


def some_body(right: Any) -> st.SearchStrategy[bytes]:
    """A hostile one, any bytes, or the right one with one byte changed, put in or cut off behind."""
    written = json.dumps(right).encode() if right is not None else b"{}"
    return st.sampled_from(BODIES) | st.binary(max_size=200) | _damage_bytes(written)


def _damage_bytes(written: bytes) -> st.SearchStrategy[bytes]:
    at, byte = st.integers(0, len(written)), st.binary(max_size=1)
    return st.builds(
        lambda cut, put, keep: written[:cut] + put + written[cut + keep :], at, byte, st.sampled_from([0, 1])
    )
