"""`doctor`: does everything that an export needs answer? One line each; exit code 1 if something does not."""

from collections.abc import Callable
from typing import Any

from django.core.mail import get_connection
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from rowferry.exports.errors import RowferryError
from rowferry.exports.lifecycle import due
from rowferry.exports.models import Leader
from rowferry.exports.storage import storage
from rowferry.exports.tasks import reach_broker


class Unwell(Exception):
    """What is wrong, and what to do."""


def database() -> str:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        raise Unwell(f"{missing} migrations are missing: run `rowferry migrate`")
    return f"{connection.vendor}, up to date"


def files() -> str:
    storage().check()
    return str(storage().folder)


def mail() -> str:
    link = get_connection(fail_silently=False)
    link.open()
    link.close()
    return type(link).__module__


def ticker() -> str:
    leader = Leader.objects.filter(role="ticker").first()
    if leader is None or leader.lease_until < timezone.now():
        raise Unwell("none is running: start `rowferry up`, or `rowferry tick`")
    return leader.holder


def worker() -> str:
    waiting = due().order_by("created_at").first()
    if waiting is None:
        return "nothing waits"
    age = (timezone.now() - waiting.created_at).total_seconds()
    if age > 60:
        raise Unwell(f"an export has waited for {age:.0f} s: start `rowferry worker`, or more of them")
    return f"the oldest waiting export is {age:.0f} s old"


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "broker": reach_broker,
    "storage": files,
    "mail": mail,
    "ticker": ticker,
    "worker": worker,
}


class Command(BaseCommand):
    help = "Checks database, broker, storage, mail, ticker and worker."

    def handle(self, *_: Any, **__: Any) -> None:
        well = [self._look(name, check) for name, check in CHECKS.items()]
        if not all(well):
            raise SystemExit(1)

    def _look(self, name: str, check: Callable[[], str]) -> bool:
        try:
            self.stdout.write(f"ok    {name}: {check()}")
        except (Unwell, RowferryError, OSError) as error:
            self.stdout.write(f"FAIL  {name}: {error}")
        except Exception as error:  # a client library may raise anything; the doctor goes on to the next patient
            self.stdout.write(f"FAIL  {name}: {type(error).__name__}: {error}")
        else:
            return True
        return False
