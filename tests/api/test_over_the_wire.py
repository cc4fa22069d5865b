"""The real server, spoken to byte by byte and by many at once."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import httpx
import pytest

from rowferry.api.models import issue
from rowferry.exports.models import Export
from tests.api.conftest import create_assets
from tests.api.test_broken_stream import server
from tests.conftest import may_export
from tests.factories.people import UserFactory
from tests.support.unreadable import break_row

__all__ = ["server"]
pytestmark = pytest.mark.system

ORDER = b'{"format": "csv"}'


@pytest.fixture
def token(transactional_db: None) -> str:
    return issue(may_export(UserFactory(username="owner")))


def status(port: int, token: str, head: bytes, body: bytes = b"") -> int:
    """The status of the answer to these very bytes; 0 = the server hung up without one."""
    authorised = head.replace(b"TOKEN", token.encode())
    with socket.create_connection(("127.0.0.1", port), 30) as wire:
        wire.settimeout(30)
        with suppress(BrokenPipeError, ConnectionResetError):  # it need not read all of what it refuses
            wire.sendall(authorised + b"\r\n" + body)
        received = b""
        with suppress(ConnectionResetError):
            while b"\r\n" not in received and (data := wire.recv(4096)):
                received += data
    return int(received.split()[1]) if received else 0


def post(*headers: bytes, path: bytes = b"/api/v1/assets/export", length: int | None = len(ORDER)) -> bytes:
    lines = [
        b"POST " + path + b" HTTP/1.1",
        b"Host: localhost",
        b"Authorization: Bearer TOKEN",
        b"Connection: close",
        *([b"Content-Length: %d" % length] if length is not None else []),
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n"


KIND = b"Content-Type: application/json"
DEEP = b"[" * 100_000
TWICE = b'{"format": "csv", "format": "csv"}'
ENDLESS = b'{"format": "csv", "filters": {"status_id": Infinity}}'
BIG = b" " * 10_000_000
ZIPPED = gzip.compress(ORDER)
HOSTILE: dict[str, tuple[bytes, bytes, set[int]]] = {
    "bytes that are no text in a header": (post(KIND, b"Idempotency-Key: \xff\xfe\x80"), ORDER, {400, 422}),
    "bytes that are no text in a cookie": (post(KIND, b"Cookie: \xff\xfe=\x80"), ORDER, {200, 400}),
    "a huge header": (post(KIND, b"X-Long: " + b"x" * 100_000), ORDER, {0, 400, 431}),
    "a thousand headers": (post(KIND, *[b"X-%d: 1" % n for n in range(1000)]), ORDER, {0, 400, 431}),
    "a header of no name": (post(KIND, b": value"), ORDER, {0, 400}),
    "NUL in a header": (post(KIND, b"Prefer: a\x00b"), ORDER, {0, 400}),
    "NUL in the path": (post(KIND, path=b"/api/v1/%00/export"), ORDER, {404}),
    "no text in the path": (post(KIND, path=b"/api/v1/%ff%fe/export"), ORDER, {404}),
    "raw bytes in the path": (post(KIND, path=b"/api/v1/\xff\xfe/export"), ORDER, {0, 400, 404}),
    "a path that climbs": (post(KIND, path=b"/api/v1/../../etc/passwd"), ORDER, {403, 404}),
    "another type": (post(b"Content-Type: text/plain"), ORDER, {415}),
    "no type": (post(), ORDER, {415}),
    "a type that is none": (post(b"Content-Type: %%%/\xff"), ORDER, {415}),
    "deep JSON": (post(KIND, length=len(DEEP)), DEEP, {400}),
    "a name twice": (post(KIND, length=len(TWICE)), TWICE, {400}),
    "Infinity": (post(KIND, length=len(ENDLESS)), ENDLESS, {400}),
    "ten megabytes": (post(KIND, length=len(BIG)), BIG, {0, 413}),
    "gzip": (post(KIND, b"Content-Encoding: gzip", length=len(ZIPPED)), ZIPPED, {400, 415}),
    "chunks that are none": (post(KIND, b"Transfer-Encoding: chunked", length=None), b"zzz\r\nxx\r\n", {0, 400, 411}),
    "chunks and a length": (post(KIND, b"Transfer-Encoding: chunked"), b"0\r\n\r\n", {0, 400, 411}),
    "two lengths": (post(KIND, b"Content-Length: 3"), ORDER, {0, 400}),
    "a length that is none": (post(KIND, b"Content-Length: -1", length=None), ORDER, {0, 400}),
    "another protocol": (b"POST / HTTP/9.9\r\nHost: x\r\n", b"", {0, 400, 505}),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", b"", {0, 400}),
}


def test_hostile_bytes_get_a_refusal_and_never_a_500(server: int, token: str) -> None:
    found = {name: status(server, token, head, body) for name, (head, body, _) in HOSTILE.items()}
    wrong = {name: number for name, number in found.items() if number not in HOSTILE[name][2]}
    assert wrong == {}
    assert status(server, token, post(KIND), ORDER) == 200


def run_concurrently(number: int, ask: Callable[[], httpx.Response]) -> list[httpx.Response]:
    gate = Barrier(number)

    def one(_: int) -> httpx.Response:
        gate.wait()
        return ask()

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))


def order(port: int, token: str, body: bytes = ORDER, **headers: str) -> httpx.Response:
    known = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    address = f"http://127.0.0.1:{port}/api/v1/assets/export"
    return httpx.post(address, content=body, headers=known | headers, timeout=120)


def test_of_fifty_posts_at_once_exactly_five_pass(server: int, token: str) -> None:
    answers = run_concurrently(50, lambda: order(server, token))
    assert Counter(answer.status_code for answer in answers) == {200: 5, 429: 45}
    assert Export.objects.count() == 5


def test_of_twenty_posts_of_one_key_at_once_all_name_one_export(server: int, token: str) -> None:
    body = json.dumps({"format": "csv", "async": True}).encode()
    answers = run_concurrently(20, lambda: order(server, token, body, **{"Idempotency-Key": "one"}))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["export_id"] for answer in answers}) == 1
    assert Export.objects.count() == 1


def test_curl_and_httpx_see_that_a_torn_stream_is_torn(server: int, token: str, tmp_path: Path) -> None:
    create_assets(6_000)
    break_row(5_000)
    address = f"http://127.0.0.1:{server}/api/v1/unreadable/export"
    known = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    named = [part for name, value in known.items() for part in ("-H", f"{name}: {value}")]
    to = tmp_path / "half.csv"
    curl = subprocess.run(
        ["curl", "-sS", "-o", to, *named, "-d", ORDER.decode(), address], timeout=120, capture_output=True, text=True
    )
    assert curl.returncode == 18, curl.stderr  # "transfer closed with outstanding read data remaining"
    assert to.stat().st_size
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(address, content=ORDER, headers=known, timeout=120)
    assert list(Export.objects.values_list("status", flat=True)) == ["failed", "failed"]
