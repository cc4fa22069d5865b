"""A whole installation to be attacked: its folder, its processes, and its rows, read from outside by this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib.auth.models import User
from django.db import connections
from django.db.models import QuerySet
from tests.services import free_port
from tests.services.running import answers

from chaos.client import GIVE_UP, Client
from chaos.faults.failpoints import FailpointFolder, FiredFailpoint
from chaos.file_rows import Row
from chaos.models import Entry
from chaos.processes import ProcessSupervisor
from chaos.result import ROOT
from chaos.stored_files import storage_reader
from rowferry.config.environment import database
from rowferry.exports.models import EmailOutbox, Export, ExportLog
from rowferry.runtime import supervisor

LEASE = 2.0
POOL = 2
"""Processes of each worker."""
PAUSE = 1.75 * LEASE
"""Seconds of a pause: longer than the lease, so that the work is somebody else's when it is over."""
QUICK = {
    "ROWFERRY_LEASE": f"{LEASE}",
    "ROWFERRY_HEARTBEAT": "0.5",
    "ROWFERRY_SCHEDULER_INTERVAL": "0.3",
    "ROWFERRY_RETRY_DELAY": "1",
    "ROWFERRY_WORKERS": f"{POOL}",
    "ROWFERRY_EXPORTS_PER_MINUTE": "1000000",
    "LOG_LEVEL": "WARNING",
}
SCHEDULER = [sys.executable, "-m", "django", "scheduler"]
NOTES = ("plain", 'Grüße, "quoted"', "two\nlines", "emoji 😀 and ;", "")
_aliases = (f"site{number}" for number in count(1))


class Installation:
    """One installation with a ledger of `rows` entries."""

    def __init__(self, folder: Path, rows: int, **settings: str) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.failpoints = FailpointFolder(folder / "chaos")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_URL")},
            **QUICK,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "chaos.settings",
            "CHAOS_FOLDER": str(folder / "chaos"),
            "ROWFERRY_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'rowferry.sqlite3'}",
            **settings,
        }
        self.storage = storage_reader(self.environment, self.files)
        self.alias = register_database(self.environment["DATABASE_URL"])
        self.processes = ProcessSupervisor(self.environment, folder / "log")
        self._seen: set[FiredFailpoint] = set()
        self.port = free_port()
        self._create_entries(rows)
        self.token = self.run("token", "owner").strip()
        self.client = Client(f"http://127.0.0.1:{self.port}", self.token)

    def _create_entries(self, rows: int) -> None:
        self.run("migrate", "--run-syncdb", "--verbosity=0")
        User.objects.db_manager(self.alias).create_superuser("owner", "owner@example.com", "a long password")
        made = (Entry(account=number % 10, amount=0, note=NOTES[number % 5]) for number in range(rows))
        Entry.objects.using(self.alias).bulk_create(made, batch_size=2_000)

    def run(self, *arguments: str) -> str:
        """A Django command of this installation, to its end; what it printed."""
        command = [sys.executable, "-m", "django", *arguments]
        with (self.folder / "log").open("ab") as log:
            done = subprocess.run(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True, timeout=120, check=True
            )
        return done.stdout

    def start(self, workers: int = 2, schedulers: int = 1) -> None:
        """Start what an installation has. When this returns the web server answers and the workers have their pools."""
        for number in range(schedulers):
            self.processes.start(f"scheduler{number}", SCHEDULER)
        for number in range(workers):
            self.processes.start(f"worker{number}", supervisor.worker_command())
        self.processes.start("web", supervisor.web_command("127.0.0.1", self.port))
        self.wait_until(answers(self.port))
        self.wait_until(
            lambda: all(len(one.children) == POOL for name, one in self.processes.members.items() if "worker" in name)
        )

    def wait_until(self, condition: Callable[[], Any], seconds: float = 60) -> bool:
        """Supervise the processes until the condition holds; False if it does not within so many seconds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.supervise()
            time.sleep(0.05)
        return True

    def create_export(self, kind: str, key: str, **body: Any) -> str:
        """Create an export by the client, and supervise the processes meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.client.create_export, kind, key, **body)
            self.wait_until(answer.done, GIVE_UP)
            return answer.result()

    def supervise(self) -> None:
        """Start again who has died; wake who has slept enough, or was told by a failpoint to stop."""
        for fired in self.failpoints.list_fired():
            if fired.action == "stop" and fired not in self._seen:
                self.processes.schedule_resume(fired.pid, PAUSE)
            if fired.action == "kill":
                self.processes.killed_at.setdefault(fired.pid, fired.at)
            self._seen.add(fired)
        self.processes.supervise()

    @property
    def exports(self) -> QuerySet[Export]:
        return Export.objects.using(self.alias)

    @property
    def logs(self) -> QuerySet[ExportLog]:
        return ExportLog.objects.using(self.alias)

    @property
    def mails(self) -> QuerySet[EmailOutbox]:
        return EmailOutbox.objects.using(self.alias)

    def rows(self) -> list[Row]:
        """The ledger as the table has it now."""
        return list(Entry.objects.using(self.alias).order_by("id").values_list("id", "account", "amount", "note"))

    def remove_orphans(self) -> None:
        """What the scheduler does with files that no row needs, however new."""
        self.run("shell", "--no-imports", "-c", "from rowferry.exports.scheduling import scheduler; scheduler.tidy(0)")

    @property
    def log(self) -> str:
        """What the processes have said."""
        return (self.folder / "log").read_text(errors="replace")


def register_database(url: str) -> str:
    """A name by which this process reaches the database of an installation."""
    alias = next(_aliases)
    connections.settings |= {alias: connections.configure_settings({"default": {}, alias: database(url)})[alias]}
    return alias


@contextmanager
def create_installation(rows: int, **settings: str) -> Iterator[Installation]:
    """An installation in a temporary folder; all that it started is killed at the end."""
    with TemporaryDirectory(prefix="rowferry-chaos-", ignore_cleanup_errors=True) as folder:
        installation = Installation(Path(folder), rows, **settings)
        try:
            yield installation
        finally:
            installation.processes.remove_all()
            connections[installation.alias].close()
