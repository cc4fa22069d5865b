"""Failpoints: moments of an export's life at which a test may make the process die, err, hang, stop or lack space.

The product knows nothing of them. This module wraps named functions of the engine from outside, in processes that
chaos starts. To arm one, put a file `POINT.ACTION.ANYTHING` into the folder `armed`; the process that comes there
first takes it away, to `fired/POINT.ACTION.ANYTHING@PID@NANOSECONDS`, and does what it says. So each fires once,
whoever comes first, in however many processes.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from typing import Any

Hit = Callable[[], None]
Wrap = Callable[[Any, Hit], Any]


class Sabotage(Exception):
    """An error that nobody has foreseen."""


def kill() -> None:
    """Die at once, as by the kernel's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """Stand still, every thread of the process, until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def err() -> None:
    raise Sabotage("Chaos raised this.")


def hang() -> None:
    """Stand still in this thread only: heartbeats go on. Longer than the lease."""
    time.sleep(float(os.environ.get("CHAOS_HANG", "4")))


def lack_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


ACTIONS: dict[str, Callable[[], None]] = {"kill": kill, "raise": err, "hang": hang, "stop": stop, "enospc": lack_space}


def before(function: Any, hit: Hit) -> Any:
    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        hit()
        return function(*args, **kwargs)

    return wrapped


def after(function: Any, hit: Hit) -> Any:
    """Where the function did something: its answer is neither None nor False."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        if found:
            hit()
        return found

    return wrapped


def behind(function: Any, hit: Hit) -> Any:
    """When the function has ended, whatever it answers."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        hit()
        return found

    return wrapped


def between_blocks(convey: Any, hit: Hit) -> Any:
    """After each block of rows. CHAOS_PACE makes each take so many seconds longer, so that kills find it at work."""

    @wraps(convey)
    def wrapped(*args: Any, **kwargs: Any) -> Iterator[Any]:
        pace = float(os.environ.get("CHAOS_PACE", "0"))
        for tally in convey(*args, **kwargs):
            yield tally
            if tally.rows:
                time.sleep(pace)
                hit()

    return wrapped


def once_sent(message: Any, hit: Hit) -> Any:
    """A class of messages, hit when the mail server has said yes."""

    class Sent(message):  # type: ignore[misc]
        def send(self, *args: Any, **kwargs: Any) -> int:
            count = int(super().send(*args, **kwargs))
            hit()
            return count

    return Sent


def after_first_duty(sweep: Any, hit: Hit) -> Any:
    """Between two duties of the scheduler."""

    @wraps(sweep)
    def wrapped(*given: tuple[Callable[[], object], ...]) -> Any:
        first, *rest = given[0] if given else sweep.__defaults__[0]
        return sweep((first, hit_between, *rest))

    def hit_between() -> None:
        hit()

    return wrapped


@dataclass(frozen=True, slots=True)
class Point:
    """A moment: around which function of which module, and how."""

    module: str
    function: str
    wrap: Wrap


ENGINE = "rowferry.exports"
POINTS: dict[str, Point] = {
    "after_insert_before_commit": Point(f"{ENGINE}.lifecycle", "create", after),
    "after_commit_before_ring": Point(f"{ENGINE}.tasks", "notify_workers", before),
    "after_claim": Point(f"{ENGINE}.lifecycle", "claim_due", after),
    "mid_rows": Point(f"{ENGINE}.execution.pipeline", "write_rows", between_blocks),
    "before_fsync": Point(f"{ENGINE}.storage", "Stage.publish", before),
    "after_rename_before_commit": Point(f"{ENGINE}.lifecycle", "complete", before),
    "after_commit_before_ack": Point(f"{ENGINE}.execution.queued", "run_next", after),
    "mail_after_smtp_before_mark": Point(f"{ENGINE}.scheduling.notifications", "EmailMultiAlternatives", once_sent),
    "during_sweep": Point(f"{ENGINE}.scheduling.scheduler", "run_duties", after_first_duty),
    "during_expire": Point(f"{ENGINE}.lifecycle", "expire", after),
    "mid_multipart": Point(f"{ENGINE}.storage.s3", "S3Stage._send", behind),
    "after_complete_before_commit": Point(f"{ENGINE}.storage.s3", "S3Stage._complete", behind),
}
"""A function that has moved is an AttributeError at start, not a failpoint that never fires."""
ON_S3 = ("mid_multipart", "after_complete_before_commit")
"""Points that an export comes to only if its file goes to S3."""


def arm(folder: str) -> None:
    """Wrap every function of POINTS in this process; `folder` holds `armed` and `fired`."""
    for name, point in POINTS.items():
        *path, last = point.function.split(".")
        place: Any = import_module(point.module)
        for step in path:
            place = getattr(place, step)
        setattr(place, last, point.wrap(getattr(place, last), partial(fire, Path(folder), name)))


def fire(folder: Path, name: str) -> None:
    """Do what is armed for this point, if anything is and nobody else has taken it."""
    for armed in sorted(entry.name for entry in (folder / "armed").glob(f"{name}.*")):
        with suppress(FileNotFoundError):
            (folder / "armed" / armed).rename(folder / "fired" / f"{armed}@{os.getpid()}@{time.time_ns()}")
            ACTIONS[armed.split(".")[1]]()
            return


@dataclass(frozen=True, slots=True)
class Fired:
    """What has fired: where, what, in which process, when (Unix seconds)."""

    point: str
    action: str
    pid: int
    at: float


class Armoury:
    """The folder, seen by whoever sets the traps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        for name in ("armed", "fired"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def arm(self, point: str, action: str) -> None:
        self._count += 1
        (self.folder / "armed" / f"{point}.{action}.{self._count}").touch()

    def disarm(self) -> None:
        """Take away what has not fired."""
        for trap in (self.folder / "armed").iterdir():
            trap.unlink(missing_ok=True)

    def waiting(self) -> int:
        """Traps that nobody has stepped into yet."""
        return len(list((self.folder / "armed").iterdir()))

    def fired(self) -> list[Fired]:
        """All that fired, the earliest first."""
        found = []
        for path in (self.folder / "fired").iterdir():
            what, pid, at = path.name.split("@")
            point, action, _ = what.split(".")
            found.append(Fired(point, action, int(pid), int(at) / 1e9))
        return sorted(found, key=lambda one: one.at)
