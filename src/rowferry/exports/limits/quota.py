"""How often one person may ask: a sliding minute (of mails about a password: hour), counted under a lock of its row, so
that of 50 posts at once 5 pass."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction
from django.db.models import F, QuerySet

from rowferry.exports import conf
from rowferry.exports.databases.retry import retry_on_conflict
from rowferry.exports.errors import QuotaExceeded
from rowferry.exports.models import QuotaUse

MINUTE, HOUR = 60, 3_600
EXPORTS = "exports"
DRY_RUNS = "dry-runs"
PREVIEWS = "previews"
"""What the page's form asks by itself while it is filled in: it leaves a person's dry runs alone."""
RESET_MAILS = "password-mails"
"""What anybody can have sent to a person."""
SETTING = {
    EXPORTS: "EXPORTS_PER_MINUTE",
    DRY_RUNS: "DRY_RUNS_PER_MINUTE",
    PREVIEWS: "PREVIEWS_PER_MINUTE",
    RESET_MAILS: "PASSWORD_MAILS_PER_HOUR",
}
WINDOW = {RESET_MAILS: HOUR}
"""Seconds; of any other, a MINUTE."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left: `remaining` of `limit` in the window of the allowance; `reset` = seconds until one more is free."""

    name: str
    limit: int
    remaining: int
    reset: int


@retry_on_conflict
def take(user: AbstractUser, name: str) -> Allowance:
    """Use one. QuotaExceeded says when to come back. In the caller's transaction: who rolls back has used nothing."""
    limit = conf.number(SETTING[name])
    with transaction.atomic(savepoint=False):
        usage = _lock_usage(user, name)
        now = time.time()
        recent_uses = _recent_uses(usage, now)
        if len(recent_uses) < limit:
            usage.taken = [*recent_uses, now]
            usage.save(update_fields=["taken"])
            return Allowance(name, limit, limit - len(usage.taken), _seconds_until_free(name, usage.taken, now))
    raise _quota_error(name, limit, recent_uses, now)


def remaining(user: AbstractUser, name: str) -> Allowance:
    """What is left, without using any."""
    limit, now = conf.number(SETTING[name]), time.time()
    usage = QuotaUse.objects.filter(user_id=user.pk, allowance=name).first()
    recent_uses = _recent_uses(usage, now) if usage else []
    return Allowance(name, limit, max(0, limit - len(recent_uses)), _seconds_until_free(name, recent_uses, now))


def refuse_used_up(user: AbstractUser, name: str) -> None:
    """QuotaExceeded if nothing is left: a look without a lock, before any work is done for somebody who is over."""
    limit, now = conf.number(SETTING[name]), time.time()
    usage = QuotaUse.objects.filter(user_id=user.pk, allowance=name).first()
    recent_uses = _recent_uses(usage, now) if usage else []
    if len(recent_uses) >= limit:
        raise _quota_error(name, limit, recent_uses, now)


def _lock_usage(user: AbstractUser, name: str) -> QuotaUse:
    """The row, locked until the transaction ends."""
    rows = QuotaUse.objects.filter(user_id=user.pk, allowance=name)
    lock = _lock_by_select if connection.features.has_select_for_update else _lock_by_update
    usage = lock(rows)
    if usage is None:
        QuotaUse.objects.get_or_create(user_id=user.pk, allowance=name)
        usage = lock(rows)
    assert usage is not None, "Nothing deletes what has just been there."
    return usage


def _lock_by_select(rows: QuerySet[QuotaUse]) -> QuotaUse | None:
    return next(iter(rows.select_for_update()), None)


def _lock_by_update(rows: QuerySet[QuotaUse]) -> QuotaUse | None:
    """A lock that every database has."""
    return rows.get() if rows.update(turn=F("turn") + 1) else None


def _window(name: str) -> int:
    return WINDOW.get(name, MINUTE)


def _recent_uses(usage: QuotaUse, now: float) -> list[float]:
    return [moment for moment in usage.taken if moment > now - _window(usage.allowance)]


def _seconds_until_free(name: str, recent_uses: list[float], now: float) -> int:
    return max(1, math.ceil(min(recent_uses, default=now) + _window(name) - now))


def _quota_error(name: str, limit: int, recent_uses: list[float], now: float) -> QuotaExceeded:
    wait = _seconds_until_free(name, recent_uses, now) if limit else _window(name)
    period = "hour" if _window(name) == HOUR else "minute"
    detail = f"You have used all {limit} {name.replace('-', ' ')} of this {period}: try again in {wait} seconds."
    return QuotaExceeded(detail, allowance=name, limit=limit, retry_after=wait)
