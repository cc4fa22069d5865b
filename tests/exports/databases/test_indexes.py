"""What is asked every few seconds is found by an index, however long the history: on every database."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from rowferry.exports import lifecycle
from rowferry.exports.models import EmailOutbox, Export, MailKind, Status
from tests.factories.exports import create_export_in_state, queue_export

pytestmark = pytest.mark.django_db(transaction=True)
READ_WHOLE = {
    "sqlite": r"\bSCAN (?!\w+ USING)",
    "postgresql": r"Seq Scan on",
    "mysql": r"\bALL None\b|\browferry_\w+ ALL\b",
}
"""How a plan says that a whole table is read."""
ASKED: dict[str, Callable[[], QuerySet[Export] | QuerySet[EmailOutbox]]] = {
    "what a worker may take": lifecycle.due,
    "the oldest that waits": lambda: lifecycle.due().filter(status=Status.PENDING).order_by("created_at")[:1],
    "whose lease ended": lambda: Export.objects.filter(status=Status.PROCESSING, lease_until__lte=Now()),
    "what expires": lambda: Export.objects.filter(status=Status.COMPLETED, expires_at__lte=Now()).order_by(
        "expires_at"
    ),
    "mails to send": lambda: EmailOutbox.objects.filter(sent_at=None, next_try_at__lte=Now()),
}


@pytest.fixture
def history(owner: User) -> None:
    """Thousands that ended, and one of each that is at work."""
    done = create_export_in_state(owner, Status.COMPLETED)
    later = timezone.now() + timedelta(days=7)
    facts = {field.attname: getattr(done, field.attname) for field in Export._meta.concrete_fields}
    ended = [Export(**{**facts, "id": uuid4(), "expires_at": later}) for _ in range(4_000)]
    Export.objects.bulk_create(ended)
    EmailOutbox.objects.bulk_create(
        EmailOutbox(
            export=one,
            kind=MailKind.COMPLETED,
            recipient="a@b.example",
            created_at=later,
            next_try_at=later,
            sent_at=later,
        )
        for one in ended
    )
    queue_export(owner)
    create_export_in_state(owner, Status.PROCESSING)
    with connection.cursor() as cursor:
        for table in (Export._meta.db_table, EmailOutbox._meta.db_table):
            cursor.execute(f"ANALYZE {'TABLE ' if connection.vendor == 'mysql' else ''}{table}")


@pytest.mark.parametrize("asked", ASKED)
def test_it_is_found_by_an_index(history: None, asked: str) -> None:
    plan = ASKED[asked]().explain()
    assert not re.search(READ_WHOLE[connection.vendor], plan), plan


def test_to_read_everything_is_seen_as_that(history: None) -> None:
    plan = Export.objects.order_by().explain()
    assert re.search(READ_WHOLE[connection.vendor], plan), plan
