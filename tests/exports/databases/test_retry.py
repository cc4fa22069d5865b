"""A transaction that loses to others is tried again; one with a fault of its own is not."""

from __future__ import annotations

import pytest
from django.db import OperationalError, transaction

from rowferry.exports.databases import retry
from rowferry.exports.databases.retry import RETRY_DELAYS, retry_on_conflict


class DriverError(Exception):
    sqlstate = "40P01"


def of_postgresql() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = DriverError()
    return error


DEADLOCKS = [OperationalError(1213, "Deadlock found when trying to get lock"), of_postgresql()]


class Work:
    """Fails so many times, then gives what it was given."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left, self.calls = error, times, 0

    def __call__(self, value: str) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error
        return value


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waited; no test waits for it."""
    waited: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", waited.append)
    return waited


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", DEADLOCKS, ids=["mysql", "postgresql"])
def test_a_deadlock_is_tried_again_after_a_pause(error: OperationalError, pauses: list[float]) -> None:
    work = Work(error, times=2)
    assert retry_on_conflict(work)("done") == "done"
    assert work.calls == 3
    assert len(pauses) == 2
    assert all(0 <= waited <= most for waited, most in zip(pauses, RETRY_DELAYS, strict=False))


@pytest.mark.django_db(transaction=True)
def test_after_some_tries_the_error_is_told() -> None:
    work = Work(DEADLOCKS[0], times=99)
    with pytest.raises(OperationalError):
        retry_on_conflict(work)("never")
    assert work.calls == len(RETRY_DELAYS) + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("no such table"), OperationalError(), ValueError()])
def test_any_other_error_is_told_at_once(error: Exception) -> None:
    work = Work(error, times=1)
    with pytest.raises(type(error)):
        retry_on_conflict(work)("never")
    assert work.calls == 1


@pytest.mark.django_db
def test_within_a_transaction_of_the_caller_there_is_one_try() -> None:
    work = Work(DEADLOCKS[0], times=1)
    with transaction.atomic(), pytest.raises(OperationalError):
        retry_on_conflict(work)("never")
    assert work.calls == 1
