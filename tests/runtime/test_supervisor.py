"""The supervisor, over real processes."""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rowferry.config import gunicorn
from rowferry.exports import conf
from rowferry.runtime import graceful_shutdown, supervisor
from rowferry.runtime.supervisor import Child, scheduler_command, web_command, worker_command
from tests.support.log_lines import gone, wait_for

SUPERVISOR = "import json, sys; from rowferry.runtime import supervisor as s; s.logger.addHandler(s.logging."
SUPERVISOR += "StreamHandler()); sys.exit(s.supervise(json.loads(sys.argv[1])))"
SITE = Path(__file__).with_name("site")
pytestmark = pytest.mark.system
Supervise = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Start a supervisor over Python programs, by name; each first adds its process id to a file of that name."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**programs: str) -> subprocess.Popen[bytes]:
        commands = {
            name: [sys.executable, "-c", with_pid_file(tmp_path / name, text)] for name, text in programs.items()
        }
        command = [sys.executable, "-c", SUPERVISOR, json.dumps(commands)]
        process = subprocess.Popen(command, stderr=(tmp_path / "said").open("w"))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def with_pid_file(file: Path, program: str) -> str:
    return f"import os, signal, time\nprint(os.getpid(), file=open({str(file)!r}, 'a'), flush=True)\n{program}"


def pids(folder: Path, name: str, count: int = 1) -> list[int]:
    """The process ids that a program wrote down, once there are `count`."""
    file = folder / name
    wait_for(lambda: file.exists() and file.read_text().count("\n") >= count)
    return [int(line) for line in file.read_text().split()]


def test_a_program_that_ends_is_started_again_and_named_and_the_others_stay(
    tmp_path: Path, supervise: Supervise
) -> None:
    process = supervise(web="time.sleep(60)", worker="raise SystemExit(3)")
    first, second = pids(tmp_path, "worker", 2)[:2]
    assert first != second
    process.terminate()
    assert process.wait(20) == 0
    assert "worker does not run (exit code 3); starting it again in 1 s." in (tmp_path / "said").read_text()
    assert len(pids(tmp_path, "web")) == 1


def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    child = Child("web", [str(tmp_path / "no-such-program")])
    child.check()
    assert "web does not run" in caplog.text
    assert not child.runs


def test_pauses_grow_to_half_a_minute(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    child = Child("web", [str(tmp_path / "no-such-program")])
    for _ in range(7):
        child.start_at = 0
        child.check()
    pauses = [record.getMessage().rpartition(" in ")[2] for record in caplog.records]
    assert pauses == ["1 s.", "2 s.", "4 s.", "8 s.", "16 s.", "30 s.", "30 s."]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_of_them_gracefully(number: signal.Signals, tmp_path: Path, supervise: Supervise) -> None:
    goodbye = "signal.signal(signal.SIGTERM, lambda *_: (open({!r}, 'w').close(), os._exit(0)))\ntime.sleep(60)"
    process = supervise(web=goodbye.format(str(tmp_path / "goodbye")), worker="time.sleep(60)")
    wait_for(lambda: bool(pids(tmp_path, "web") and pids(tmp_path, "worker")))
    wait_for(lambda: signal_is_caught(pids(tmp_path, "web")[0], signal.SIGTERM))
    process.send_signal(number)
    assert process.wait(20) == 0
    assert (tmp_path / "goodbye").exists()
    assert all(gone(pid) for name in ("web", "worker") for pid in pids(tmp_path, name))


def test_the_last_one_named_ends_when_the_others_have_ended(tmp_path: Path, supervise: Supervise) -> None:
    slow = "def end(*_):\n time.sleep(1)\n open({!r}, 'a').write('{} ')\n os._exit(0)\n"
    program = slow + "signal.signal(signal.SIGTERM, end)\nprint(1, file=open({!r}, 'a'), flush=True)\ntime.sleep(60)"
    quick = program.replace(" time.sleep(1)\n", "")
    ended, ready = str(tmp_path / "ended"), str(tmp_path / "ready")
    programs = {"worker": program.format(ended, "worker", ready), "scheduler": quick.format(ended, "scheduler", ready)}
    process = supervise(**programs)
    pids(tmp_path, "ready", 2)
    process.terminate()
    assert process.wait(30) == 0
    assert (tmp_path / "ended").read_text() == "worker scheduler "


def test_everybody_waits_longer_than_those_inside(settings: object) -> None:
    inside = runpy.run_path(str(Path(gunicorn.__file__)))["graceful_timeout"]
    assert inside == conf.SECONDS["ROWFERRY_GRACE"] < conf.SECONDS["ROWFERRY_GRACE"] + graceful_shutdown.FAREWELL
    assert graceful_shutdown.FAREWELL < supervisor.HAND_OVER


def test_a_second_signal_kills_what_will_not_end_and_all_it_started(tmp_path: Path, supervise: Supervise) -> None:
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.fork()\n"
    stubborn += f"print(os.getpid(), file=open({str(tmp_path / 'both')!r}, 'a'), flush=True)\ntime.sleep(60)"
    process = supervise(web=stubborn)
    family = pids(tmp_path, "both", 2)
    process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.terminate()
    assert process.wait(20) == 1
    assert "web did not end in time" in (tmp_path / "said").read_text()
    wait_for(lambda: all(gone(pid) for pid in family))


def test_killing_the_supervisor_ends_all_of_them(tmp_path: Path, supervise: Supervise) -> None:
    process = supervise(web="time.sleep(60)", worker="signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)")
    running = pids(tmp_path, "web") + pids(tmp_path, "worker")
    assert not any(gone(pid) for pid in running)
    process.kill()
    wait_for(lambda: all(gone(pid) for pid in running), 20)


def test_the_web_command_serves_with_threads(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = os.pathsep.join([str(SITE), *sys.path])
    own = {"DJANGO_SETTINGS_MODULE": "scratch_settings", "ROWFERRY_DATA_DIR": str(tmp_path), "PYTHONPATH": path}
    web = subprocess.Popen([*web_command("127.0.0.1", port), "scratch_tasks:hello"], env={**os.environ, **own})
    try:
        wait_for(lambda: accepts(port))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            assert answer.read() == b"hello"
    finally:
        web.terminate()
        assert web.wait(30) == 0


def test_commands_need_no_path_and_know_the_settings(settings: object) -> None:
    settings.ROWFERRY_WORKERS = 3  # type: ignore[attr-defined]
    assert {command[0] for command in (web_command("::1", 1), worker_command(), scheduler_command())} == {
        sys.executable
    }
    assert "[::1]:80" in web_command("::1", 80)
    assert "--concurrency=3" in worker_command()
    assert scheduler_command()[1:4] == ["-m", "django", "scheduler"]


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def signal_is_caught(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
