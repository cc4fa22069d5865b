"""Contract 3.1: a stream that fails half way must not look whole. Seen from the other end of a real connection."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection

from rowferry.api.models import issue
from rowferry.exports.models import Export
from tests.api.conftest import create_assets
from tests.conftest import may_export
from tests.factories.people import UserFactory
from tests.support.unreadable import break_row

pytestmark = pytest.mark.system


@pytest.fixture
def server(transactional_db: None, storage_folder: Path) -> Iterator[int]:
    """The port of a gunicorn on the database and the storage of this test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | {
        "DATABASE_URL": _database(),
        "STORAGE_URL": f"file://{storage_folder}",
        "DJANGO_SETTINGS_MODULE": "rowferry.config.settings",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:rowferry.config.gunicorn", "--workers", "1"]
    process = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}", "tests.api.broken_app"], env=environ)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _database() -> str:
    """The address of the database of this test."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError("gunicorn did not start")


def read_answer(port: int, user: User) -> bytes:
    """All that comes over the wire until the server hangs up."""
    body = b'{"format": "csv"}'
    head = (
        f"POST /api/v1/unreadable/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {issue(user)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), 30) as wire:
        wire.sendall(head.encode() + body)
        received = b""
        with suppress(ConnectionResetError):
            while data := wire.recv(65_536):
                received += data
    return received


def test_a_stream_that_fails_half_way_ends_without_its_last_chunk(server: int) -> None:
    create_assets(6_000)
    break_row(5_000)
    received = read_answer(server, may_export(UserFactory()))
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"Transfer-Encoding: chunked" in received
    assert 0 < len(re.findall(rb'^[0-9]+,"[01]"\r$', received, re.MULTILINE)) < 5_000
    assert not received.endswith(b"0\r\n\r\n")
    assert b"malformed" not in received
    export = Export.objects.get()
    assert (export.status, export.error["code"]) == ("failed", "source_fault")
