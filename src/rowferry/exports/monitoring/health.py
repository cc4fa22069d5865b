"""The signs of life of an installation: measured on the database and the storage, judged by limits, bounded in time.

A measurement may hang as long as what it asks; whoever asks for it waits `PATIENCE` seconds and no longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from rowferry.exports import conf, lifecycle
from rowferry.exports.databases.vendors import traits_of
from rowferry.exports.models import Export, Leader, Status
from rowferry.exports.persistent_names import SCHEDULER_ROLE
from rowferry.exports.storage import storage

PATIENCE = 2.5
FRESH = 1.0
"""Seconds that a measurement is good for: a storm of questions is one question to the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One sign of life. `limit` = the most that is well (`at_least`: the least); None = it is not judged by a
    number."""

    name: str
    ok: bool
    value: float | None = None
    limit: float | None = None
    unit: str = "seconds"
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "value": self.value, "limit": self.limit, "unit": self.unit, "detail": self.detail}


def database_time() -> datetime:
    """The clock by which leases are kept; SQLite's is this machine's."""
    sql = traits_of(connection.vendor).clock_sql
    if not sql:
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(sql)
        now: datetime = cursor.fetchone()[0]
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def queue_age(now: datetime) -> float:
    """Seconds that the oldest export has waited which a worker could take; 0 = nothing waits."""
    due = lifecycle.due()
    oldest_pending = (
        due.filter(status=Status.PENDING).order_by("created_at").values_list("created_at", flat=True).first()
    )
    oldest_lease_end = (
        due.filter(status=Status.PROCESSING).order_by("lease_until").values_list("lease_until", flat=True).first()
    )
    return max((_seconds_since(moment, now) for moment in (oldest_pending, oldest_lease_end)), default=0.0)


def lease_overrun(now: datetime) -> float:
    """Seconds since the oldest lease ended that nobody has taken over; 0 = there is none."""
    overdue = Export.objects.filter(status=Status.PROCESSING, lease_until__lte=now).order_by("lease_until")
    return _seconds_since(overdue.values_list("lease_until", flat=True).first(), now)


def scheduler_age(now: datetime) -> float | None:
    """Seconds since the leading scheduler's last run; None = none leads."""
    lease_until = Leader.objects.filter(role=SCHEDULER_ROLE).values_list("lease_until", flat=True).first()
    return None if lease_until is None else _seconds_since(lease_until - conf.lead(), now)


def _seconds_since(moment: datetime | None, now: datetime) -> float:
    return max(0.0, round((now - moment).total_seconds(), 3)) if moment else 0.0


def readiness() -> list[CheckResult]:
    """Every sign, within PATIENCE. Never raises, and says nothing that would help an attacker."""
    deadline = time.monotonic() + PATIENCE
    checks = [(check, check.start()) for check in CHECKS]
    return [result for check, future in checks for result in check.wait(future, deadline - time.monotonic())]


def _database() -> Iterator[CheckResult]:
    started_at = time.monotonic()
    now = database_time()
    age = scheduler_age(now)
    age_results = [
        _at_most("queue_age", queue_age(now), "READY_QUEUE_AGE"),
        _at_most("lease_overrun", lease_overrun(now), "READY_LEASE_OVERRUN"),
        CheckResult(name="scheduler_age", ok=False, limit=_limit("READY_SCHEDULER_AGE"), detail="No scheduler leads.")
        if age is None
        else _at_most("scheduler_age", age, "READY_SCHEDULER_AGE"),
    ]
    yield CheckResult(name="database", ok=True, value=round(time.monotonic() - started_at, 3), limit=PATIENCE)
    yield from age_results


def _storage() -> Iterator[CheckResult]:
    storage().check()
    yield CheckResult(name="storage", ok=True, unit="")
    free_bytes, minimum_mb = storage().free_space(), conf.number("READY_FREE_MB")
    if free_bytes is not None:
        ok = not minimum_mb or free_bytes >= minimum_mb * 1_000_000
        yield CheckResult(name="free_space", ok=ok, value=free_bytes // 1_000_000, limit=minimum_mb, unit="MB at least")


def _limit(name: str) -> float:
    return conf.seconds(name).total_seconds()


def _at_most(name: str, value: float, setting: str) -> CheckResult:
    limit = _limit(setting)
    return CheckResult(name=name, ok=not limit or value <= limit, value=value, limit=limit)


class HealthCheck:
    """A measurement that may hang: in a thread of its own, one at a time, however many wait for it."""

    def __init__(self, name: str, measure: Callable[[], Iterator[CheckResult]]) -> None:
        self.name = name
        self._measure = measure
        self._lock = threading.Lock()
        self._running: Future[list[CheckResult]] | None = None
        self._ended = -FRESH

    def start(self) -> Future[list[CheckResult]]:
        """The measurement that runs, or the last one while it is fresh, or a new one."""
        with self._lock:
            future = self._running
            if future is None or (future.done() and time.monotonic() - self._ended >= FRESH):
                future = self._running = Future()
                threading.Thread(target=self._run, args=(future,), name=f"check-{self.name}", daemon=True).start()
            return future

    def wait(self, future: Future[list[CheckResult]], seconds: float) -> list[CheckResult]:
        """What it found, or that it did not answer."""
        try:
            return future.result(max(0.0, seconds))
        except TimeoutError:
            return [CheckResult(name=self.name, ok=False, limit=PATIENCE, detail=f"No answer in {PATIENCE:g} seconds.")]
        except Exception as error:  # the kind says enough; the message may name hosts and people
            return [CheckResult(name=self.name, ok=False, detail=type(error).__name__)]

    def _run(self, future: Future[list[CheckResult]]) -> None:
        try:
            results = self._run_measure()
        except Exception as error:
            self._ended = time.monotonic()
            future.set_exception(error)
        else:
            self._ended = time.monotonic()
            future.set_result(results)

    def _run_measure(self) -> list[CheckResult]:
        try:
            return list(self._measure())
        finally:
            connection.close()

    def forget(self) -> None:
        """The next question is a new one: for tests, and after a fork."""
        self._running = None


CHECKS = (HealthCheck("database", _database), HealthCheck("storage", _storage))


def database_answers() -> bool:
    """Whether it is worth asking it more; known within PATIENCE."""
    check = CHECKS[0]
    return check.wait(check.start(), PATIENCE)[0].ok


def clock_skew() -> timedelta:
    """How far this machine's clock is ahead of the database's."""
    before = timezone.now()
    database_now = database_time()
    return before + (timezone.now() - before) / 2 - database_now
