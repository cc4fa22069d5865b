"""How often one person may ask: a sliding minute, counted under a lock of its row, so that of 50 posts at once 5
pass."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.db.models import F

from rowferry.exports import conf
from rowferry.exports.contention import retried
from rowferry.exports.errors import QuotaExceeded
from rowferry.exports.models import QuotaUse

WINDOW = 60
"""Seconds."""
EXPORTS = "exports"
DRY_RUNS = "dry-runs"
SETTING = {EXPORTS: "EXPORTS_PER_MINUTE", DRY_RUNS: "DRY_RUNS_PER_MINUTE"}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left: `remaining` of `limit` in a window of WINDOW seconds; `reset` = seconds until one more is free."""

    name: str
    limit: int
    remaining: int
    reset: int


@retried
def take(user: AbstractUser, name: str) -> Allowance:
    """Use one. QuotaExceeded says when to come back. In the caller's transaction: who rolls back has used nothing."""
    limit = conf.number(SETTING[name])
    with transaction.atomic():
        use = _locked(user, name)
        now = time.time()
        taken = _recent(use, now)
        if len(taken) >= limit:
            raise _exceeded(name, limit, taken, now)
        use.taken = [*taken, now]
        use.save(update_fields=["taken"])
    return Allowance(name, limit, limit - len(use.taken), _until(use.taken, now))


def refuse_used_up(user: AbstractUser, name: str) -> None:
    """QuotaExceeded if nothing is left: a look without a lock, before any work is done for somebody who is over."""
    limit, now = conf.number(SETTING[name]), time.time()
    use = QuotaUse.objects.filter(user_id=user.pk, allowance=name).first()
    taken = _recent(use, now) if use else []
    if len(taken) >= limit:
        raise _exceeded(name, limit, taken, now)


def _locked(user: AbstractUser, name: str) -> QuotaUse:
    """The row, locked by an UPDATE (which every database has) until the transaction ends."""
    mine = QuotaUse.objects.filter(user_id=user.pk, allowance=name)
    if not mine.update(turn=F("turn") + 1):
        QuotaUse.objects.get_or_create(user_id=user.pk, allowance=name)
        mine.update(turn=F("turn") + 1)
    return mine.get()


def _recent(use: QuotaUse, now: float) -> list[float]:
    return [moment for moment in use.taken if moment > now - WINDOW]


def _until(taken: list[float], now: float) -> int:
    return max(1, math.ceil(min(taken, default=now) + WINDOW - now))


def _exceeded(name: str, limit: int, taken: list[float], now: float) -> QuotaExceeded:
    wait = _until(taken, now) if limit else WINDOW
    detail = f"You have used all {limit} {name.replace('-', ' ')} of this minute: try again in {wait} seconds."
    return QuotaExceeded(detail, allowance=name, limit=limit, retry_after=wait)
