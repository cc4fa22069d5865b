"""Everybody in turns, some rounds: a machine that gets slower for a while is slower for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.measuring import Content, Contestant, ContestantFailed, Run, content, measure

EXTENSIONS = {"csv": "csv", "excel": "xlsx", "json": "json"}
LONG = 60.0
"""Seconds: who takes longer has one round."""

AS_BIG = 0.001
"""MB by which two files of the same rows may differ."""
Say = Callable[[str], None]


@dataclass(slots=True)
class Result:
    """What one contestant did; `fault` = why it has no more runs."""

    contestant: Contestant
    runs: list[Run] = field(default_factory=list)
    fault: str = ""

    def median(self, name: str) -> float:
        """The median of one number of its runs."""
        return median(getattr(run, name) for run in self.runs)


Results = dict[tuple[str, str, str], Result]


def compare(
    contestants: Sequence[Contestant], folder: Path, rows: int, rounds: int, say: Say, long: float = LONG
) -> Results:
    """Run all in turns; who takes more than `long` seconds, once. A run counts once its file has been read back: `rows`
    rows, and the checksum of the first file of the same database, which the database's own client wrote."""
    results = {one.key: Result(one) for one in contestants}
    expected: dict[str, Content] = {}
    for number in range(rounds):
        for result in results.values():
            if result.fault or (number and result.runs[0].whole > long):
                continue
            try:
                result.runs.append(run_checked(result, folder, rows, expected))
                say(line(result, number + 1))
            except ContestantFailed as error:
                result.fault = str(error)
                say(f"{' · '.join(result.contestant.key)}: {error}")
    return results


def run_checked(result: Result, folder: Path, rows: int, expected: dict[str, Content]) -> Run:
    """One run. Failed: the file holds other rows than it should.

    In later rounds the same program writes the same rows again, so that its file is read back only if its size differs
    by more than the time and the number of an export can make: to read all of them takes longer than to write them.
    """
    contestant = result.contestant
    file = folder / f"export.{EXTENSIONS[contestant.format]}"
    try:
        run = measure(contestant, file)
        if result.runs and abs(run.size - result.runs[0].size) < AS_BIG:
            return run
        found = content(file, contestant.reader or contestant.format)
    finally:
        file.unlink(missing_ok=True)
    wanted = expected.setdefault(contestant.database, found)
    if found.rows != rows or found != wanted:
        raise ContestantFailed(f"its file holds other rows: {found.rows:,} with checksum {found.digest}, not {wanted}")
    return run


def estimate_seconds(trials: Iterable[Contestant], folder: Path, factor: float) -> dict[str, float]:
    """Seconds that each would need for `factor` times the rows of this trial."""
    return {one.label: factor * run_trial(one, folder / f"trial.{EXTENSIONS[one.format]}") for one in trials}


def run_trial(contestant: Contestant, file: Path) -> float:
    """Seconds of work; none at all where it fails, so that the real run tells why."""
    try:
        return measure(contestant, file).seconds
    except ContestantFailed:
        return 0.0


def line(result: Result, number: int) -> str:
    run, one = result.runs[-1], result.contestant
    return (
        f"{number}  {one.database:10} {one.format:6} {one.name:30} {run.seconds:8.2f} s {run.whole:8.2f} s whole "
        f"{run.peak:7.0f} MB"
    )
