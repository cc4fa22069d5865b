"""The whole installation, as real processes in a folder of its own."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import openpyxl
import pytest

pytestmark = pytest.mark.system

ROWFERRY = str(Path(sys.executable).with_name("rowferry"))
FOREIGN = (
    "DATABASE_URL",
    "BROKER_URL",
    "STORAGE_URL",
    "EMAIL_URL",
    "SITE_URL",
    "SECRET_KEY",
    "ROWFERRY_SERVER",
    "ROWFERRY_TOKEN",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a fresh installation."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {**kept, "ROWFERRY_DATA_DIR": str(tmp_path / "data"), "LOG_LEVEL": "WARNING", "ROWFERRY_WORKERS": "1"}


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    folder = Path(environment["ROWFERRY_DATA_DIR"]).parent
    command = [ROWFERRY, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done


@contextmanager
def serving(environment: Mapping[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`rowferry up`, listening; ended by SIGTERM."""
    folder = Path(environment["ROWFERRY_DATA_DIR"]).parent
    command = [ROWFERRY, "up", "--port", str(port)]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while not listens(port):
            assert process.poll() is None, (folder / "up.log").read_text()
            assert time.monotonic() < until, (folder / "up.log").read_text()
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def living(environment: Mapping[str, str]) -> list[str]:
    """The command lines of all processes that run on this installation."""
    mark = f"ROWFERRY_DATA_DIR={environment['ROWFERRY_DATA_DIR']}".encode()
    return [lines for folder in Path("/proc").glob("[0-9]*") if (lines := command_line(folder, mark))]


def command_line(folder: Path, mark: bytes) -> str:
    try:
        if mark in (folder / "environ").read_bytes().split(b"\0"):
            return (folder / "cmdline").read_text()
    except OSError:
        pass
    return ""


def test_the_folder_of_the_database_is_made_with_it(environment: dict[str, str]) -> None:
    """A secret key of one's own means that no file has been put there before."""
    run(environment | {"SECRET_KEY": "k" * 50}, "migrate")


def test_a_queued_export_through_the_running_server(environment: dict[str, str], port: int) -> None:
    run(environment, "migrate")
    run(environment, "seed", "--assets", "300", "--tickets", "20")
    run(environment, "user", "ann", "--email", "ann@example.com")
    token = run(environment, "token", "ann").stdout.decode().strip()
    with serving(environment, port) as process:
        assert len(living(environment)) >= 4
        there = ("--server", f"http://127.0.0.1:{port}", "--token", token)
        told = run(environment, "export", "assets", "--format", "csv", "--queue", "-o", "assets.csv", *there)
        listed = run(environment, "exports", "list", *there).stdout.decode().split("\t")
        levels = {one["level"] for one in json.loads(run(environment, "doctor", "--wait", "30", "--json").stdout)}
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=30)
    data = (Path(environment["ROWFERRY_DATA_DIR"]).parent / "assets.csv").read_bytes()
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert (len(table), len(table[0])) == (301, 13)
    assert hashlib.sha256(data).hexdigest() in told.stderr.decode()
    assert listed[2:5] == ["assets", "csv", "completed"]
    assert "FAIL" not in levels
    assert (ready.status_code, ready.json()["status"]) == (200, "ok"), ready.text
    assert process.returncode == 0
    assert living(environment) == []


def test_a_queued_export_here_waits_for_a_worker(environment: dict[str, str], port: int) -> None:
    run(environment, "migrate")
    run(environment, "seed", "--tickets", "20")
    with serving(environment, port):
        data = run(environment, "export", "tickets", "-f", "csv", "--queue", "-o", "-").stdout
    assert len(list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))) == 21


def test_the_demo_exports_and_says_where(environment: dict[str, str], port: int) -> None:
    words = ("demo", "--once", "--assets", "200", "--tickets", "10", "--port", str(port))
    told = run(environment, *words).stderr.decode()
    (path,) = (Path(environment["ROWFERRY_DATA_DIR"]) / "demo").iterdir()
    assert openpyxl.load_workbook(path).worksheets[0].max_row == 201
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    for fact in (str(path), "200 rows", sha256, f"http://127.0.0.1:{port}/", "Login   demo, password demo"):
        assert fact in told
    assert living(environment) == []


def test_a_bar_is_drawn_on_a_terminal_and_the_file_stays_the_same(environment: dict[str, str]) -> None:
    run(environment, "migrate")
    run(environment, "seed", "--tickets", "20")
    words = ("export", "tickets", "-f", "csv", "-o", "-")
    piped = run(environment, *words)
    terminal, its_other_end = os.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen, os.fdopen(its_other_end, "wb", buffering=0) as stderr:
        done = subprocess.run([ROWFERRY, *words], env=environment, stdout=subprocess.PIPE, stderr=stderr, check=True)
        drawn = screen.read(65536)
    assert done.stdout == piped.stdout
    assert b"Copying" in drawn
    assert b"100%" in drawn
    assert b"Copying" not in piped.stderr


def test_a_port_that_is_taken_is_told(environment: dict[str, str], port: int) -> None:
    run(environment, "migrate")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        command = [ROWFERRY, "up", "--port", str(port)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1, port {port}" in done.stderr
