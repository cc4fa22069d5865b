"""What a hundred open pages cost the export that they watch.

`python -m bench.polling`: an installation of its own with SQLite, web server and worker; the same export again and
again, in turns with nobody watching and with PEOPLE sessions that ask as the page does, every two seconds. Prints for
each turn the seconds of the export and the seconds of CPU of its worker, then the medians and what watching adds.
Bounded: TURNS exports of each kind. On a machine that others use too, CPU is the figure to look at.
"""

from __future__ import annotations

import html
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.system.installation import Installation, create_installation

from bench.data import SEEDED, copy_statement

PEOPLE = int(os.environ.get("BENCH_POLLING_PEOPLE", "100"))
ROWS = int(os.environ.get("BENCH_POLLING_ROWS", "200000"))
TURNS = int(os.environ.get("BENCH_POLLING_TURNS", "3"))
LONGEST = 300.0
POLL_INTERVAL = 2.0
"""Seconds between two questions of one page, as in pulse.html."""
ROOM = {"ROWFERRY_EXPORTS_PER_MINUTE": "1000"}
SESSIONS = """
import django, sys
django.setup()
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
user = User.objects.get(username="owner")
for _ in range(int(sys.argv[1])):
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session.create()
    print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
"""
ASKS = re.compile(r'id="pulse" hx-get="([^"]+)"')


@dataclass
class PollingPages:
    """PEOPLE pages that watch one export: how often they asked, and what went wrong."""

    address: str
    export_id: str
    requests: int = 0
    failed: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def poll(self, cookie: str, begin: float) -> None:
        """One of them, until its export is done or the turn is over."""
        client = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=60)
        path: str | None = f"/progress?seen=&view=&id={self.export_id}"
        if self.over.wait(begin):
            return
        while path and not self.over.is_set():
            client.request("GET", path, headers={"Cookie": cookie, "HX-Request": "true"})
            answer = client.getresponse()
            said = answer.read().decode()
            self.requests += 1
            if answer.status == 200:
                found = ASKS.search(said)
                path = html.unescape(found[1]) if found else None
            elif answer.status != 204:
                self.failed.append(f"{answer.status}: {said[:200]}")
                return
            self.over.wait(POLL_INTERVAL)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, create_installation(Path(folder), SEEDED, **ROOM) as installation:
        for shift in range(SEEDED, ROWS, SEEDED):
            installation.change(copy_statement(shift))
        installation.start_scheduler()
        address = installation.start_web()
        installation.queue_exports({"format": "csv", "filters": {"search": "nothing is called that"}})
        made = [sys.executable, "-c", SESSIONS, str(PEOPLE)]
        cookies = subprocess.run(
            made, env=installation.environment, capture_output=True, text=True, check=True
        ).stdout.split()
        measure(installation, address, cookies)


def measure(installation: Installation, address: str, cookies: list[str]) -> None:
    worker = installation.start_worker()
    turns: dict[str, list[tuple[float, float]]] = {"alone": [], "watched": []}
    for number in range(TURNS + 1):  # the first pair warms up
        for kind, watching in (("alone", []), ("watched", cookies)):
            cost, asked = run_turn(installation, worker.pid, address, watching)
            print(f"{kind:<8} {cost[0]:6.2f} s  worker {cost[1]:6.2f} s of CPU  {asked} questions", flush=True)
            if number:
                turns[kind].append(cost)
    for what, column in (("seconds", 0), ("CPU of the worker", 1)):
        alone, watched = (statistics.median(cost[column] for cost in turns[kind]) for kind in ("alone", "watched"))
        print(f"{what:<18} alone {alone:6.2f}  watched by {PEOPLE} {watched:6.2f}  {watched / alone - 1:+.1%}")


def run_turn(
    installation: Installation, worker: int, address: str, cookies: list[str]
) -> tuple[tuple[float, float], int]:
    """One export: its seconds, the CPU of its worker meanwhile, and how often was asked."""
    before = cpu_of(worker)
    (export_id,) = installation.queue_exports({"format": "excel"})
    with run_pages(PollingPages(address, export_id), cookies) as watch:
        row = wait_for_end(installation, export_id)
    assert row["status"] == "completed", row["status"]
    began, done = (datetime.fromisoformat(row[name]) for name in ("started_at", "completed_at"))
    return ((done - began).total_seconds(), cpu_of(worker) - before), watch.requests


def wait_for_end(installation: Installation, export_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + LONGEST
    while not (row := installation.export(export_id))["completed_at"]:
        assert time.monotonic() < deadline, f"The export took more than {LONGEST:g} s."
        time.sleep(0.2)
    return row


@contextmanager
def run_pages(watch: PollingPages, cookies: list[str]) -> Iterator[PollingPages]:
    gap = POLL_INTERVAL / max(1, len(cookies))
    pages = [threading.Thread(target=watch.poll, args=(cookie, n * gap)) for n, cookie in enumerate(cookies)]
    for page in pages:
        page.start()
    try:
        yield watch
    finally:
        watch.over.set()
        for page in pages:
            page.join()
    assert watch.failed == []


def cpu_of(group: int) -> float:
    """Seconds of CPU of all processes of a group, those that have ended included."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += sum(map(int, fields[11:13])) + (
                sum(map(int, fields[13:15])) if path.parent.name == str(group) else 0
            )
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s in all")
