"""What every move writes beside itself: its line in the log, and the mail that it makes due."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from rowferry.exports.errors import Interrupted, RowferryError
from rowferry.exports.models import Attempt, EmailOutbox, Event, Export, ExportLog, MailKind
from rowferry.exports.resource import Person


def record(export: Export, event: Event, message: str, *, actor: Person = None, **facts: Any) -> None:
    """Append one line to an export's log, with who did it (by default nobody: the program itself)."""
    ExportLog.objects.create(
        export=export,
        event=event,
        message=message[:500],
        actor_id=str(actor.pk) if actor else "",
        actor_name=actor.get_username() if actor else "",
        actor_email=actor.email if actor else "",
        created_at=Now(),
        **facts,
    )


def mail(export: Export, kind: MailKind) -> None:
    """Put a mail into the outbox, once, if its owner wants any and has an address."""
    if export.notify and export.user_email:
        EmailOutbox.objects.get_or_create(
            export=export,
            kind=kind,
            defaults={"recipient": export.user_email, "created_at": Now(), "next_try_at": Now()},
        )


def words(error: RowferryError) -> str:
    return f"{error.code}: {error.detail}"[:2000]


def end_attempt(export: Export, fence: int, outcome: str, rows: int) -> None:
    """Close the book on one try."""
    Attempt.objects.filter(export=export, fence=fence).update(ended_at=Now(), outcome=outcome, rows=rows)


def end_abandoned_attempts(export: Export) -> None:
    """A try whose worker died could not say so itself."""
    Attempt.objects.filter(export=export, ended_at=None).update(ended_at=Now(), outcome=Interrupted.code)
