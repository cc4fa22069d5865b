"""`python -m bench [--rows N …]`: exports of so many assets on SQLite to each format, each in a worker process of its own.

Prints the seconds and the peak memory of the worker, Django and all, and how the memory grows with the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

WORKER = """
import json, resource, time
import django
django.setup()
from rowferry.exports import execution
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
export = execution.run_next()
export.refresh_from_db()
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "base": base / 1024,
    "rows": export.exported_items,
    "bytes": export.file_size,
    "status": export.status,
}))
"""
QUEUE = "import sys, django; django.setup(); from rowferry.assets.models import Asset; "
QUEUE += "Asset.exports.run(format=sys.argv[1], queue=True)"
FORMATS = "import django; django.setup(); from rowferry.exports import catalogue; "
FORMATS += "print(*(f.name for f in catalogue.formats() if f.missing is None))"


@dataclass(frozen=True)
class Run:
    """One export: `peak` and `base` (before the export) are the worker's resident memory in MB."""

    seconds: float
    peak: float
    base: float
    rows: int
    bytes: int
    status: str


def python(*arguments: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout


def measure(format_name: str) -> Run:
    """Queue one export and let a fresh process do it."""
    python("-c", QUEUE, format_name)
    return Run(**json.loads(python("-c", WORKER)))


def grow(rows: int, so_far: int) -> None:
    python("-m", "django", "seed_assets", "--assets", str(rows - so_far))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    sizes = sorted(parser.parse_args().rows)
    with tempfile.TemporaryDirectory(prefix="rowferry-bench-") as folder:
        os.environ |= {"ROWFERRY_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "rowferry.config.settings", "LOG_LEVEL": "ERROR"}
        python("-m", "django", "migrate", "--verbosity", "0")
        compare(sizes, Path(folder))


def compare(sizes: list[int], folder: Path) -> None:
    """Print one line an export, then the growth of the peak from the smallest to the largest table."""
    peaks: dict[str, list[float]] = {}
    so_far = 0
    print(f"{'rows':>10}  {'format':8} {'seconds':>8} {'peak MB':>8} {'file MB':>8}")
    for rows in sizes:
        grow(rows, so_far)
        so_far = rows
        for format_name in python("-c", FORMATS).split():
            run = measure(format_name)
            assert (run.status, run.rows) == ("completed", rows), run
            peaks.setdefault(format_name, []).append(run.peak)
            print(f"{rows:>10,}  {format_name:8} {run.seconds:8.2f} {run.peak:8.1f} {run.bytes / 1e6:8.1f}", flush=True)
            for file in (folder / "files").iterdir():
                file.unlink()
    for format_name, found in peaks.items():
        print(f"{format_name}: the peak grows by {found[-1] - found[0]:+.1f} MB from {sizes[0]:,} to {sizes[-1]:,} rows")


if __name__ == "__main__":
    main()
