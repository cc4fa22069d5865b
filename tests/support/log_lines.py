"""Looking at processes from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def wait_for(condition: Callable[[], bool], seconds: float = 60, story: Callable[[], str] = str) -> None:
    """Wait until something is so; fail with the story of what happened instead."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, story() or "nothing happened"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has buried yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
