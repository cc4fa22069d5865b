"""`python -m bench [--quick | --large]`: Rowferry, the databases' own clients and other libraries on the same rows.

Makes its own databases and data, takes everybody in turns, reads every file back, prints what it finds as it goes, and
leaves bench/results.jsonl, docs/growth.svg and the tables of docs/performance.md.
"""

from __future__ import annotations

import argparse
import math
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench import chart, contestants, data, end_to_end, environment, instructions, measurements, report, servers
from bench.interleaved_runs import EXTENSIONS, Result, Results, compare, estimate_seconds
from bench.measurements import Figure
from bench.measuring import PEERS, ROOT, Contestant, ContestantFailed, measure
from bench.report import Report
from bench.servers import Database

CHART = ROOT / "docs" / "growth.svg"
STARTED = time.monotonic()
TRIAL = 5_000
"""Rows of a peer's trial."""
SHORT = 3.0
"""Seconds: who takes longer with few rows has one round."""
Chosen = dict[str, int]
"""A peer and its format → the rows that it gets."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. `budget` = seconds that a peer may take, None = no matter; who would need more than `slow`
    seconds has only `few` rows to write; `batch` = rows of each of ten exports."""

    rows: int
    rounds: int
    sizes: tuple[int, ...]
    batch: int
    budget: float | None = None
    slow: float = math.inf
    few: int = 100_000


FULL = Scale(rows=1_000_000, rounds=3, sizes=(10_000, 100_000, 1_000_000), batch=100_000, slow=100.0)
LARGE = replace(FULL, sizes=(*FULL.sizes, 5_000_000))
QUICK = Scale(rows=100_000, rounds=1, sizes=(10_000, 30_000, 100_000), batch=20_000, budget=4.0)


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: its scale, its folder, and its databases with their rows in them."""

    scale: Scale
    folder: Path
    databases: dict[str, Database]
    notes: list[str]

    @property
    def postgresql(self) -> Database:
        return self.databases["PostgreSQL"]

    @property
    def small(self) -> Database:
        """The PostgreSQL database with the seeded rows only."""
        return self.postgresql.with_name("small")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", const=QUICK, dest="scale", help="100,000 rows, one round")
    size.add_argument("--large", action="store_const", const=LARGE, dest="scale", help="growth up to 5,000,000 rows")
    parser.add_argument("--rows", type=int, help="so many rows instead, in multiples of 10,000")
    parser.add_argument("--budget", type=float, help="leave out peers that would take more seconds, and say so")
    parser.add_argument("--slow", type=float, help="who would take more seconds has 100,000 rows to write, not all")
    parser.add_argument("--dry", action="store_true", help="leave the files of the project as they are")
    options = parser.parse_args()
    if not PEERS.exists():
        parser.error("the peers are not installed: run `make bench` or `make bench-quick`")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # the servers end with us
    scale = options.scale or FULL
    if options.rows:
        sizes = [size for size in scale.sizes if size < options.rows]
        scale = replace(scale, rows=options.rows, sizes=(*sizes, options.rows))
    asked = {name: value for name in ("budget", "slow") if (value := getattr(options, name)) is not None}
    found = run(replace(scale, **asked))
    print(f"\n{report.text(found)}")
    if not options.dry:
        report.append_lines(found)
        report.write_page(found)
        CHART.write_text(chart.draw(found.growth), encoding="utf-8")
    return 0


def run(scale: Scale) -> Report:
    """Everything, in the order in which one part leaves the databases as the next one needs them."""
    servers.ensure_program("php", *servers.PHP_PACKAGES)
    about = environment.describe(contestants.described_peers())
    with ExitStack() as stack:
        bench = prepare(scale, stack)
        everybody = choose_peers(bench)
        results = compare(choose_contestants(bench, everybody), bench.folder, scale.rows, scale.rounds, say)
        few = compare_slow_peers(bench, everybody)
        growth = measure_growth(bench)
        found = [*measurements.speed_figures(results, few, scale.few), *measurements.memory_figures(results, growth)]
        for part in (measure_queue, measure_web, measure_formats):
            found += measure_part(bench, part)
    failed = [one for one in (*results.values(), *few.values()) if one.fault]
    bench.notes.extend(f"{' · '.join(one.contestant.key)}: {one.fault}" for one in failed)
    return Report(about, scale.rows, results, growth, found, bench.notes, few, scale.few)


def measure_part(bench: Bench, part: Callable[[Bench], Iterator[Figure]]) -> list[Figure]:
    """The figures of one part; if it breaks, a note of that, since the others took long to find."""
    found: list[Figure] = []
    try:
        for figure in part(bench):
            say(f"   {figure.what}: {report.amount(figure.value, figure.unit)}")
            found.append(figure)
    except (ContestantFailed, OSError, subprocess.SubprocessError) as error:
        bench.notes.append(f"{part.__name__.replace('_', ' ')}: {error}")
    return found


def say(line: str) -> None:
    print(f"{time.monotonic() - STARTED:5.0f} s  {line}", flush=True)


def prepare(scale: Scale, stack: ExitStack) -> Bench:
    """Servers started, rows made. The folder is gone when the stack closes."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rowferry-bench-")))
    found = [
        stack.enter_context(servers.postgresql_in(folder)),
        servers.sqlite_in(folder),
        stack.enter_context(servers.mariadb_in(folder)),
    ]
    bench = Bench(scale, folder, {one.name: one for one in found if one}, [])
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(make_assets, scale.rows), bench.databases.values()))
    if "MariaDB" not in bench.databases:
        bench.notes.append("MariaDB is left out: it is not installed here.")
    return bench


