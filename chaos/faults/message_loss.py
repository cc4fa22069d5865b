"""The bell that rings as often as a test wants: never, once, three times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rowferry.exports import tasks


class Bells:
    """In the place of Celery's task: each message is sent as often as the file `bells` says."""

    def __init__(self, task: Any, folder: Path) -> None:
        self.task, self.folder = task, folder

    def apply_async(self, **options: Any) -> None:
        for _ in range(times(self.folder)):
            self.task.apply_async(**options)


def times(folder: Path) -> int:
    """How often each message is sent now."""
    try:
        return int((folder / "bells").read_text())
    except FileNotFoundError:
        return 1


def arm(folder: str) -> None:
    """From now on this process rings so."""
    tasks.run = Bells(tasks.run, Path(folder))
