"""Clients on bad lines sit long: they may not take the server from everybody else."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rowferry.config import gunicorn
from rowferry.exports.conf import WHOLE_NUMBERS
from tests.system.installation import Installation, create_installation, wait_for

pytestmark = pytest.mark.system
ASSETS = 60_000
SLOW = 40
SEATS = WHOLE_NUMBERS["ROWFERRY_FILES_AT_ONCE"]
ORDER = {"format": "csv", "email_notification": False}


class SlowClient(http.client.HTTPConnection):
    """Takes a few kilobytes and then nothing, until it reads again."""

    def connect(self) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(60)
        self.sock.connect((self.host, self.port))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with create_installation(tmp_path, ASSETS) as found:
        yield found


def finish_export(installation: Installation) -> tuple[str, str]:
    """An export whose file no socket swallows whole: its id, and its owner's token."""
    (export_id,) = installation.queue_exports(ORDER)
    worker = installation.start_worker()
    wait_for(lambda: installation.export(export_id)["status"] == "completed", "The export")
    installation.kill(worker)
    return export_id, installation.token("owner")


def test_slow_downloads_leave_room_for_others(installation: Installation) -> None:
    export_id, token = finish_export(installation)
    server = urlsplit(installation.start_web()).netloc
    headers = {"Authorization": f"Bearer {token}"}
    size = installation.export(export_id)["file_size"]
    with ExitStack() as stack:
        for _ in range(SLOW):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2]))))
            assert idle.fileno() > 0
        answers = []
        for _ in range(SLOW):
            client = SlowClient(server)
            client.request("GET", f"/api/v1/exports/{export_id}/download", headers=headers)
            answers.append(client.getresponse())
        served = [one for one in answers if one.status == 200]
        refused = [one for one in answers if one.status != 200]
        assert SEATS <= len(served) <= SEATS * gunicorn.workers
        assert {(one.status, one.headers["Retry-After"]) for one in refused} == {(503, "5")}
        for _ in range(20):
            other = http.client.HTTPConnection(server, timeout=20)
            other.request("GET", "/api/v1/exports", headers=headers)
            assert other.getresponse().status == 200
        assert {len(one.read()) for one in served} == {size}
    again = http.client.HTTPConnection(server, timeout=20)
    again.request("GET", f"/api/v1/exports/{export_id}/download", headers=headers)
    assert len(again.getresponse().read()) == size