def make_assets(rows: int, database: Database) -> None:
    """The assets of one database; PostgreSQL's seeded ones stay apart as `small` too."""
    data.seed_assets(database)
    if database.name == "PostgreSQL":
        data.copy_database(database, "small")
    data.grow(database, data.SEEDED, rows)
    say(f"{database.name} has {rows:,} assets")


def choose_contestants(bench: Bench, everybody: Chosen) -> list[Contestant]:
    """All who run, in their order: each database's own client first, since its file is what others are held to."""
    found = []
    for database in bench.databases.values():
        found += [*contestants.baselines(database), *contestants.rowferry(database)]
    return [
        *found,
        *(one for one in contestants.peers(bench.postgresql) if everybody.get(one.label) == bench.scale.rows),
    ]


def choose_peers(bench: Bench) -> Chosen:
    """Rows for each peer, by a trial with a few of them; who is beyond the budget is left out."""
    scale = bench.scale
    if scale.budget is None and scale.slow == math.inf:
        return {one.label: scale.rows for one in contestants.peers(bench.postgresql)}
    trial, factor = data.copy_database(bench.small, "trial"), scale.rows / TRIAL
    data.shrink(trial, TRIAL)
    found: Chosen = {}
    for name, seconds in estimate_seconds(contestants.peers(trial), bench.folder, factor).items():
        if scale.budget is not None and seconds > scale.budget:
            bench.notes.append(f"{name}: left out, by a trial it would take {seconds:.0f} s")
        else:
            found[name] = scale.rows if seconds <= scale.slow else min(scale.few, scale.rows)
    return found


def compare_slow_peers(bench: Bench, everybody: Chosen) -> Results:
    """Peers that are too slow for all rows, beside psql and Rowferry on the same few."""
    slow = {name for name, rows in everybody.items() if rows < bench.scale.rows}
    if not slow:
        return {}
    few = data.copy_database(bench.small, "few")
    data.grow(few, data.SEEDED, bench.scale.few)
    those = [one for one in contestants.peers(few) if one.label in slow]
    ours = [contestants.baselines(few)[0], *contestants.rowferry(few)]
    return compare([*ours, *those], bench.folder, bench.scale.few, bench.scale.rounds, say, long=SHORT)


def measure_growth(bench: Bench) -> dict[str, dict[int, Result]]:
    """The engine on more and more rows of the same table, in each format."""
    growth: dict[str, dict[int, Result]] = {name: {} for name in contestants.FORMATS}
    for rows in bench.scale.sizes:
        if rows > bench.scale.rows:
            data.grow(bench.postgresql, bench.scale.rows, rows)
        for contestant in contestants.rowferry(bench.postgresql):
            if contestant.role == "engine":
                growth[contestant.format][rows] = measure_rows(bench, contestant, rows)
    return growth


def measure_rows(bench: Bench, contestant: Contestant, rows: int) -> Result:
    file = bench.folder / f"growth.{EXTENSIONS[contestant.format]}"
    run = measure(replace(contestant, command=(*contestant.command, str(rows))), file)
    say(f"   {contestant.format:6} {rows:>9,} rows {run.seconds:8.2f} s {run.peak:7.0f} MB")
    file.unlink()
    return Result(contestant, [run])


def measure_queue(bench: Bench) -> Iterator[Figure]:
    """Figures 9 and 10, on an installation with nothing but SQLite and the built-in broker, and on PostgreSQL."""
    wait = end_to_end.median_wait(bench.databases["SQLite"], 20)
    yield Figure(9, "queue to start, SQLite and the built-in broker: median", 1000 * wait, "ms", limit=100)
    ten = data.copy_database(bench.small, "ten")
    data.grow(ten, data.SEEDED, bench.scale.batch)
    both, one = end_to_end.measure_batch(ten, 10, workers=2), end_to_end.measure_batch(ten, 10, workers=1)
    what = f"10 exports of {bench.scale.batch:,} rows at once, 2 workers ÷ 1 worker"
    yield Figure(10, what, both / one, "×", limit=0.65)


def measure_web(bench: Bench) -> Iterator[Figure]:
    """Figures 7 and 8."""
    streamed = end_to_end.median_answer(bench.small, end_to_end.PLAIN)
    yield Figure(7, f"{data.SEEDED:,} rows over HTTP, warm: first row", 1000 * streamed.first, "ms", limit=20)
    yield Figure(7, f"{data.SEEDED:,} rows over HTTP, warm: whole CSV", 1000 * streamed.whole, "ms", limit=60)
    for database, rows in ((bench.small, data.SEEDED), (bench.postgresql, max(bench.scale.sizes))):
        answer = end_to_end.median_answer(database, end_to_end.QUEUED)
        yield Figure(8, f"POST that queues, table of {rows:,} rows", 1000 * answer.whole, "ms", limit=100)


def measure_formats(_bench: Bench) -> Iterator[Figure]:
    """Figure 11."""
    for name, count in instructions.measure_formats(contestants.FORMATS).items():
        yield Figure(11, f"instructions per cell, {name}", count)


if __name__ == "__main__":
    sys.exit(main())
