"""Every setting that comes from outside, in one table: read from the environment or `.env`, checked, with its
default."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from environs import Env

from rowferry.exports.conf import SECONDS, WHOLE_NUMBERS
from rowferry.exports.integrity.secret_file import read_or_create_secret
from rowferry.runtime import log_config

env = Env()
env.read_env(str(Path.cwd() / ".env"), recurse=False)

DATA_DIR = Path(env.str("ROWFERRY_DATA_DIR", "var")).resolve()


WIRING = {"ROWFERRY_WORKERS": 2, "ROWFERRY_TRUSTED_PROXIES": 0}
"""Whole numbers that only the wiring asks for."""
SERVER_OPTIONS: dict[str, dict[str, Any]] = {
    "postgresql": {},
    # A server that is not strict shortens what does not fit, and says nothing.
    "mysql": {"init_command": "SET sql_mode = 'STRICT_TRANS_TABLES'"},
}


def limits() -> dict[str, Any]:
    """Numbers and durations, by name. Below zero is refused here, where the name can still be said."""
    values: dict[str, Any] = {name: env.int(name, default) for name, default in WHOLE_NUMBERS.items()}
    values |= {name: env.int(name, default) for name, default in WIRING.items()}
    values |= {name: env.float(name, default) for name, default in SECONDS.items()}
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} is {value}: it must not be below zero.")
    return values


def database(url: str) -> dict[str, Any]:
    """`sqlite:///PATH`, `postgresql://user:password@host:port/name?option=value`, `mysql://…` as Django's DATABASES
    entry."""
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    if scheme == "sqlite":
        return _sqlite(unquote(parts.path)[1:])
    engine = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}.get(scheme)
    if engine is None:
        raise ValueError(f"DATABASE_URL: {scheme!r} is none of sqlite, postgresql, mysql.")
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": unquote(parts.path)[1:],
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": SERVER_OPTIONS[engine] | dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite(path: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
        },
        "CONN_MAX_AGE": None,
        "TEST": {"NAME": str(Path(path).with_name("test.sqlite3"))},
    }


def email(url: str) -> dict[str, Any]:
    """`file:///FOLDER`, `smtp://user:password@host:port`, `smtps://…` (TLS from the start), `smtp+tls://…`
    (STARTTLS), `console:`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {"EMAIL_BACKEND": "rowferry.runtime.email_backend.EmailBackend", "EMAIL_FILE_PATH": unquote(parts.path)}
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme not in ("smtp", "smtps", "smtp+tls"):
        raise ValueError(f"EMAIL_URL: {parts.scheme!r} is none of file, smtp, smtps, smtp+tls, console.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_TIMEOUT": 20,
    }


def log() -> dict[str, Any]:
    """Django's LOGGING, and gunicorn's."""
    return log_config.configuration(env.str("ROWFERRY_LOG", ""), env.str("LOG_LEVEL", ""))


def secret_key() -> str:
    """SECRET_KEY, or one made at first start and kept in the data folder, readable by its owner only."""
    value = env.str("SECRET_KEY", "")
    if value:
        return value
    return read_or_create_secret(DATA_DIR / "secret-key", partial(secrets.token_urlsafe, 50))
