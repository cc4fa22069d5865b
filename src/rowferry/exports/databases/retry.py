"""Transactions that the database ended in favour of others: nothing is wrong with them, so they are tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction

DEADLOCK_OF_MYSQL, CHANGED_SINCE_READ = 1213, 1020
SERIALIZATION_FAILURE, DEADLOCK_OF_POSTGRESQL = "40001", "40P01"
RETRYABLE_CODES = {DEADLOCK_OF_MYSQL, CHANGED_SINCE_READ, SERIALIZATION_FAILURE, DEADLOCK_OF_POSTGRESQL}
RETRY_DELAYS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Most seconds to wait before each further try: at random, so that those who met do not meet again."""

P = ParamSpec("P")
R = TypeVar("R")


def retry_on_conflict(function: Callable[P, R]) -> Callable[P, R]:
    """A function that is one transaction, tried again a few times while it loses to others.

    Within a transaction of the caller's it is tried once: that transaction is lost as a whole.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for delay in RETRY_DELAYS:
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if not is_retryable(error) or transaction.get_connection().in_atomic_block:
                    raise
            time.sleep(random.uniform(0, delay))  # noqa: S311  (no secret)
        return function(*args, **kwargs)

    return wrapper


def is_retryable(error: OperationalError) -> bool:
    """Whether the same transaction may well succeed now. MySQL gives a number; psycopg an SQLSTATE, at the cause."""
    number = error.args[0] if error.args else None
    return number in RETRYABLE_CODES or getattr(error.__cause__, "sqlstate", None) in RETRYABLE_CODES
