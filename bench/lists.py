"""How long a page of a list takes with a million rows behind it, first to last.

`python -m tests.services --database mariadb python -m bench.lists`, or with a DATABASE_URL of one's own (the database
is filled: take one that may be lost). Prints milliseconds: the median of ROUNDS answers of the whole page, as a browser
gets them, and of CPU: on a machine that others use too, that is the figure to look at. `python -m bench.lists lists`
leaves out the history of exports, `history` the lists.
"""

from __future__ import annotations

import html
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import django
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bench.data import SEEDED, copy_statement

ROWS = int(os.environ.get("BENCH_LIST_ROWS", "1000000"))
ROUNDS = 7
BATCH = 10_000
NEW_ID = {
    "sqlite": "lower(hex(randomblob(16)))",
    "postgresql": "gen_random_uuid()",
    "mysql": "lower(replace(uuid(), '-', ''))",
}
EARLIER = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', created_at, '-{n} seconds')",
    "postgresql": "created_at - interval '{n} seconds'",
    "mysql": "created_at - interval {n} second",
}
SORTS = ("", "name", "created_at", "purchase_date", "status_id", "assigned_to")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rowferry.config.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    person = owner()
    wanted = sys.argv[1:] or ["history", "lists"]
    fill_assets()
    if "history" in wanted:
        fill_exports(person)
    if connection.vendor != "sqlite":
        run("ANALYZE" if connection.vendor == "postgresql" else "ANALYZE TABLE assets_asset, rowferry_export")
    for label, pages in (("history", history), ("lists", lists)):
        for name, ask in pages(person) if label in wanted else ():
            wall, cpu = measure(ask)
            print(f"{connection.vendor:<11} {label:<8} {name:<36} {wall:7.1f} ms {cpu:7.1f} ms of CPU", flush=True)


def measure(ask: Callable[[], Any]) -> tuple[float, float]:
    """By the clock, and of this process's CPU; what a database server works comes on top of the latter."""
    times = []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        ask()
        times.append((1_000 * (time.perf_counter() - began), 1_000 * (time.process_time() - used)))
    return statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times)


def owner() -> Any:
    from django.contrib.auth.models import Permission, User

    person, _ = User.objects.get_or_create(username="bench-lists")
    person.user_permissions.set(Permission.objects.filter(codename__startswith="export_"))
    return User.objects.get(pk=person.pk)


def fill_assets() -> None:
    from rowferry.assets.models import Asset

    if not Asset.objects.exists():
        call_command("seed_assets", f"--assets={SEEDED}", verbosity=0)
    if connection.vendor == "mysql":
        run("SET sql_mode = 'PIPES_AS_CONCAT', foreign_key_checks = 0, unique_checks = 0")
    for shift in range(Asset.objects.count(), ROWS, SEEDED):
        run(copy_statement(shift))
    if connection.vendor == "mysql":
        run("SET sql_mode = DEFAULT, foreign_key_checks = 1")


def fill_exports(person: Any) -> None:
    from rowferry.exports.models import Export

    present = Export.objects.count()
    if not present:
        facts = {"resource": "assets", "format": "csv", "mode": "queued", "mode_reason": {"code": "requested"}}
        spec = {"resource": "assets", "format": "csv", "columns": ["id", "name"], "filters": {}, "options": {}}
        spec |= {"sort_by": "", "sort_order": "asc", "time_zone": "UTC", "nested": False, "headers": "names"}
        made = {"user": person, "spec": spec, "status": "completed", "total_items": 5, **facts}
        Export.objects.bulk_create(Export(created_at=timezone.now(), manifest=spec, **made) for _ in range(BATCH))
        present = BATCH
    names = [f.column for f in Export._meta.concrete_fields if f.column not in ("id", "created_at")]
    listed = ", ".join(names)
    while present < ROWS:
        some = min(present, ROWS - present)
        earlier = EARLIER[connection.vendor].format(n=present)
        run(
            f"INSERT INTO rowferry_export (id, created_at, {listed}) "
            f"SELECT {NEW_ID[connection.vendor]}, {earlier}, {listed} FROM rowferry_export LIMIT {some}"
        )
        present += some


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def history(person: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    browser = log_in(person)
    last = ROWS // 20
    for name, number in (("first", 1), ("a quarter in", last // 4), ("the middle", last // 2), ("last", last)):
        yield f"GET /exports, {name}", lambda number=number: get_page(browser, f"/api/v1/exports?page={number}")
        yield f"My exports, {name}", lambda number=number: get_page(browser, f"/?page={number}")


def log_in(person: Any) -> Any:
    from django.test import Client

    browser = Client()
    browser.force_login(person)
    return browser


def get_page(browser: Any, address: str) -> str:
    found = browser.get(address)
    assert found.status_code == 200, found.content[:500]
    return str(found.content)


def lists(person: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    browser = log_in(person)
    for sort in SORTS:
        for order in ("asc", "desc"):
            view = press_button(browser, "apply", {"sort_by": sort, "sort_order": order})
            yield f"by {sort or 'key'} {order}, first", lambda view=view: get_page(browser, view)
            for step in ("next", "last", "previous"):
                view = press_button(browser, step, {"view": view.partition("view=")[2]})
                yield f"by {sort or 'key'} {order}, {step}", lambda view=view: get_page(browser, view)


def press_button(browser: Any, do: str, body: dict[str, str]) -> str:
    """Press a button of the list; the address of what it shows then."""
    page = browser.get("/lists/assets", {"view": body.get("view", "")}).content.decode()
    places = {name: html.unescape(value) for name, value in re.findall(r'name="(before|after)" value="([^"]*)"', page)}
    moved = browser.post("/lists/assets", {"do": do, **places, **body})
    assert moved.status_code == 302, re.sub(r"\s+", " ", moved.content.decode())[:500]
    return str(moved["Location"])


if __name__ == "__main__":
    sys.exit(main())
