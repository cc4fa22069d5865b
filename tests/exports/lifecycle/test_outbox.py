"""The outbox: a mail that a server refuses is tried again, later each time, and goes once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.contrib.auth.models import User
from django.utils import timezone

from rowferry.exports.models import EmailOutbox
from rowferry.exports.scheduling import notifications
from tests.factories.exports import complete_export, events, reload_export
from tests.services import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def public_address(settings: Any) -> None:
    settings.SITE_URL = "https://rowferry.example"


class RefusingMailHandler:
    """A mail server's manners: it refuses the first mails, then takes them."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[Message] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusals:
            self.refusals -= 1
            return "451 Try again later"
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def server(settings: Any) -> Iterator[RefusingMailHandler]:
    """A real mail server that refuses two mails."""
    manners = RefusingMailHandler(refusals=2)
    controller = Controller(manners, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    try:
        yield manners
    finally:
        controller.stop()


def due_now() -> None:
    EmailOutbox.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


def test_a_mail_that_is_refused_is_tried_again_later_each_time_and_then_goes_once(
    owner: User, server: RefusingMailHandler
):
    export = complete_export(owner)
    for tries, wait in ((1, 30), (2, 60)):
        assert notifications.send_due() == 0
        waiting = EmailOutbox.objects.get()
        assert (waiting.tries, waiting.sent_at) == (tries, None)
        assert "Try again later" in waiting.last_error
        assert wait - 10 < (waiting.next_try_at - timezone.now()).total_seconds() <= wait
        assert notifications.send_due() == 0
        due_now()
    assert [notifications.send_due(), notifications.send_due()] == [1, 0]
    (message,) = server.taken
    assert message["Subject"] == "Your Excel export is ready (5,000 items, 2.5 MB)"
    assert message["Message-ID"] == f"<{export.pk}.completed@rowferry.example>"
    assert {part.get_content_type() for part in message.walk()} == {"multipart/alternative", "text/plain", "text/html"}
    assert EmailOutbox.objects.get().last_error == ""
    assert events(export) == ["initiated", "processing", "completed", "notified"]


def test_a_server_that_does_not_answer_costs_nothing_but_time(owner: User, settings: Any):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    export = complete_export(owner)
    assert notifications.send_due() == 0
    assert reload_export(export).status == "completed"
    assert EmailOutbox.objects.get().next_try_at is not None


def test_two_schedulers_do_not_try_the_same_mail_in_vain(owner: User, settings: Any):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    complete_export(owner)
    mine, theirs = EmailOutbox.objects.get(), EmailOutbox.objects.get()
    assert [notifications._send(mine), notifications._send(theirs)] == [False, False]
    assert EmailOutbox.objects.get().tries == 1


def test_waits_grow_to_an_hour_and_a_mail_is_given_up_after_about_a_day(owner: User, settings: Any):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    complete_export(owner)
    waited = timedelta()
    for _ in range(notifications.MAX_TRIES - 1):
        notifications.send_due()
        wait = EmailOutbox.objects.get().next_try_at - timezone.now()
        assert wait <= timedelta(hours=1)
        waited += wait
        due_now()
    notifications.send_due()
    assert timedelta(hours=20) < waited < timedelta(hours=30)
    assert EmailOutbox.objects.get().next_try_at is None
