"""RabbitMQ, with an `epmd` (Erlang's book of ports) of its own, so that it neither joins nor outlives anything."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.services.packages import find_program
from tests.services.running import answers, free_port, own_folder, running

USER = "rabbitmq"
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""What Debian's own command calls once it has changed the user."""


@contextmanager
def rabbitmq(at: str | None = None) -> Iterator[str]:
    """A running server's BROKER_URL. `at` = the address of one that was stopped, or has yet to come."""
    url = at or address()
    parts, book = urlsplit(url), free_port()
    wrapper, epmd = find_program("rabbitmq-server", "rabbitmq-server"), find_program("epmd", "erlang-base")
    with own_folder("rabbitmq", USER) as folder:
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{parts.port}\n"
            f"default_user = {parts.username}\ndefault_pass = {parts.password}\n"
            "disk_free_limit.absolute = 10MB\nlog.console = true\nlog.console.level = warning\nlog.file = false\n"
        )
        names = [epmd, "-port", book, "-address", "127.0.0.1"]
        server = SCRIPT if SCRIPT.exists() else wrapper
        settings = surroundings(folder, book)
        with (
            running(names, folder, answers(book), user=USER),
            running([server], folder, answers(int(parts.port or 0)), user=USER, env=settings),
        ):
            yield url


def address() -> str:
    """Where a server may be started."""
    return f"amqp://rowferry:{secrets.token_hex(16)}@127.0.0.1:{free_port()}//"


def surroundings(folder: Path, book: int) -> Mapping[str, str]:
    """All that would be below /etc and /var, below the folder."""
    return {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(book),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"rowferry{book}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
