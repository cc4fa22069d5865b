"""`make fuzz`: the whole installation, fuzzed; exit status 1 if it broke. `make fuzz FUZZ="--requests 500 --seed 1"`.

The real web server, worker and scheduler answer requests that are made from the API's own description: right ones and
wrong ones, chains along its links, hostile headers and bodies. Prints what came back from each operation, the answers
that were not as described, and at the end one line with the figure.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import GenerationMode

from tests.services.__main__ import exit_on_signal
from tests.support.fuzzing import FuzzReport, fuzz_link_chains, fuzz_malformed_requests, fuzz_operations
from tests.system.installation import Installation, create_installation

REQUESTS, SEED = 5_000, 20251030
EXAMPLES = 40
"""Of each operation and kind, at most, in one round; there are as many rounds as it takes."""
LONGEST = 1_800
"""Seconds after which no further round begins."""
SETTINGS = {
    "ROWFERRY_IMMEDIATE_BELOW": "10",
    "ROWFERRY_QUEUE_ABOVE": "40",
    "ROWFERRY_REQUEST_ROW_LIMIT": "50",
    "ROWFERRY_EXPORTS_PER_MINUTE": "100000",
    "ROWFERRY_DRY_RUNS_PER_MINUTE": "100000",
}
"""A handful of rows reaches every mode, and no quota shields what is behind it."""
ASSETS, TICKETS = 60, 30
AUDIT = "from rowferry.cli.main import run; run()"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzz_server", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"at least so many ({REQUESTS})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the first round ({SEED})")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rowferry-fire-") as folder:
        return run_fuzz(Path(folder), options.requests, options.seed)


def run_fuzz(folder: Path, wanted: int, seed: int) -> int:
    """So many requests at least, against an installation of its own."""
    began, tally, rounds = time.monotonic(), FuzzReport(), 0
    with (folder / "processes.log").open("wb") as log, create_installation(folder, ASSETS, **SETTINGS) as place:
        description, headers = ready(place, log)
        while tally.requests < wanted and time.monotonic() - began < LONGEST:
            run_round(tally, description, headers, min(EXAMPLES, wanted // 40 + 1), seed + rounds)
            rounds += 1
        sound = log_is_sound(place)
    for text in (*by_operation(tally), *tally.broken):
        print(text)
    met = tally.requests >= wanted and not tally.broken and not tally.answers(500) and sound
    seeds = f"{seed} to {seed + rounds - 1}" if rounds > 1 else f"{seed}"
    print(
        f"{tally.requests:,} requests (seeds {seeds}) to {len(tally.operations)} operations in"
        f" {time.monotonic() - began:.0f} s: {tally.answers(500)} answers of 500 or more,"
        f" {len(tally.broken)} not as described; {status_shares(tally)};"
        f" the audit log is {'sound' if sound else 'NOT SOUND'}: {'reached' if met else 'MISSED'}"
    )
    return 0 if met else 1


def ready(place: Installation, log: Any) -> tuple[Any, dict[str, str]]:
    """The description, from a server that runs; and what an owner with all rights sends along."""
    place.command("seed_tickets", f"--tickets={TICKETS}")
    place.queue_exports({"format": "csv"})
    place.change("UPDATE auth_user SET is_superuser = 1 WHERE username = 'owner'")
    place.output = log
    place.start_scheduler()
    place.start_worker()
    description = schemathesis.openapi.from_url(f"{place.start_web()}/api/v1/openapi.json", timeout=60)
    description.config.update(request_timeout=60)  # a busy machine is not what is looked for
    return description, {"Authorization": f"Bearer {place.token('owner')}"}


def run_round(tally: FuzzReport, description: Any, headers: dict[str, str], examples: int, seed: int) -> None:
    for mode in GenerationMode:
        fuzz_operations(tally, description, headers, mode, examples, seed)
    fuzz_malformed_requests(tally, description, headers, examples, seed)
    fuzz_link_chains(tally, description, headers, examples * 3 // 2, seed)


def log_is_sound(place: Installation) -> bool:
    """Whether the chains of the audit log are whole after all this."""
    command = [sys.executable, "-c", AUDIT, "audit", "verify"]
    return subprocess.run(command, env=place.environment, capture_output=True, check=False).returncode == 0


def status_shares(tally: FuzzReport) -> str:
    """How many answers of each hundred: `3,120 × 2xx, …`."""
    hundreds = Counter[int]()
    for (_, status), number in tally.tried.items():
        hundreds[status // 100] += number
    return ", ".join(f"{number:,} × {hundred}xx" for hundred, number in sorted(hundreds.items()))


def by_operation(tally: FuzzReport) -> list[str]:
    """How often each operation gave each status."""
    found = sorted(tally.tried.items())
    return [
        f"{name}: " + ", ".join(f"{number} × {status}" for (of, status), number in found if of == name)
        for name in sorted(tally.operations)
    ]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, exit_on_signal)
    sys.exit(main())
