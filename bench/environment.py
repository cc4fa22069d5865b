"""Where and on what it was measured: without this a number of seconds means nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests import services

from bench.measuring import ROOT

LIBRARIES = ("django", "psycopg", "isal", "celery", "gunicorn")
NUMBER = re.compile(r"\d+\.\d+(\.\d+)?")


def describe(peers: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Date, commit, machine and versions: what every line of results carries."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": {
            "cores": os.cpu_count(),
            "cpu": cpu(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
            "load": os.getloadavg()[0],
        },
        "versions": programs() | {name: version(name) for name in LIBRARIES} | libraries(peers),
    }


def commit() -> str:
    """The commit's id, with a + if files differ from it."""
    known = git("rev-parse", "--short", "HEAD") or "unknown"
    return known + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def cpu() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def programs() -> dict[str, str]:
    found = {
        "postgresql": program_version(str(services.find_programs() / "postgres")),
        "mariadb": program_version("mariadbd"),
        "sqlite": program_version("sqlite3"),
        "php": program_version("php"),
    }
    return {"python": platform.python_version()} | {name: number for name, number in found.items() if number}


def program_version(program: str) -> str:
    """The version that a program tells of itself, '' if it is not there."""
    if not shutil.which(program):
        return ""
    said = NUMBER.search(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout)
    return said[0] if said else ""


def libraries(peers: list[Mapping[str, Any]]) -> dict[str, str]:
    return {name.lower(): number for peer in peers for name, number in peer["uses"].items()}
