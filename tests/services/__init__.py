"""Real servers for tests and benches, each with a temporary folder and free ports of 127.0.0.1, gone at the end.

Each is a context manager that gives an address as Rowferry's own settings take it. `python -m tests.services` runs a
command beside any combination of them. As root each server runs as its own user, because servers refuse root, and
Debian's package is installed first if it is missing.
"""

from __future__ import annotations

from tests.services.mariadb import mariadb
from tests.services.packages import is_root
from tests.services.postgresql import find_programs, postgresql
from tests.services.rabbitmq import rabbitmq
from tests.services.redis import redis
from tests.services.running import START_SECONDS, free_port
from tests.services.s3 import s3
from tests.services.smtp import smtp

__all__ = [
    "START_SECONDS",
    "find_programs",
    "free_port",
    "is_root",
    "mariadb",
    "postgresql",
    "rabbitmq",
    "redis",
    "s3",
    "smtp",
]
