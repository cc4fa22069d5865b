"""The command against a running server: our own, and one that breaks off."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from rowferry.api.models import issue
from rowferry.cli.clients import http
from rowferry.exports.execution.queued import run_next
from rowferry.exports.models import Export
from tests.cli.conftest import Cli
from tests.factories.assets import AssetFactory

FILE = b"".join(b"%d\r\n" % number for number in range(50_000))
SHA256 = hashlib.sha256(FILE).hexdigest()
EXPORT_ID = "6c7a2c1e-5f0e-4a55-9d0c-0d6b8f4f5a11"


@pytest.fixture
def at_server(transactional_db: None, live_server: LiveServer, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command with a server and the owner's token in its environment."""
    owner = User.objects.create_user("owner")
    owner.user_permissions.set(Permission.objects.filter(codename__startswith="export_"))
    monkeypatch.setenv("ROWFERRY_SERVER", f"{live_server.url}/")
    monkeypatch.setenv("ROWFERRY_TOKEN", issue(owner, "", None))
    return cli


class InterruptedHandler(BaseHTTPRequestHandler):
    """A server whose first answer breaks off half way. `honest` = the bytes are what the record says."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []
    seen: ClassVar[list[str | None]] = []
    honest: ClassVar[bool] = True
    status: ClassVar[str] = "completed"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, FILE, len(FILE) // 2)

    def do_GET(self) -> None:
        if not self.path.endswith("/download"):
            return self._record()
        wanted = self.headers["Range"]
        self.seen.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if wanted:
            assert self.headers["If-Range"] == f'"{SHA256}"'
        rest = FILE[start:] if self.honest else b"?" * len(FILE[start:])
        return self._send(206 if wanted else 200, rest, len(rest) // 2 if len(self.seen) == 1 else len(rest))

    def log_message(self, *_: Any) -> None:
        pass

    def _record(self) -> None:
        record = {
            "export_id": EXPORT_ID,
            "resource_type": "assets",
            "status": self.status,
            "exported_items": 50_000,
            "failed_items": 0,
            "total_items": 50_000,
            "file_size": len(FILE),
            "checksum": f"sha256:{SHA256}",
            "error": {"detail": "The database refused."} if self.status == "failed" else None,
        }
        data = json.dumps(record).encode()
        self._send(200, data, len(data))

    def _send(self, status: int, data: bytes, sent: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Export-Id", EXPORT_ID)
        self.send_header("ETag", f'"{SHA256}"')
        self.send_header("Content-Disposition", 'attachment; filename="../assets.csv"')
        self.end_headers()
        self.wfile.write(data[:sent])
        self.close_connection = sent < len(data)


@pytest.fixture
def interrupted_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[InterruptedHandler]]:
    """A server that breaks off, in the environment of the command; its pauses are cut short."""
    server_class = type("Fresh", (InterruptedHandler,), {"seen": []})
    monkeypatch.setattr(http, "RETRY_DELAYS", (0.01, 0.01))
    with ThreadingHTTPServer(("127.0.0.1", 0), server_class) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        monkeypatch.setenv("ROWFERRY_SERVER", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("ROWFERRY_TOKEN", "rf_x")
        yield server_class
        server.shutdown()


@pytest.mark.parametrize("count", [1, 1_200], ids=["immediate", "streamed"])
def test_a_file_answered_at_once_is_the_kept_one(at_server: Cli, storage_folder: Path, count: int) -> None:
    AssetFactory.create_batch(count)
    result = at_server("export", "assets", "-f", "csv", "--columns", "id,name", "-o", "-")
    assert result.exit_code == 0, result.stderr
    export = Export.objects.get()
    assert export.mode == ("immediate" if count == 1 else "streamed")
    assert result.stdout_bytes == (storage_folder / export.file_key).read_bytes()
    assert f"{count:,} row{'s' if count > 1 else ''}," in result.stderr


def test_a_queued_export_is_waited_for_and_downloaded(at_server: Cli, storage_folder: Path) -> None:
    AssetFactory.create_batch(3)
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(stop,), daemon=True)
    worker.start()
    result = at_server("export", "assets", "-f", "json", "--queue")
    stop.set()
    worker.join()
    assert result.exit_code == 0, result.stderr
    export = Export.objects.get()
    assert Path(result.stdout.strip()) == Path.cwd() / export.filename
    assert Path(export.filename).read_bytes() == (storage_folder / export.file_key).read_bytes()


def work(stop: threading.Event) -> None:
    """A worker, for as long as the test needs one."""
    while not stop.wait(0.1):
        run_next()
    connection.close()


def test_the_history_of_a_server_reads_like_the_one_here(
    at_server: Cli, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SITE_URL = live_server.url
    AssetFactory()
    assert at_server("export", "assets", "-f", "csv").exit_code == 0
    export_id = str(Export.objects.get().pk)
    commands = [["list"], ["show", export_id], ["logs", export_id]]
    there = [json.loads(at_server("exports", *words, "--json").stdout) for words in commands]
    plain = [at_server("exports", *words).stdout for words in (["list"], ["logs", export_id])]
    described = [at_server("resources", *words, "--json").stdout for words in ([], ["assets"])]
    monkeypatch.delenv("ROWFERRY_SERVER")
    here = [json.loads(at_server("exports", *words, "--json").stdout) for words in commands]
    assert there == here
    assert plain == [at_server("exports", *words).stdout for words in (["list"], ["logs", export_id])]
    for words, told in zip(([], ["assets"]), described, strict=True):
        assert json.loads(told) == json.loads(at_server("resources", *words, "--json").stdout)


def test_files_at_a_server_can_be_had_cancelled_retried_and_deleted(at_server: Cli) -> None:
    AssetFactory()
    at_server("export", "assets", "-f", "csv", "-o", "first.csv")
    export = Export.objects.get()
    assert at_server("exports", "download", export.pk, "-o", "again.csv").exit_code == 0
    assert Path("again.csv").read_bytes() == Path("first.csv").read_bytes()
    assert at_server("exports", "retry", export.pk).exit_code == 1
    assert at_server("exports", "delete", export.pk).exit_code == 0
    gone = at_server("exports", "download", export.pk)
    assert (gone.exit_code, gone.stdout) == (1, "")
    assert "not there any more" in gone.stderr


def test_the_servers_problems_are_told_in_words(at_server: Cli) -> None:
    column = at_server("export", "assets", "-f", "csv", "--columns", "colour", "--sort-by", "size")
    assert column.exit_code == 1
    assert "columns: Unknown: colour. There are: id, name" in column.stderr
    assert "  sort_by: Must be one of" in column.stderr
    token = at_server("exports", "list", "--token", "wrong")
    assert (token.exit_code, token.stdout) == (1, "")
    assert "token is unknown" in token.stderr
    assert list(Path.cwd().iterdir()) == []


def test_too_many_requests_are_told_with_the_time_to_wait(at_server: Cli, settings: Any) -> None:
    settings.ROWFERRY_EXPORTS_PER_MINUTE = 1
    assert at_server("export", "assets", "-f", "csv", "-o", "-").exit_code == 0
    result = at_server("export", "assets", "-f", "csv", "-o", "-")
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert "Try again in " in result.stderr


def test_a_server_that_is_not_there_is_told(cli: Cli) -> None:
    result = cli("exports", "list", "--server", "http://127.0.0.1:9", "--token", "t")
    assert result.exit_code == 1
    assert "http://127.0.0.1:9 does not answer" in result.stderr


def test_an_answer_that_breaks_off_is_resumed_where_it_broke(
    cli: Cli, interrupted_server: type[InterruptedHandler]
) -> None:
    result = cli("export", "assets", "-f", "csv")
    half = len(FILE) // 2
    assert result.exit_code == 0, result.stderr
    assert interrupted_server.seen == [f"bytes={half}-", f"bytes={half + (len(FILE) - half) // 2}-"]
    assert Path("assets.csv").read_bytes() == FILE
    assert [path.name for path in Path.cwd().iterdir()] == ["assets.csv"]


def test_a_download_that_breaks_off_is_resumed(cli: Cli, interrupted_server: type[InterruptedHandler]) -> None:
    assert cli("exports", "download", EXPORT_ID, "-o", "file.csv").exit_code == 0
    assert interrupted_server.seen == [None, f"bytes={len(FILE) // 2}-"]
    assert Path("file.csv").read_bytes() == FILE


def test_bytes_that_are_not_those_of_the_record_are_refused(
    cli: Cli, interrupted_server: type[InterruptedHandler]
) -> None:
    interrupted_server.honest = False
    result = cli("exports", "download", EXPORT_ID, "-o", "file.csv")
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert list(Path.cwd().iterdir()) == []


def test_a_stream_whose_export_failed_is_a_failure_with_its_reason(
    cli: Cli, interrupted_server: type[InterruptedHandler]
) -> None:
    interrupted_server.status = "failed"
    result = cli("export", "assets", "-f", "csv", "-o", "file.csv")
    assert result.exit_code == 1
    assert f"The database refused. `rowferry exports retry {EXPORT_ID}`" in result.stderr
    assert list(Path.cwd().iterdir()) == []
