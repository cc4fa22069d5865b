"""`doctor`: does everything that an export needs answer? One line each, with what to do; exit code 1 if something
fails."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.mail import get_connection
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now

from rowferry.exports import conf, lifecycle, tasks
from rowferry.exports.databases.vendors import TRAITS, traits_of, untested_mode
from rowferry.exports.errors import RowferryError
from rowferry.exports.models import Export, Leader, Status
from rowferry.exports.monitoring import health
from rowferry.exports.persistent_names import SCHEDULER_ROLE
from rowferry.exports.storage import storage

OK, WARN, FAIL = "ok", "warn", "FAIL"
SKEW = 5.0
"""Seconds that two clocks may differ: leases are kept by the database's, deadlines by the worker's."""
LONG = 60.0
"""Seconds after which a waiting export is worth a word."""
LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what to do about it."""

    level: str
    detail: str
    advice: str = ""


Findings = Iterator[Finding]


def database(_: float) -> Findings:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        yield Finding(FAIL, f"{missing} migrations are missing", "run `rowferry migrate`")
        return
    if connection.vendor not in TRAITS:
        yield Finding(WARN, f"Rowferry is not tested on {connection.vendor}", "use PostgreSQL, MariaDB or SQLite")
        return
    yield Finding(OK, f"{connection.vendor}, up to date")
    if mode := untested_mode(connection):
        expected = traits_of(connection.vendor).tested_modes[0]
        yield Finding(WARN, f"it works in {mode!r}, not in {expected!r}", "set it so for Rowferry's user")


def clock(_: float) -> Findings:
    skew = health.clock_skew().total_seconds()
    level, advice = (OK, "") if abs(skew) <= SKEW else (WARN, "let both machines ask the same time server")
    yield Finding(level, f"{skew:+.1f} s from the database's", advice)


def broker(_: float) -> Findings:
    yield Finding(OK, tasks.reach_broker())


def files(_: float) -> Findings:
    storage().check()
    free_bytes, minimum_mb = storage().free_space(), conf.number("READY_FREE_MB")
    location = str(storage())
    if free_bytes is None:
        yield Finding(OK, location)
        return
    is_low = bool(minimum_mb) and free_bytes < minimum_mb * 1_000_000
    advice = f"make room: at least {minimum_mb:,} MB (ROWFERRY_READY_FREE_MB)" if is_low else ""
    yield Finding(WARN if is_low else OK, f"{location}, {free_bytes // 1_000_000:,} MB free", advice)


def mail(_: float) -> Findings:
    """The server is greeted, or a folder tried; nothing is sent."""
    mail_connection = get_connection(fail_silently=False)
    mail_connection.open()
    server, folder = getattr(mail_connection, "connection", None), getattr(settings, "EMAIL_FILE_PATH", None)
    if server is not None:
        server.ehlo_or_helo_if_needed()
    mail_connection.close()
    if server is None and folder and not os.access(_nearest_existing(folder), os.W_OK):
        yield Finding(FAIL, f"{folder} cannot be written", "give its owner the right to")
        return
    yield Finding(OK, type(mail_connection).__module__)


def _nearest_existing(folder: str) -> str:
    """The folder itself, or the first one above it that is there."""
    while not os.path.exists(folder) and folder != os.path.dirname(folder):  # noqa: PTH110, PTH120
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder


def scheduler(_: float) -> Findings:
    leader = Leader.objects.filter(role=SCHEDULER_ROLE, lease_until__gt=Now()).first()
    if leader is None:
        yield Finding(FAIL, "none is running", "start `rowferry up`, or `rowferry scheduler`")
        return
    yield Finding(OK, leader.holder)


def worker(patience: float) -> Findings:
    """A ping goes out by the broker, and a worker answers by the database."""
    answer = tasks.ping_workers(patience)
    busy = Export.objects.filter(status=Status.PROCESSING, lease_until__gt=Now(), mode="queued").exclude(worker="")
    if answer:
        yield Finding(OK, f"{answer[0]} answered in {answer[1]:.2f} s")
    elif count := busy.count():
        yield Finding(WARN, f"no answer in {patience:g} s, but {count} exports are being made", "wait, or start more")
    else:
        yield Finding(FAIL, f"none answered in {patience:g} s", "start `rowferry worker`, or more of them")


def queue(_: float) -> Findings:
    age = health.queue_age(health.database_time())
    if age > LONG:
        yield Finding(WARN, f"an export has waited for {age:.0f} s", "start `rowferry worker`, or more of them")
        return
    yield Finding(OK, f"{lifecycle.due().count()} exports wait")


def configuration(_: float) -> Findings:
    """What Django's checks say, and what is fit for a trial only."""
    findings = [*_run_django_checks(), *_trial_settings()]
    yield from findings or [Finding(OK, "nothing to say")]


def _run_django_checks() -> Findings:
    for message in checks.run_checks(databases=["default"]):
        if message.level >= checks.WARNING:
            yield Finding(FAIL if message.is_serious() else WARN, f"{message.id}: {message.msg}", message.hint or "")


def _trial_settings() -> Findings:
    is_local = (urlsplit(conf.text("SITE_URL")).hostname or "") in LOCAL
    is_shared = not traits_of(connection.vendor).is_file
    if settings.DEBUG:
        yield Finding(WARN, "DEBUG is on", "unset it: its pages show settings and code")
    if settings.SECRET_KEY.startswith("django-insecure") or len(settings.SECRET_KEY) < 32:
        yield Finding(WARN, "SECRET_KEY is short or an example", "set one of 50 random characters")
    if is_shared and "SECRET_KEY" not in os.environ:
        yield Finding(WARN, "SECRET_KEY was made by this machine", "set the same one on every machine")
    if is_local:
        yield Finding(WARN, f"SITE_URL is {conf.text('SITE_URL')}", "set it: links in mails lead there")
    if not is_local and "*" in settings.ALLOWED_HOSTS:
        yield Finding(WARN, "ALLOWED_HOSTS is *", "set it to the host of SITE_URL")


CHECKS: dict[str, Callable[[float], Findings]] = {
    "database": database,
    "clock": clock,
    "broker": broker,
    "storage": files,
    "mail": mail,
    "scheduler": scheduler,
    "worker": worker,
    "queue": queue,
    "settings": configuration,
}


class Command(BaseCommand):
    help = "Checks database, clock, broker, storage, mail, scheduler, worker, queue and settings."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=5, help="Seconds to wait for a worker's answer.")
        parser.add_argument("--json", action="store_true", help="JSON instead of lines.")

    def handle(self, *_: Any, **options: Any) -> None:
        findings = [
            (name, finding) for name, check in CHECKS.items() for finding in run_check(check, float(options["wait"]))
        ]
        if options["json"]:
            self.stdout.write(json.dumps([{"check": name} | asdict(finding) for name, finding in findings], indent=2))
        else:
            for name, finding in findings:
                self.stdout.write(line(name, finding))
        if any(finding.level == FAIL for _, finding in findings):
            raise SystemExit(1)


def run_check(check: Callable[[float], Findings], patience: float) -> list[Finding]:
    """What a check finds; one that breaks off has found that."""
    try:
        return list(check(patience))
    except (RowferryError, OSError) as error:
        return [Finding(FAIL, str(error))]
    except Exception as error:  # a client library may raise anything; the doctor goes on to the next patient
        return [Finding(FAIL, f"{type(error).__name__}: {error}")]


def line(name: str, finding: Finding) -> str:
    advice = f": {finding.advice}" if finding.advice else ""
    return f"{finding.level:<6}{name}: {finding.detail}{advice}"
