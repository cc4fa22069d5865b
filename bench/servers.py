"""The databases of one run: SQLite in a file, PostgreSQL and MariaDB as servers of their own that end with the run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests import services
from tests.services.packages import install

from bench.measuring import ROOT

MARIADB_PACKAGES = ("mariadb-server", "libmariadb-dev", "pkg-config", "build-essential")
PHP_PACKAGES = ("php-cli", "php-pgsql")
DRIVER_LOCK = ROOT / "requirements-mariadb.lock"
DRIVERS = ROOT / ".venv-bench" / "drivers"


@dataclass(frozen=True, slots=True)
class Database:
    """One database with assets in it, and Rowferry's own folder for it."""

    name: str
    url: str
    folder: Path
    drivers: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be an installation of Rowferry on this database."""
        return {
            "DATABASE_URL": self.url,
            "ROWFERRY_DATA_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "rowferry.config.settings",
            "LOG_LEVEL": "ERROR",
            "ROWFERRY_EXPORTS_PER_MINUTE": "1000000",
            "ROWFERRY_TIME_LIMIT": "3600",
            **self.drivers,
        }

    def client(self, sql: str) -> tuple[str, ...]:
        """The database's own command line client, told to run this; what it reads comes as plain text with a header."""
        return CLIENTS[self.name](self.url, sql)

    def with_name(self, name: str) -> Database:
        """A further database on the same server, not yet made."""
        folder = self.folder.with_name(f"{self.folder.name}-{name}")
        base = self.url.rpartition("/")[0]
        return Database(self.name, f"{base}/{name}", folder, self.drivers)


def psql(url: str, sql: str) -> tuple[str, ...]:
    return ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url, "--command", sql)


def sqlite3(url: str, sql: str) -> tuple[str, ...]:
    return ("sqlite3", "-batch", "-csv", "-header", url.removeprefix("sqlite:///"), sql)


def mariadb(url: str, sql: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    server = (f"--host={parts.hostname}", f"--port={parts.port}", f"--database={parts.path[1:]}")
    login = (f"--user={parts.username}", f"--password={parts.password}", "--default-character-set=utf8mb4")
    statement = ("--execute", f"SET sql_mode=PIPES_AS_CONCAT; {sql}")
    return ("mariadb", "--no-defaults", "--batch", "--quick", *server, *login, *statement)


CLIENTS = {"PostgreSQL": psql, "SQLite": sqlite3, "MariaDB": mariadb}


def sqlite_in(folder: Path) -> Database:
    return Database("SQLite", f"sqlite:///{folder / 'sqlite' / 'rowferry.sqlite3'}", folder / "sqlite")


@contextmanager
def postgresql_in(folder: Path) -> Iterator[Database]:
    with services.postgresql() as url:
        yield Database("PostgreSQL", url, folder / "postgresql")


@contextmanager
def mariadb_in(folder: Path) -> Iterator[Database | None]:
    """None where it cannot be had: no server, no driver, and not root to install them."""
    if not ensure_program("mariadbd", *MARIADB_PACKAGES):
        yield None
        return
    drivers = _drivers()
    with services.mariadb() as url:
        yield Database("MariaDB", url, folder / "mariadb", drivers)


def ensure_program(program: str, *packages: str) -> bool:
    """Whether the program is there; as root, Debian's packages are installed if it is not."""
    if not shutil.which(program):
        with suppress(subprocess.CalledProcessError):
            install(*packages)
    return shutil.which(program) is not None


def _drivers() -> dict[str, str]:
    """Django's driver, built into a folder of its own where the product's environment has none."""
    if importlib.util.find_spec("MySQLdb"):
        return {}
    if not DRIVERS.exists():
        _build_driver()
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(DRIVERS), os.environ.get("PYTHONPATH")]))}


def _build_driver() -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, f"--target={DRIVERS}", f"--requirement={DRIVER_LOCK}"], check=True, stderr=subprocess.DEVNULL)
