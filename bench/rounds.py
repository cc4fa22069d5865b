"""Everybody in turns, some rounds: a machine that gets slower for a while is slower for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.measuring import Content, Contestant, Failed, Run, content, measure

ENDINGS = {"csv": "csv", "excel": "xlsx", "json": "json"}
LONG = 60.0
"""Seconds: who takes longer has one round."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Result:
    """What one contestant did; `fault` = why it has no more runs."""

    contestant: Contestant
    runs: list[Run] = field(default_factory=list)
    fault: str = ""

    def middle(self, name: str) -> float:
        """The median of one number of its runs."""
        return median(getattr(run, name) for run in self.runs)


Results = dict[tuple[str, str, str], Result]


def compare(contestants: Sequence[Contestant], folder: Path, rows: int, rounds: int, say: Say) -> Results:
    """Run all in turns. A run counts once its file has been read back: `rows` rows, and the checksum of the first file
    of the same database, which the database's own client wrote."""
    results = {one.key: Result(one) for one in contestants}
    expected: dict[str, Content] = {}
    for number in range(rounds):
        for result in results.values():
            if result.fault or (number and result.runs[0].whole > LONG):
                continue
            try:
                result.runs.append(checked(result.contestant, folder, rows, expected))
                say(line(result, number + 1))
            except Failed as error:
                result.fault = str(error)
                say(f"{' · '.join(result.contestant.key)}: {error}")
    return results


def checked(contestant: Contestant, folder: Path, rows: int, expected: dict[str, Content]) -> Run:
    """One run. Failed: the file holds other rows than it should."""
    file = folder / f"export.{ENDINGS[contestant.format]}"
    try:
        run = measure(contestant, file)
        found = content(file, contestant.reader or contestant.format)
    finally:
        file.unlink(missing_ok=True)
    wanted = expected.setdefault(contestant.database, found)
    if found.rows != rows or found != wanted:
        raise Failed(f"its file holds other rows: {found.rows:,} with checksum {found.digest}, not {wanted}")
    return run


def affordable(trials: Iterable[Contestant], folder: Path, factor: float, seconds: float, say: Say) -> set[str]:
    """`name format` of those who would need no more than so many seconds for `factor` times the rows of this trial."""
    found = set()
    for contestant in trials:
        need = factor * trial(contestant, folder / f"trial.{ENDINGS[contestant.format]}")
        if need <= seconds:
            found.add(f"{contestant.name} {contestant.format}")
        else:
            say(f"{contestant.name} · {contestant.format}: left out, by a trial it would take {need:.0f} s")
    return found


def trial(contestant: Contestant, file: Path) -> float:
    """Seconds of work; none at all where it fails, so that the real run tells why."""
    try:
        return measure(contestant, file).seconds
    except Failed:
        return 0.0


def line(result: Result, number: int) -> str:
    run, one = result.runs[-1], result.contestant
    return (
        f"{number}  {one.database:10} {one.format:6} {one.name:30} {run.seconds:8.2f} s {run.whole:8.2f} s whole "
        f"{run.peak:7.0f} MB"
    )
