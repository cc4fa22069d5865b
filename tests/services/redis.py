"""Redis, which keeps nothing on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.services.packages import find_program
from tests.services.running import answers, free_port, own_folder, running


@contextmanager
def redis(at: str | None = None) -> Iterator[str]:
    """A running server's BROKER_URL. `at` = the address of one that was stopped, or has yet to come."""
    url = at or address()
    server, port = find_program("redis-server", "redis-server"), int(urlsplit(url).port or 0)
    with own_folder("redis", "redis") as folder:
        options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with running([server, *words], folder, answers(port), user="redis"):
            yield url


def address() -> str:
    """Where a server may be started."""
    return f"redis://127.0.0.1:{free_port()}/0"
