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

from rowferry.runtime.supervisor import _parent_death_hook as dying_with_its_parent


@dataclass(slots=True)
class ManagedProcess:
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


class ProcessSupervisor:
    """Call `supervise` often, and start all from one thread: processes die with the thread that started them."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.environment = dict(environment)
        self.members: dict[str, ManagedProcess] = {}
        self.killed_at: dict[int, float] = {}
        """When which process was killed: Unix seconds by process id."""
        self._log = log.open("ab")
        self._paused: dict[int, float] = {}

    def start(self, name: str, command: Sequence[str]) -> ManagedProcess:
        self.members[name] = ManagedProcess(name, command, self._spawn(command))
        return self.members[name]

    def supervise(self) -> None:
        """Start again who has died; wake who has slept enough."""
        for member in self.members.values():
            if member.wanted and member.process.poll() is not None:
                self._kill_group(member)
                member.process = self._spawn(member.command)
        for pid in [pid for pid, until in self._paused.items() if until <= time.monotonic()]:
            self.resume(pid)

    def kill(self, name: str) -> None:
        """SIGKILL to a member and all that it started."""
        member = self.members[name]
        self._record_kills(member.pid, *member.children)
        self._kill_group(member)

    def kill_one(self, pid: int) -> None:
        """SIGKILL to one process."""
        self._record_kills(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def pause(self, pid: int, seconds: float) -> None:
        """SIGSTOP now, SIGCONT by `supervise` when so many seconds are over."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self.schedule_resume(pid, seconds)

    def schedule_resume(self, pid: int, seconds: float) -> None:
        """Remember to wake a process that has stopped."""
        self._paused[pid] = time.monotonic() + seconds

    def resume(self, pid: int) -> None:
        self._paused.pop(pid, None)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def remove(self, name: str) -> None:
        """Kill a member for good."""
        self.members[name].wanted = False
        self.kill(name)

    def remove_all(self) -> None:
        for pid in list(self._paused):
            self.resume(pid)
        for name in self.members:
            self.remove(name)
        self._log.close()

    def _record_kills(self, *pids: int) -> None:
        self.killed_at |= dict.fromkeys(pids, time.time())

    def _kill_group(self, member: ManagedProcess) -> None:
        with suppress(ProcessLookupError):
            os.killpg(member.pid, signal.SIGKILL)
        member.process.wait()

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            process_group=0,
            preexec_fn=dying_with_its_parent(),
        )
