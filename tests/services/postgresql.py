"""PostgreSQL, the newest release that is installed."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.packages import install, is_root
from tests.services.running import free_port, own_folder, run_as, running

PACKAGES = Path("/usr/lib/postgresql")
USER = "postgres"
# Tests post fifty at once, each with a reader of its own. Nothing here has to outlive the machine.
OPTIONS = {"listen_addresses": "127.0.0.1", "fsync": "off", "max_connections": 300}


@contextmanager
def postgresql() -> Iterator[str]:
    """A running server's DATABASE_URL."""
    programs, port, password = find_programs(), free_port(), secrets.token_hex(16)
    with own_folder("postgresql", USER) as folder:
        initialise(programs, folder, password)
        with run_server(programs, folder, port):
            yield f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"


@contextmanager
def run_server(programs: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server's process on a folder that was initialised; for who wants to start it again."""
    options = OPTIONS | {"port": port, "unix_socket_directories": folder}
    settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = [programs / "postgres", "-D", folder / "data", *settings]
    asked = [programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]

    def ready() -> bool:
        return subprocess.run(asked, check=False).returncode == 0

    with running(command, folder, ready, user=USER, stop=signal.SIGINT) as server:
        yield server


def find_programs() -> Path:
    """The folder of the server's programs, the newest release if there are several."""
    if not any(PACKAGES.glob("*/bin/initdb")):
        install("postgresql")
    found = sorted(PACKAGES.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise SystemExit("There is no PostgreSQL here: run `apt-get install postgresql` as root.")
    return found[-1].parent


def initialise(programs: Path, folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if is_root():
        shutil.chown(secret, USER, USER)
    who = ["--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256"]
    what = [f"--pgdata={folder / 'data'}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    run_as(USER, [programs / "initdb", *who, *what])
    secret.unlink()
