"""The figures that Rowferry is held to, and what was found for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.contestants import CLIENTS, ENGINE, FORMATS, JSON_ROWS, SAME_SQL, WORKER
from bench.interleaved_runs import Result, Results

Key = tuple[str, str, str]
MOST, LEAST = "≤", "≥"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number beside its goal. `value` None = it could not be measured here; `limit` None = recorded only."""

    number: int
    what: str
    value: float | None
    unit: str = ""
    sense: str = MOST
    limit: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where nothing can be said."""
        if self.value is None or self.limit is None:
            return None
        return self.value <= self.limit if self.sense == MOST else self.value >= self.limit


def plain(database: str) -> Key:
    """The database's own client writing CSV."""
    return (database, "csv", CLIENTS[database][0])


def engine(database: str, format_name: str) -> Key:
    return (database, format_name, ENGINE)


POSTGRESQL, SQLITE, MARIADB = CLIENTS
SAME_COPY, JSON_COPY = (POSTGRESQL, "csv", SAME_SQL), (POSTGRESQL, "json", JSON_ROWS)
AGAINST_CLIENTS: tuple[tuple[int, str, Key, Key, float], ...] = (
    (1, "CSV, PostgreSQL ÷ psql COPY of the same SQL", engine(POSTGRESQL, "csv"), SAME_COPY, 1.05),
    (2, "CSV, SQLite ÷ sqlite3 -csv", engine(SQLITE, "csv"), plain(SQLITE), 1.5),
    (2, "CSV, MariaDB ÷ mariadb --batch", engine(MARIADB, "csv"), plain(MARIADB), 1.4),
    (3, "JSON, PostgreSQL ÷ psql COPY of row_to_json", engine(POSTGRESQL, "json"), JSON_COPY, 0.75),
    (3, "JSON, SQLite ÷ sqlite3 -csv", engine(SQLITE, "json"), plain(SQLITE), 1.6),
    (4, "Excel, PostgreSQL ÷ psql COPY to CSV", engine(POSTGRESQL, "excel"), plain(POSTGRESQL), 2.1),
    (4, "Excel, SQLite ÷ sqlite3 -csv", engine(SQLITE, "excel"), plain(SQLITE), 2.1),
    (4, "Excel, MariaDB ÷ mariadb --batch", engine(MARIADB, "excel"), plain(MARIADB), 2.2),
)
AGAINST_PEERS = (
    ("excel", "rustpy-xlsxwriter", 2.4),
    ("excel", "XlsxWriter, constant memory", 11.0),
    ("excel", "django-import-export", 45.0),
    ("csv", "PHP fputcsv", 2.0),
    ("csv", "the recipe of Django's documentation", 11.0),
    ("json", "psycopg + orjson", 1.5),
)
ENGINE_MB, WORKER_MB, GROWTH_MB = 50.0, 130.0, 5.0


def speed_figures(results: Results, few: Results, few_rows: int) -> Iterator[Figure]:
    """Figures 1 to 5; against peers that only had few rows to write, with the same few."""
    for number, what, ours, theirs, limit in AGAINST_CLIENTS:
        yield Figure(number, what, ratio(results, ours, theirs), "×", MOST, limit)
    for format_name in FORMATS:
        peers = [one.contestant.key for one in completed_results(results) if is_peer(one, format_name)]
        found = min(filter(None, (ratio(results, key, engine(POSTGRESQL, format_name)) for key in peers)), default=None)
        yield Figure(5, f"{format_name}: the fastest peer ÷ Rowferry", found, "×", LEAST, 1.0)
    for format_name, name, limit in AGAINST_PEERS:
        theirs, ours = (POSTGRESQL, format_name, name), engine(POSTGRESQL, format_name)
        what = f"{format_name}: {name} ÷ Rowferry" + (f", {few_rows:,} rows" if theirs in few else "")
        yield Figure(5, what, ratio(few if theirs in few else results, theirs, ours), "×", LEAST, limit)


def is_peer(result: Result, format_name: str) -> bool:
    return result.contestant.role == "peer" and result.contestant.format == format_name


def completed_results(results: Results) -> list[Result]:
    return [one for one in results.values() if one.runs]


def ratio(results: Results, upper: Key, lower: Key) -> float | None:
    """The quotient of two medians of seconds of work, if both were measured."""
    found = [results.get(key) for key in (upper, lower)]
    if not all(one and one.runs for one in found):
        return None
    above, below = (one.median("seconds") for one in found if one)
    return above / below


def memory_figures(results: Results, growth: dict[str, dict[int, Result]]) -> Iterator[Figure]:
    """Figure 6."""
    for name, limit, what in ((ENGINE, ENGINE_MB, "the engine alone"), (WORKER, WORKER_MB, "a worker, Django and all")):
        peaks = [one.median("peak") for one in completed_results(results) if one.contestant.name == name]
        yield Figure(6, f"peak memory of {what}", max(peaks, default=None), "MB", MOST, limit)
    work = [
        one.median("peak") - one.median("loaded") for one in completed_results(results) if one.contestant.name == ENGINE
    ]
    yield Figure(6, "of the engine's, what the export itself added", max(work, default=None), "MB")
    yield Figure(6, "growth of the peak with the rows", max_growth(growth), "MB", MOST, GROWTH_MB)


def max_growth(growth: dict[str, dict[int, Result]]) -> float | None:
    """MB that the peak rose by, from the fewest rows to the most, in the format where it rose most."""
    ends = [(by_rows[min(by_rows)], by_rows[max(by_rows)]) for by_rows in growth.values() if len(by_rows) > 1]
    return max((most.median("peak") - fewest.median("peak") for fewest, most in ends), default=None)
