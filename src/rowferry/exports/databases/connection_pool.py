"""Connections of readers that are done, kept for the next reader of the same process: to connect anew takes longer than
to read ten thousand rows.

Only a connection whose transaction was rolled back is kept, so that nothing of a snapshot or of its settings is left on
it. Django's rules for its own connections hold: CONN_MAX_AGE seconds after it was made it is not used any more.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from threading import Lock

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

MOST = 4
"""Connections that wait for one database in one process; of more, those that come back last are closed."""

_lock = Lock()
_waiting: dict[tuple[int, str], list[BaseDatabaseWrapper]] = {}
"""By process, because a child must not talk on its parent's connections, and by the database's alias."""


def take(alias: str) -> BaseDatabaseWrapper | None:
    """A connection that was kept, the latest first; None if there is none. It may have died since."""
    while True:
        with _lock:
            kept = _waiting.get((os.getpid(), alias))
            if not kept:
                return None
            found = kept.pop()
        if not _is_over(found):
            return found
        close(found)


def keep(alias: str, wrapper: BaseDatabaseWrapper) -> None:
    """Keep a connection within whose transaction nothing is under way, or close it."""
    try:
        wrapper.rollback()
    except Error:
        close(wrapper)
        return
    with _lock:
        kept = _waiting.setdefault((os.getpid(), alias), [])
        has_room = len(kept) < MOST and not _is_over(wrapper)
        if has_room:
            kept.append(wrapper)
    if not has_room:
        close(wrapper)


def forget() -> None:
    """Close all that this process keeps: somebody wants the databases for themselves."""
    with _lock:
        mine = [key for key in _waiting if key[0] == os.getpid()]
        found = [wrapper for key in mine for wrapper in _waiting.pop(key)]
    for wrapper in found:
        close(wrapper)


def close(wrapper: BaseDatabaseWrapper) -> None:
    """Close a connection, in whatever state it is."""
    with suppress(Error):
        wrapper.close()


def _is_over(wrapper: BaseDatabaseWrapper) -> bool:
    return wrapper.close_at is not None and time.monotonic() >= wrapper.close_at
