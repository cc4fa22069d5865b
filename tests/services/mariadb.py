"""MariaDB. Django's driver for it, mysqlclient, comes with `make services`."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.packages import find_program, is_root
from tests.services.running import free_port, own_folder, running

USER = "mysql"
# Nothing here has to outlive the machine.
QUICK = ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-doublewrite=0"]


@contextmanager
def mariadb() -> Iterator[str]:
    """A running server's DATABASE_URL; its user may make test databases."""
    server, port, password = find_program("mariadbd", "mariadb-server"), free_port(), secrets.token_hex(16)
    who = [f"--user={USER}"] if is_root() else []
    with own_folder("mariadb", USER) as folder:
        data, socket = f"--datadir={folder / 'data'}", folder / "socket"
        install = ["mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*install, "--skip-test-db", *who], check=True, **quiet)
        address = [f"--socket={socket}", f"--port={port}", "--bind-address=127.0.0.1"]
        options = ["--character-set-server=utf8mb4", "--max-connections=300", *QUICK, *who]
        with running([server, "--no-defaults", data, *address, *options], folder, socket.exists):
            admit(socket, password)
            yield f"mysql://rowferry:{password}@127.0.0.1:{port}/rowferry"


def admit(server: Path, password: str) -> None:
    """Make the database and its user, by the server's socket."""
    sql = f"""CREATE DATABASE rowferry;
        CREATE USER rowferry@'127.0.0.1' IDENTIFIED BY '{password}';
        GRANT ALL ON *.* TO rowferry@'127.0.0.1'"""
    subprocess.run(["mariadb", "--no-defaults", f"--socket={server}", "--user=root"], input=sql.encode(), check=True)
