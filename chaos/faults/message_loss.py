"""Sends each wake-up message as often as a test wants: never, once, three times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rowferry.exports import tasks

FILE = "copies"
"""Holds the number of copies of each message that are sent."""


class RepeatedTask:
    """Replaces Celery's task: each message is sent as often as FILE says."""

    def __init__(self, task: Any, folder: Path) -> None:
        self.task, self.folder = task, folder

    def apply_async(self, **options: Any) -> None:
        for _ in range(copies(self.folder)):
            self.task.apply_async(**options)


def copies(folder: Path) -> int:
    """How often each message is sent now."""
    try:
        return int((folder / FILE).read_text())
    except FileNotFoundError:
        return 1


def arm(folder: str) -> None:
    """From now on this process sends messages so."""
    tasks.run = RepeatedTask(tasks.run, Path(folder))
