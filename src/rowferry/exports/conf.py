"""The engine's settings, read from Django's when asked, so that a test or a project may change them. Seconds unless
said."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

WHOLE_NUMBERS: dict[str, int] = {
    "ROWFERRY_IMMEDIATE_BELOW": 1_000,
    "ROWFERRY_QUEUE_ABOVE": 10_000,
    "ROWFERRY_REQUEST_ROW_LIMIT": 100_000,
    "ROWFERRY_COUNT_LIMIT": 200_000,
    "ROWFERRY_EXPORTS_PER_MINUTE": 5,
    "ROWFERRY_DRY_RUNS_PER_MINUTE": 30,
    "ROWFERRY_PREVIEWS_PER_MINUTE": 60,
    "ROWFERRY_PASSWORD_MAILS_PER_HOUR": 3,
    "ROWFERRY_RETENTION_DAYS": 30,
    "ROWFERRY_REMINDER_DAYS": 3,
    "ROWFERRY_MAX_ATTEMPTS": 3,
    "ROWFERRY_FILES_AT_ONCE": 12,
    "ROWFERRY_READY_FREE_MB": 500,
}
SECONDS: dict[str, float] = {
    "ROWFERRY_TIME_LIMIT": 300,
    "ROWFERRY_RETRY_DELAY": 60,
    "ROWFERRY_LEASE": 60,
    "ROWFERRY_HEARTBEAT": 10,
    "ROWFERRY_SCHEDULER_INTERVAL": 2,
    "ROWFERRY_COUNT_TIME": 1,
    "ROWFERRY_PRESIGNED": 0,
    "ROWFERRY_GRACE": 20,
    "ROWFERRY_READY_QUEUE_AGE": 600,
    "ROWFERRY_READY_LEASE_OVERRUN": 120,
    "ROWFERRY_READY_SCHEDULER_AGE": 60,
}
SHORTEST_LEAD = timedelta(seconds=15)
TEXTS: dict[str, str] = {
    "SITE_URL": "http://127.0.0.1:8000",
    "CONTACT_EMAIL": "",
    "ROWFERRY_SIGNING_KEY": "",
    "ROWFERRY_SIGNING_KEY_FILE": "",
    "ROWFERRY_PUBLIC_KEYS": "",
    "ROWFERRY_CONNECTION_CONTEXT": "",
    "ROWFERRY_PREPARE_CONNECTION": "",
}


def number(name: str) -> int:
    """One of WHOLE_NUMBERS, named without its prefix."""
    return int(getattr(settings, f"ROWFERRY_{name}", WHOLE_NUMBERS[f"ROWFERRY_{name}"]))


def seconds(name: str) -> timedelta:
    """One of SECONDS, named without its prefix, as a span of time."""
    return timedelta(seconds=float(getattr(settings, f"ROWFERRY_{name}", SECONDS[f"ROWFERRY_{name}"])))


def lead() -> timedelta:
    """How long the leading scheduler is believed to live after its last run."""
    return max(SHORTEST_LEAD, 5 * seconds("SCHEDULER_INTERVAL"))


def text(name: str) -> str:
    """One of TEXTS."""
    return str(getattr(settings, name, TEXTS[name]))
