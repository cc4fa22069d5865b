"""What is left of a run: a line of JSON for each measurement, and the tables in docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.contestants import CLIENTS, ENGINE, FORMATS, WORKER
from bench.interleaved_runs import Result, Results
from bench.measurements import Figure, engine, plain, ratio
from bench.measuring import ROOT

PAGE = ROOT / "docs" / "performance.md"
LINES = ROOT / "bench" / "results.jsonl"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
BUSY = "**The machine was busy with other work: what follows is noise, and no verdict.**\n\n"
VERDICTS = {True: "reached", False: "missed", None: ""}


@dataclass(slots=True)
class Report:
    """Everything that one run found. `growth` = format → rows → what the engine took for them; `few` = the peers that
    had only `few_rows` to write, and who ran beside them."""

    about: dict[str, Any]
    rows: int
    results: Results
    growth: dict[str, dict[int, Result]]
    figures: list[Figure]
    notes: list[str] = field(default_factory=list)
    few: Results = field(default_factory=dict)
    few_rows: int = 0


def append_lines(report: Report) -> None:
    """One JSON object a measurement, each with date, commit and machine, so that any two can be compared later."""
    with LINES.open("a", encoding="utf-8") as out:
        for measured in lines(report):
            out.write(json.dumps(report.about | measured) + "\n")


def lines(report: Report) -> Iterator[dict[str, Any]]:
    for result in report.results.values():
        yield from runs(result, report.rows)
    for result in report.few.values():
        yield from runs(result, report.few_rows)
    for by_rows in report.growth.values():
        for rows, result in by_rows.items():
            yield from runs(result, rows)
    for figure in report.figures:
        found = asdict(figure)
        yield {"figure": found.pop("number"), **found, "rows": report.rows}


def runs(result: Result, rows: int) -> Iterator[dict[str, Any]]:
    one = result.contestant
    who = {"contestant": one.name, "role": one.role, "format": one.format, "database": one.database, "rows": rows}
    for number, run in enumerate(result.runs, 1):
        yield {**who, "round": number, **asdict(run)}


def write_page(report: Report) -> None:
    """Put the tables between the marks; what stands around them is written by hand."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text(report)}\n{END}{after}", encoding="utf-8")


def text(report: Report) -> str:
    """All tables, as Markdown."""
    slow = f"Too slow for all rows, so with {report.few_rows:,}:\n\n{peers(report.few)}" if report.few else ""
    of_all = (clients(report.results), peers(report.results), slow, growth(report.growth))
    notes = "\n".join(f"- {note}" for note in report.notes)
    return "\n\n".join(filter(None, [heading(report), goals(report.figures), *of_all, notes]))


def heading(report: Report) -> str:
    machine, versions = report.about["machine"], report.about["versions"]
    known = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"{report.rows:,} assets × 13 columns · {report.about['date']} · commit {report.about['commit']} · "
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, load {machine['load']:.1f} before"
        f"\n\n{BUSY if machine['load'] > machine['cores'] / 2 else ''}Versions: {known}."
    )


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(header)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def goals(figures: Iterable[Figure]) -> str:
    rows = [
        (str(one.number), one.what, amount(one.value, one.unit), goal(one), VERDICTS[one.met])
        for one in sorted(figures, key=lambda one: one.number)
    ]
    return table(("#", "what", "found", "goal", ""), rows)


def goal(figure: Figure) -> str:
    return "" if figure.limit is None else f"{figure.sense} {amount(figure.limit, figure.unit)}"


def amount(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def clients(results: Results) -> str:
    """Rowferry beside each database's own client."""
    shown = [one for one in results.values() if one.contestant.role != "peer" and one.runs]
    shown.sort(key=lambda one: (list(CLIENTS).index(one.contestant.database), FORMATS.index(one.contestant.format)))
    header = ("who", "database", "format", "work, s", "÷ plain CSV", "whole process, s", "peak, MB", "file, MB")
    return table(header, [client_row(one, results) for one in shown])


def client_row(one: Result, results: Results) -> list[str]:
    times = ratio(results, one.contestant.key, plain(one.contestant.database))
    return [
        one.contestant.name,
        one.contestant.database,
        one.contestant.format,
        f"{one.median('seconds'):.2f}",
        f"{times:.2f}" if times else "",
        f"{one.median('whole'):.2f}",
        f"{one.median('peak'):.0f}",
        f"{one.median('size'):.1f}",
    ]


def peers(results: Results) -> str:
    """Everybody on PostgreSQL, the fastest of each format first."""
    shown = [one for one in results.values() if one.runs and one.contestant.role in ("peer", "engine", "worker")]
    shown = [one for one in shown if one.contestant.database == "PostgreSQL"]
    shown.sort(key=lambda one: (FORMATS.index(one.contestant.format), one.median("seconds")))
    times = ("work, s", "÷ the engine", "whole process, s", "÷ the engine's", "÷ the worker's")
    return table(("who", "format", *times, "peak, MB"), [peer_row(one, results) for one in shown])


def peer_row(one: Result, results: Results) -> list[str]:
    ours = results[engine("PostgreSQL", one.contestant.format)]
    task = results["PostgreSQL", one.contestant.format, WORKER]
    name = f"**{one.contestant.name}**" if one.contestant.name in (ENGINE, WORKER) else one.contestant.name
    return [
        name,
        one.contestant.format,
        f"{one.median('seconds'):.2f}",
        quotient(one, ours, "seconds"),
        f"{one.median('whole'):.2f}",
        quotient(one, ours, "whole"),
        quotient(one, task, "whole"),
        f"{one.median('peak'):.0f}",
    ]


def quotient(one: Result, other: Result, name: str) -> str:
    return f"{one.median(name) / other.median(name):.1f}" if other.runs else ""


def growth(found: Mapping[str, Mapping[int, Result]]) -> str:
    sizes = sorted({rows for by_rows in found.values() for rows in by_rows})
    header = ("the engine on PostgreSQL", *(f"{rows:,} rows" for rows in sizes))
    return table(header, [(name, *(cell(by_rows.get(rows)) for rows in sizes)) for name, by_rows in found.items()])


def cell(one: Result | None) -> str:
    return f"{one.median('seconds'):.2f} s, {one.median('peak'):.0f} MB" if one and one.runs else ""
