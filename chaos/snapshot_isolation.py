"""Figure 8: one file is one snapshot, whoever writes at full speed; and what reading page by page comes to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from tests.services import mariadb, postgresql

from chaos import checker
from chaos.file_rows import FORMATS, Row, read_rows
from chaos.installation import Installation, create_installation
from chaos.models import Entry
from chaos.result import Figure
from chaos.workloads.writes import PAIRED
from rowferry.exports.models import Status

ROWS, PAGE = 20_000, 1_000
WRITERS = 2
NAIVE = 20
"""Reads page by page."""
DATABASES: dict[str, Callable[[], AbstractContextManager[str]] | None] = {
    "SQLite": None,
    "PostgreSQL": postgresql,
    "MariaDB": mariadb,
}


def snapshot(quick: bool) -> Figure:
    """Figure 8."""
    count = 12 if quick else 50
    found = {name: run_on_database(database, count) for name, database in DATABASES.items()}
    told = (
        f"{name}: {right} of {count} consistent, {commits:,} commits meanwhile; page by page {wrong} of {NAIVE} wrong"
        for name, (right, wrong, commits) in found.items()
    )
    return Figure(
        8,
        "snapshot",
        f"{WRITERS} writers at full speed that keep the sum of {ROWS:,} entries at 0",
        "; ".join(told),
        f"{count} of {count} per database; reading page by page fails",
        all(right == count and wrong and commits for right, wrong, commits in found.values()),
    )


def run_on_database(database: Callable[[], AbstractContextManager[str]] | None, count: int) -> tuple[int, int, int]:
    """Consistent exports, inconsistent reads page by page, and commits of the writers while all that went on."""
    with ExitStack() as stack:
        settings = {"DATABASE_URL": stack.enter_context(database())} if database else {}
        installation = stack.enter_context(
            create_installation(ROWS, CHAOS_PACE="0.03", ROWFERRY_LEASE="30", **settings)
        )
        installation.start()
        counters = [installation.folder / f"commits{number}" for number in range(WRITERS)]
        for number, counter in enumerate(counters):
            installation.processes.start(
                f"writer{number}", [sys.executable, "-m", "chaos.workloads.writes", str(number), str(counter)]
            )
        installation.wait_until(lambda: all(counter.exists() for counter in counters), 30)
        for number in range(count):
            installation.create_export(FORMATS[number % 3], f"truth {number}", email_notification=False)
        wrong = sum(not is_balanced(read_by_pages(installation)) for _ in range(NAIVE))
        checker.wait_until_idle(installation)
        commits = sum(int(counter.read_text()) for counter in counters)
        return sum(check_consistency(installation)), wrong, commits


def check_consistency(installation: Installation) -> list[bool]:
    """For each export whether its file is whole and balanced."""
    found = []
    for export in installation.exports.filter(status=Status.COMPLETED):
        rows = read_rows(export.format, installation.storage.read(export.file_key))
        found.append(len(rows) == export.exported_items and is_balanced(rows))
    return found


def is_balanced(rows: list[Row]) -> bool:
    """Whether it is the ledger of one moment: nothing in sum, every first entry there, pairs whole, nothing twice."""
    ids = {row[0] for row in rows}
    pairs = [row[2] for row in rows if row[1] == PAIRED]
    return sum(row[2] for row in rows) == sum(pairs) == 0 and len(ids) == len(rows) == ROWS + len(pairs)


def read_by_pages(installation: Installation) -> list[Row]:
    """What programs without a snapshot do: one page after the other, each as it is then."""
    entries = Entry.objects.using(installation.alias).order_by("id").values_list("id", "account", "amount", "note")
    found: list[Row] = []
    while page := list(entries[len(found) : len(found) + PAGE]):
        found += page
    return found
