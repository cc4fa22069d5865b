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

MAX_IDLE = 4
"""Connections that wait for one database in one process; of more, those that come back last are closed."""

_lock = Lock()
_idle: dict[tuple[int, str], list[BaseDatabaseWrapper]] = {}
"""By process, because a child must not talk on its parent's connections, and by the database's alias."""


def take(alias: str) -> BaseDatabaseWrapper | None:
    """A connection that was kept, the latest first; None if there is none. It may have died since."""
    while True:
        with _lock:
            idle = _idle.get((os.getpid(), alias))
            if not idle:
                return None
            wrapper = idle.pop()
        if not _is_expired(wrapper):
            return wrapper
        close(wrapper)


def keep(alias: str, wrapper: BaseDatabaseWrapper) -> None:
    """Keep a connection within whose transaction nothing is under way, or close it."""
    try:
        wrapper.rollback()
    except Error:
        close(wrapper)
        return
    with _lock:
        idle = _idle.setdefault((os.getpid(), alias), [])
        has_room = len(idle) < MAX_IDLE and not _is_expired(wrapper)
        if has_room:
            idle.append(wrapper)
    if not has_room:
        close(wrapper)


def close_all() -> None:
    """Close all that this process keeps: somebody wants the databases for themselves."""
    with _lock:
        own_keys = [key for key in _idle if key[0] == os.getpid()]
        wrappers = [wrapper for key in own_keys for wrapper in _idle.pop(key)]
    for wrapper in wrappers:
        close(wrapper)


def close(wrapper: BaseDatabaseWrapper) -> None:
    """Close a connection, in whatever state it is."""
    with suppress(Error):
        wrapper.close()


def _is_expired(wrapper: BaseDatabaseWrapper) -> bool:
    return wrapper.close_at is not None and time.monotonic() >= wrapper.close_at
