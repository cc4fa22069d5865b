"""A whole installation in a folder of its own, with real processes: what a test may start, kill, and look into."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from python_calamine import CalamineWorkbook

from rowferry.runtime import supervisor
from tests.services.running import answers, free_port

PATIENCE = 50.0
"""Seconds to wait for what has to come to pass, on a slow machine too."""
QUICK = {
    "ROWFERRY_LEASE": "2",
    "ROWFERRY_HEARTBEAT": "0.5",
    "ROWFERRY_SCHEDULER_INTERVAL": "0.3",
    "ROWFERRY_RETRY_DELAY": "1",
    "ROWFERRY_WORKERS": "2",
}
WORKER, SCHEDULER = supervisor.worker_command(), supervisor.scheduler_command()
"""Asked for before any test changes a setting: then Django no longer says which module its settings are from."""
ORDER = """
import django, json, sys
django.setup()
from django.contrib.auth.models import Permission, User
from rowferry.assets.models import Asset
user, _ = User.objects.get_or_create(username="owner", email="owner@example.com")
user.user_permissions.set(Permission.objects.filter(codename="export_asset"))
user = User.objects.get(pk=user.pk)
print(json.dumps([str(Asset.exports.run(queue=True, user=user, **order).pk) for order in json.loads(sys.argv[1])]))
"""
REMOVE_ORPHANS = "import django; django.setup(); from rowferry.exports.scheduling import scheduler; scheduler.tidy(0)"
Row = dict[str, Any]


class Installation:
    """Its folder, its processes, and the rows of its database, read from outside."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_URL")},
            **QUICK,
            "ROWFERRY_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'rowferry.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "rowferry.config.settings",
            **settings,
        }
        self.output: IO[bytes] | None = None
        """Where processes that are started from now on write to; None = where this one does."""
        self._running: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def command(self, *arguments: str) -> None:
        self._python("-m", "django", *arguments)

    def queue_exports(self, *orders: Row) -> list[str]:
        """Queue one export for each of these; their ids."""
        ids: list[str] = json.loads(self._python("-c", ORDER, json.dumps(orders)))
        return ids

    def remove_orphans(self) -> None:
        """What the scheduler does with files that no row needs, however new."""
        self._python("-c", REMOVE_ORPHANS)

    def start_worker(self) -> subprocess.Popen[bytes]:
        self.workers.append(self._start(WORKER))
        return self.workers[-1]

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        return self._start(SCHEDULER)

    def start_web(self) -> str:
        """A web server that answers; its address."""
        port = free_port()
        self._start(supervisor.web_command("127.0.0.1", port))
        wait_for(answers(port), "The web server")
        return f"http://127.0.0.1:{port}"

    def token(self, name: str) -> str:
        """A new bearer token of somebody."""
        return self._python("-m", "django", "token", name).strip()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to the process and all that it started."""
        with suppress(ProcessLookupError):  # it has ended by itself, and all that it started
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._running.remove(process)

    def end(self) -> None:
        for process in list(self._running):
            self.kill(process)

    def rows(self, sql: str, *values: object) -> list[Row]:
        with closing(sqlite3.connect(self.folder / "rowferry.sqlite3", timeout=30)) as link:
            link.row_factory = sqlite3.Row
            return [dict(row) for row in link.execute(sql, values)]

    def change(self, sql: str, *values: object) -> None:
        """What an administrator does meanwhile."""
        with closing(sqlite3.connect(self.folder / "rowferry.sqlite3", timeout=30)) as link, link:
            link.execute(sql, values)

    def export(self, export_id: str) -> Row:
        (row,) = self.rows("SELECT * FROM rowferry_export WHERE id = ?", export_id.replace("-", ""))
        return row

    def events(self, export_id: str) -> list[str]:
        found = self.rows(
            "SELECT event FROM rowferry_exportlog WHERE export_id = ? ORDER BY id", export_id.replace("-", "")
        )
        return [row["event"] for row in found if row["event"] != "progress"]

    def file_of(self, export: Row) -> bytes:
        """The bytes that a download would give, if they are what the row says."""
        data = (self.files / export["file_key"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (export["file_size"], export["sha256"])
        return data

    def mails(self) -> list[bytes]:
        return [path.read_bytes() for path in (self.folder / "mail").glob("*.eml")]

    def _python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, env=self.environment, process_group=0, stdout=self.output, stderr=self.output
        )
        self._running.append(process)
        return process


@contextmanager
def create_installation(folder: Path, assets: int, **settings: str) -> Iterator[Installation]:
    """An installation with so many assets; all that it started is killed at the end."""
    installation = Installation(folder, **settings)
    installation.command("migrate", "--verbosity=0")
    installation.command("seed_assets", f"--assets={assets}")
    try:
        yield installation
    finally:
        installation.end()


def wait_for(condition: Callable[[], Any], what: str, pause: float = 0.02) -> None:
    """Look again and again until it is so; after PATIENCE the test fails."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: it did not come to pass in {PATIENCE:g} s."
        time.sleep(pause)


def ids_in(data: bytes, kind: str) -> list[int]:
    """The ids in an exported file, read by another program."""
    if kind == "csv":
        return [int(row["id"]) for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))]
    if kind == "json":
        return [row["id"] for row in json.loads(data)["data"]]
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    return [int(row[rows[0].index("id")]) for row in rows[1:]]
