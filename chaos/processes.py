"""The processes of an installation under attack: killed, paused, and started again as a supervisor would."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rowferry.runtime.supervisor import _dying_with_its_parent as dying_with_its_parent


@dataclass(slots=True)
class Member:
    """One command and the process that runs it now."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    wanted: bool = True

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def children(self) -> list[int]:
        """The processes that it has started: a worker's pool."""
        return children_of(self.pid)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started, by whichever of its threads; none if it is gone."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


class Crew:
    """Call `look` often, and all that starts processes from one thread: they die with the thread that started them."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.environment = dict(environment)
        self.members: dict[str, Member] = {}
        self.ends: dict[int, float] = {}
        """When which process was killed: Unix seconds by process id."""
        self._log = log.open("ab")
        self._asleep: dict[int, float] = {}

    def start(self, name: str, command: Sequence[str]) -> Member:
        self.members[name] = Member(name, command, self._process(command))
        return self.members[name]

    def look(self) -> None:
        """Start again who has died; wake who has slept enough."""
        for member in self.members.values():
            if member.wanted and member.process.poll() is not None:
                self._end_group(member)
                member.process = self._process(member.command)
        for pid in [pid for pid, until in self._asleep.items() if until <= time.monotonic()]:
            self.wake(pid)

    def kill(self, name: str) -> None:
        """SIGKILL to a member and all that it started."""
        member = self.members[name]
        self._note(member.pid, *member.children)
        self._end_group(member)

    def kill_one(self, pid: int) -> None:
        """SIGKILL to one process of the crew."""
        self._note(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def pause(self, pid: int, seconds: float) -> None:
        """SIGSTOP now, SIGCONT by `look` when so many seconds are over."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self.sleeps(pid, seconds)

    def sleeps(self, pid: int, seconds: float) -> None:
        """Remember to wake a process that has stopped."""
        self._asleep[pid] = time.monotonic() + seconds

    def wake(self, pid: int) -> None:
        self._asleep.pop(pid, None)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def end(self, name: str) -> None:
        """Kill a member for good."""
        self.members[name].wanted = False
        self.kill(name)

    def end_all(self) -> None:
        for pid in list(self._asleep):
            self.wake(pid)
        for name in self.members:
            self.end(name)
        self._log.close()

    def _note(self, *pids: int) -> None:
        self.ends |= dict.fromkeys(pids, time.time())

    def _end_group(self, member: Member) -> None:
        with suppress(ProcessLookupError):
            os.killpg(member.pid, signal.SIGKILL)
        member.process.wait()

    def _process(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            process_group=0,
            preexec_fn=dying_with_its_parent(),
        )
