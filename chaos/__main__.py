"""`python -m chaos NAME [--quick]`: one figure of docs/reliability.md, as one line; exit status 1 if it is missed.

`python -m chaos all [--quick]`: every one of them, each in a process of its own; without `--quick` they become the
table of docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib import import_module

from tests.services.__main__ import exit_on_signal

from chaos.result import Figure

COMMANDS: dict[str, str] = {
    "kill-storm": "chaos.faults.process_kills:kill_storm",
    "brokers": "chaos.faults.process_kills:brokers",
    "messages": "chaos.messages:messages",
    "broker-down": "chaos.faults.outages:broker_down",
    "database-killed": "chaos.faults.outages:database_killed",
    "disk-full": "chaos.faults.disk_full:disk_full",
    "storage-faults": "chaos.faults.s3_errors:storage_faults",
    "snapshot": "chaos.snapshot_isolation:snapshot",
    "mails": "chaos.faults.mail_crash:mails",
    "crowd": "chaos.workloads.concurrent:crowd",
    "state-machine": "chaos.state_machine:state_machine",
}
"""By name: the function that finds the figure. Each takes whether it shall be quick."""
QUICK = (
    "kill-storm",
    "messages",
    "database-killed",
    "disk-full",
    "storage-faults",
    "snapshot",
    "mails",
    "state-machine",
)
"""Those that `all --quick` asks for: the rest measures seconds, or takes long."""
LONGEST = 600
"""Seconds after which a figure counts as missed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("name", choices=[*COMMANDS, "all"])
    parser.add_argument("--quick", action="store_true", help="fewer exports and kills; the page stays as it is")
    parser.add_argument("--json", action="store_true", help="the line as JSON")
    options = parser.parse_args()
    if options.name == "all":
        return run_all(options.quick)
    figure = run_figure(options.name, options.quick)
    print(json.dumps(figure.as_dict()) if options.json else figure.line, flush=True)
    return 0 if figure.met else 1


def run_figure(name: str, quick: bool) -> Figure:
    """Find a figure in this process, as an installation of its own."""
    with tempfile.TemporaryDirectory(prefix="rowferry-chaos-") as folder:
        os.environ |= {"ROWFERRY_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "rowferry.config.settings"}
        import_module("django").setup()
        module, _, function = COMMANDS[name].partition(":")
        found: Figure = getattr(import_module(module), function)(quick)
    return found


def run_all(quick: bool) -> int:
    figures = []
    started = time.monotonic()
    for name in QUICK if quick else COMMANDS:
        figure = run_in_subprocess(name, quick)
        figures.append(figure)
        print(f"{time.monotonic() - started:5.0f} s  {figure.line}", flush=True)
    if not quick:
        import_module("chaos.report").write_page(figures)
    return 0 if all(figure.met for figure in figures) else 1


def run_in_subprocess(name: str, quick: bool) -> Figure:
    """Find a figure in a process of its own; one that breaks or takes too long is missed."""
    command = [sys.executable, "-m", "chaos", name, "--json", *(["--quick"] if quick else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said, errors = process.communicate(timeout=LONGEST)
        return Figure(**json.loads(said.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate()
        return Figure(0, name, "not finished", f"more than {LONGEST} s", "", False)
    except (IndexError, ValueError):
        return Figure(0, name, "broke off", errors.strip()[-300:], "", False)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, exit_on_signal)
    sys.exit(main())
