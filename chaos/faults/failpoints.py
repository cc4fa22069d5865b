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


class InjectedError(Exception):
    """An error that nobody has foreseen."""


def kill() -> None:
    """Die at once, as by the kernel's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """Stand still, every thread of the process, until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def raise_error() -> None:
    raise InjectedError("Chaos raised this.")


def hang() -> None:
    """Stand still in this thread only: heartbeats go on. Longer than the lease."""
    time.sleep(float(os.environ.get("CHAOS_HANG", "4")))


def raise_no_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


ACTIONS: dict[str, Callable[[], None]] = {
    "kill": kill,
    "raise": raise_error,
    "hang": hang,
    "stop": stop,
    "enospc": raise_no_space,
}


def hit_before(function: Any, hit: Hit) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        hit()
        return function(*args, **kwargs)

    return wrapper


def hit_after_result(function: Any, hit: Hit) -> Any:
    """Where the function did something: its answer is neither None nor False."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        if found:
            hit()
        return found

    return wrapper


def hit_after(function: Any, hit: Hit) -> Any:
    """When the function has ended, whatever it answers."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        hit()
        return found

    return wrapper


def hit_between_blocks(write_rows: Any, hit: Hit) -> Any:
    """After each block of rows. CHAOS_PACE makes each take so many seconds longer, so that kills find it at work."""

    @wraps(write_rows)
    def wrapper(*args: Any, **kwargs: Any) -> Iterator[Any]:
        pace = float(os.environ.get("CHAOS_PACE", "0"))
        for tally in write_rows(*args, **kwargs):
            yield tally
            if tally.rows:
                time.sleep(pace)
                hit()

    return wrapper


def hit_after_send(message: Any, hit: Hit) -> Any:
    """A class of messages, hit when the mail server has said yes."""

    class Sent(message):  # type: ignore[misc]
        def send(self, *args: Any, **kwargs: Any) -> int:
            count = int(super().send(*args, **kwargs))
            hit()
            return count

    return Sent


def hit_after_first_duty(run_duties: Any, hit: Hit) -> Any:
    """Between two duties of the scheduler."""

    @wraps(run_duties)
    def wrapper(*given: tuple[Callable[[], object], ...]) -> Any:
        first, *rest = given[0] if given else run_duties.__defaults__[0]
        return run_duties((first, hit_between, *rest))

    def hit_between() -> None:
        hit()

    return wrapper


@dataclass(frozen=True, slots=True)
class Failpoint:
    """A moment: around which function of which module, and how."""

    module: str
    function: str
    wrap: Wrap


ENGINE = "rowferry.exports"
POINTS: dict[str, Failpoint] = {
    "after_insert_before_commit": Failpoint(f"{ENGINE}.lifecycle", "create", hit_after_result),
    "after_commit_before_notify": Failpoint(f"{ENGINE}.tasks", "notify_workers", hit_before),
    "after_claim": Failpoint(f"{ENGINE}.lifecycle", "claim_due", hit_after_result),
    "mid_rows": Failpoint(f"{ENGINE}.execution.pipeline", "write_rows", hit_between_blocks),
    "before_fsync": Failpoint(f"{ENGINE}.storage", "Stage.publish", hit_before),
    "after_rename_before_commit": Failpoint(f"{ENGINE}.lifecycle", "complete", hit_before),
    "after_commit_before_ack": Failpoint(f"{ENGINE}.execution.queued", "run_next", hit_after_result),
    "mail_after_smtp_before_mark": Failpoint(
        f"{ENGINE}.scheduling.notifications", "EmailMultiAlternatives", hit_after_send
    ),
    "during_scheduler_run": Failpoint(f"{ENGINE}.scheduling.scheduler", "run_duties", hit_after_first_duty),
    "during_expire": Failpoint(f"{ENGINE}.lifecycle", "expire", hit_after_result),
    "mid_multipart": Failpoint(f"{ENGINE}.storage.s3", "S3Stage._send", hit_after),
    "after_complete_before_commit": Failpoint(f"{ENGINE}.storage.s3", "S3Stage._complete", hit_after),
}
"""A function that has moved is an AttributeError at start, not a failpoint that never fires."""
ON_S3 = ("mid_multipart", "after_complete_before_commit")
"""Points that an export comes to only if its file goes to S3."""


def arm(folder: str) -> None:
    """Wrap every function of POINTS in this process; `folder` holds `armed` and `fired`."""
    for name, point in POINTS.items():
        *path, last = point.function.split(".")
        installation: Any = import_module(point.module)
        for step in path:
            installation = getattr(installation, step)
        setattr(installation, last, point.wrap(getattr(installation, last), partial(fire, Path(folder), name)))


def fire(folder: Path, name: str) -> None:
    """Do what is armed for this point, if anything is and nobody else has taken it."""
    for armed in sorted(entry.name for entry in (folder / "armed").glob(f"{name}.*")):
        with suppress(FileNotFoundError):
            (folder / "armed" / armed).rename(folder / "fired" / f"{armed}@{os.getpid()}@{time.time_ns()}")
            ACTIONS[armed.split(".")[1]]()
            return


@dataclass(frozen=True, slots=True)
class FiredFailpoint:
    """What has fired: where, what, in which process, when (Unix seconds)."""

    point: str
    action: str
    pid: int
    at: float


class FailpointFolder:
    """Arms failpoints by files in the folder, and reads which of them have fired."""

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
        for path in (self.folder / "armed").iterdir():
            path.unlink(missing_ok=True)

    def count_armed(self) -> int:
        """How many are armed and have not fired."""
        return len(list((self.folder / "armed").iterdir()))

    def list_fired(self) -> list[FiredFailpoint]:
        """All that fired, the earliest first."""
        found = []
        for path in (self.folder / "fired").iterdir():
            what, pid, at = path.name.split("@")
            point, action, _ = what.split(".")
            found.append(FiredFailpoint(point, action, int(pid), int(at) / 1e9))
        return sorted(found, key=lambda one: one.at)
