"""Runs a command beside a database server of its own: `python -m tests.services pytest tests/exports`, or with
`--database mariadb` before the command.

The server has a temporary folder and a free port of 127.0.0.1, and is gone when the command ends. As root it runs as
the user `postgres` or `mysql`, because servers refuse root; Debian's package is installed first if it is missing.
MariaDB also needs Django's driver, which needs a compiler: `pip install mysqlclient`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PACKAGES = Path("/usr/lib/postgresql")
AS_ROOT = {"user": "postgres", "group": "postgres", "extra_groups": []}
START_SECONDS = 30


def main(command: Sequence[str]) -> int:
    """Run the command with DATABASE_URL set; returns its exit status."""
    name, command = (command[1], command[2:]) if command[:1] == ["--database"] else ("postgresql", command)
    if not command or name not in SERVERS:
        sys.stderr.write("Usage: python -m tests.services [--database postgresql|mariadb] COMMAND…\n")
        return 2
    with SERVERS[name]() as url:
        return subprocess.run(command, env=environment(url), check=False).returncode


def environment(url: str) -> dict[str, str]:
    """The command finds the programs of this environment, and this folder's packages."""
    paths = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(Path.cwd())}
    joined = {name: os.pathsep.join(filter(None, [first, os.environ.get(name)])) for name, first in paths.items()}
    return {**os.environ, **joined, "DATABASE_URL": url}


@contextmanager
def postgresql() -> Iterator[str]:
    """A running server's DATABASE_URL."""
    programs = installed()
    with tempfile.TemporaryDirectory(prefix="rowferry-postgresql-") as name:
        folder, port, password = Path(name), free_port(), secrets.token_hex(16)
        if is_root():
            shutil.chown(folder, "postgres", "postgres")
        initialise(programs, folder, password)
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
        options["max_connections"] = 300  # tests post fifty at once, each with a reader of its own
        server = started(programs, folder, options)
        try:
            wait_until_ready(programs, server, port, folder)
            yield f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=START_SECONDS)


def installed() -> Path:
    """The folder of the server's programs, the newest release if there are several."""
    if not any(PACKAGES.glob("*/bin/initdb")) and is_root():
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", "postgresql"], check=True)
    found = sorted(PACKAGES.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise SystemExit("There is no PostgreSQL here: run `apt-get install postgresql` as root.")
    return found[-1].parent


def initialise(programs: Path, folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    if is_root():
        shutil.chown(secret, "postgres", "postgres")
    who = ["--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256"]
    what = [f"--pgdata={folder / 'data'}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    run_as_postgres([programs / "initdb", *who, *what])
    secret.unlink()


def started(programs: Path, folder: Path, options: Mapping[str, object]) -> subprocess.Popen[bytes]:
    settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", *settings], cwd="/", stdout=log, stderr=log, **identity()
        )


def wait_until_ready(programs: Path, server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    ready = [programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(ready, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.1)


def run_as_postgres(command: Sequence[object]) -> None:
    subprocess.run(list(map(str, command)), check=True, cwd="/", stdout=subprocess.DEVNULL, **identity())


@contextmanager
def mariadb() -> Iterator[str]:
    """A running server's DATABASE_URL; its user may make test databases."""
    if not shutil.which("mariadbd") and is_root():
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", "mariadb-server"], check=True)
    if not shutil.which("mariadbd"):
        raise SystemExit("There is no MariaDB here: run `apt-get install mariadb-server` as root.")
    with tempfile.TemporaryDirectory(prefix="rowferry-mariadb-") as name:
        folder, port, password = Path(name), free_port(), secrets.token_hex(16)
        server = started_mariadb(folder, port)
        try:
            wait_for_socket(server, folder)
            admit(folder / "socket", password)
            yield f"mysql://rowferry:{password}@127.0.0.1:{port}/rowferry"
        finally:
            server.terminate()
            server.wait(timeout=START_SECONDS)


def started_mariadb(folder: Path, port: int) -> subprocess.Popen[bytes]:
    data, who = f"--datadir={folder / 'data'}", ["--user=mysql"] if is_root() else []
    if is_root():
        shutil.chown(folder, "mysql", "mysql")
    install = ["mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal", *who]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = [f"--socket={folder / 'socket'}", f"--port={port}", "--bind-address=127.0.0.1"]
    options = ["--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]
    with (folder / "log").open("wb") as log:
        command = ["mariadbd", "--no-defaults", data, *address, *options, *who]
        return subprocess.Popen(command, cwd="/", stdout=log, stderr=log)


def wait_for_socket(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "socket").exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"MariaDB did not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.1)


def admit(server: Path, password: str) -> None:
    """Make the database and its user, by the server's socket."""
    sql = f"""CREATE DATABASE rowferry;
        CREATE USER rowferry@'127.0.0.1' IDENTIFIED BY '{password}';
        GRANT ALL ON *.* TO rowferry@'127.0.0.1'"""
    subprocess.run(["mariadb", "--no-defaults", f"--socket={server}", "--user=root"], input=sql.encode(), check=True)


SERVERS = {"postgresql": postgresql, "mariadb": mariadb}


def is_root() -> bool:
    return os.geteuid() == 0


def identity() -> dict[str, object]:
    """Who runs the server, as arguments of subprocess."""
    return dict(AS_ROOT) if is_root() else {}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
