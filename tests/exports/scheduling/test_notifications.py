"""The mails: what they say, to whom they go and that each goes once."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from rowferry.exports import conf, lifecycle, submission
from rowferry.exports.errors import RowferryError, StorageFault, UnexpectedFault
from rowferry.exports.execution import queued
from rowferry.exports.lifecycle import fail
from rowferry.exports.models import EmailOutbox, Export, MailKind
from rowferry.exports.scheduling import notifications, scheduler
from tests.conftest import may_export
from tests.factories.exports import claim_export, complete_export, events, queue_export, reload_export, update_export
from tests.factories.people import UserFactory
from tests.test_docs import ours

pytestmark = pytest.mark.django_db

SITE = "https://rowferry.example"


@pytest.fixture(autouse=True)
def public_address(settings: Any) -> None:
    settings.SITE_URL, settings.CONTACT_EMAIL = SITE, "help@example.com"


def broken(person: User, detail: str = "The disk is full.", **body: Any) -> Export:
    queue_export(person, kind="excel", **body)
    claim = claim_export()
    claim.export.max_attempts = 1
    fail(claim, StorageFault(detail), 0)
    return reload_export(claim.export)


def send_one() -> EmailMultiAlternatives:
    """The one mail that leaves."""
    assert notifications.send_due() == 1
    (message,) = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    return message


def both(message: EmailMultiAlternatives) -> tuple[str, str]:
    """Text and HTML."""
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    return str(message.body), str(html)


# What they say


def test_the_subject_says_format_items_and_size(owner: User):
    complete_export(owner)
    message = send_one()
    assert message.subject == "Your Excel export is ready (5,000 items, 2.5 MB)"
    assert message.to == ["owner@example.com"]


@pytest.mark.parametrize("part", [0, 1], ids=["text", "html"])
def test_a_finished_export_is_told_with_all_its_figures(owner: User, part: int):
    export = complete_export(owner, rows=4_990, failed=10)
    body = both(send_one())[part]
    for wanted in (
        "Hello Olga Owner,",
        "export of Assets as Excel is ready",
        "5,000",
        "4,990 (99.8%)",
        "2.5 MB",
        "12.0",
        "Download export (valid for 30 days)",
        f"{SITE}/exports/{export.pk}/download",
        f"{SITE}/",
        "All your exports",
    ):
        assert wanted in body


@pytest.mark.parametrize("part", [0, 1], ids=["text", "html"])
def test_a_failed_export_is_told_in_plain_words_with_a_way_on(owner: User, part: int):
    export = broken(owner)
    message = send_one()
    body = both(message)[part]
    assert message.subject == "Your export failed"
    for wanted in (
        "Hello Olga Owner,",
        "The disk is full.",
        "Retry it here",
        f"{SITE}/exports/{export.pk}",
        "help@example.com",
    ):
        assert wanted in body
    assert "Traceback" not in body
    assert "StorageFault" not in body


def test_counts_are_in_the_singular_for_one(owner: User):
    complete_export(owner, rows=1)
    message = send_one()
    assert message.subject == "Your Excel export is ready (1 item, 2.5 MB)"
    for body in both(message):
        assert "1 (100%)" in body


def test_reminder_of_one_row_says_item(owner: User, settings: Any):
    settings.ROWFERRY_REMINDER_DAYS = 1
    export = complete_export(owner, rows=1)
    EmailOutbox.objects.all().delete()
    lifecycle.mail(export, MailKind.REMINDER)
    message = send_one()
    assert message.subject == "Your Excel export will be removed in 1 day"
    for body in both(message):
        assert "(1 item, 2.5 MB)" in body


@pytest.mark.parametrize("error", ours(RowferryError), ids=lambda error: error.code)
def test_mail_about_a_failure_says_what_to_do(owner: User, error: type[RowferryError]):
    export = broken(owner)
    stored = {"code": error.code, "title": error.title, "detail": "Why.", "retryable": error.retryable}
    update_export(export, error=stored)
    assert error.advice
    for body in both(send_one()):
        assert error.advice in unescape(body)


def test_person_is_not_sent_to_a_log_that_they_cannot_read(owner: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queued.pipeline, "FileBuilder", None)
    monkeypatch.setattr(conf, "number", lambda name, number=conf.number: 1 if name == "MAX_ATTEMPTS" else number(name))
    queue_export(owner)
    queued.run_next()
    for body in both(send_one()):
        assert "worker's log" not in unescape(body)
        assert UnexpectedFault.advice in unescape(body)


def test_without_a_contact_the_administrator_is_named(owner: User, settings: Any):
    settings.CONTACT_EMAIL = ""
    broken(owner)
    for body in both(send_one()):
        assert "tell your administrator" in body


def test_every_link_is_absolute(owner: User):
    complete_export(owner)
    text, html = both(send_one())
    links = re.findall(r'href="([^"]+)"', html)
    assert len(links) == 2
    assert all(link.startswith(f"{SITE}/") and link in text for link in links)


def test_the_days_follow_the_setting(owner: User, settings: Any):
    settings.ROWFERRY_RETENTION_DAYS = 7
    complete_export(owner)
    assert all("valid for 7 days" in body for body in both(send_one()))


def test_a_person_without_a_name_is_greeted_by_the_account():
    person = may_export(UserFactory(username="jdoe", first_name="", last_name=""))
    complete_export(person)
    assert both(send_one())[0].startswith("Hello jdoe,")


def test_names_are_escaped_in_html_and_left_alone_in_text(owner: User):
    User.objects.filter(pk=owner.pk).update(first_name="<b>Bob</b>", last_name="O'Hara & Co")
    complete_export(owner)
    text, html = both(send_one())
    assert "Hello <b>Bob</b> O'Hara & Co," in text
    assert "&lt;b&gt;Bob&lt;/b&gt; O&#x27;Hara &amp; Co" in html
    assert "<b>Bob" not in html


def test_a_reason_is_escaped_too(owner: User):
    broken(owner, '<script>alert("x")</script>')
    text, html = both(send_one())
    assert "<script>" in text
    assert "<script>" not in html


def test_a_name_with_line_breaks_adds_neither_headers_nor_lines(owner: User):
    User.objects.filter(pk=owner.pk).update(first_name="Eve\r\nBcc: all@example.com\r\n\r\nPay now", last_name="")
    complete_export(owner)
    message = send_one()
    parsed = message_from_bytes(message.message().as_bytes(), policy=default)
    assert parsed["Bcc"] is None
    assert both(message)[0].startswith("Hello Eve Bcc: all@example.com Pay now,\n")


def test_an_address_with_line_breaks_gets_nothing_and_holds_up_nobody(owner: User, stranger: User):
    bad = complete_export(owner)
    EmailOutbox.objects.filter(export=bad).update(recipient="a@example.com\nBcc: all@example.com")
    complete_export(stranger)
    assert send_one().to == ["stranger@example.com"]
    assert "newlines" in EmailOutbox.objects.get(export=bad).last_error


# To whom, and how often


def test_a_mail_goes_once(owner: User):
    export = complete_export(owner)
    assert [notifications.send_due() for _ in range(3)] == [1, 0, 0]
    assert len(mail.outbox) == 1
    assert events(export).count("notified") == 1
    assert EmailOutbox.objects.get().sent_at is not None


def test_the_same_mail_has_the_same_message_id_however_often_it_is_made(owner: User, stranger: User):
    complete_export(owner)
    broken(stranger)
    first, other = EmailOutbox.objects.order_by("id")
    made = [notifications.message(one).message()["Message-ID"] for one in (first, first, other)]
    assert made[0] == made[1] == f"<{first.export_id}.completed@rowferry.example>"
    assert made[2] == f"<{other.export_id}.failed@rowferry.example>"


def test_two_schedulers_do_not_send_the_same_mail(owner: User):
    complete_export(owner)
    mine, theirs = EmailOutbox.objects.get(), EmailOutbox.objects.get()
    assert [notifications._send(mine), notifications._send(theirs)] == [True, False]
    assert len(mail.outbox) == 1


def test_who_wants_no_mail_gets_none(owner: User):
    complete_export(owner, email_notification=False)
    broken(owner, email_notification=False)
    assert not EmailOutbox.objects.exists()


def test_who_has_no_address_gets_none():
    complete_export(may_export(UserFactory(email="")))
    assert not EmailOutbox.objects.exists()


def test_the_operator_gets_none():
    complete_export(None)
    assert not EmailOutbox.objects.exists()


def test_by_default_only_queued_exports_are_told_of_by_mail(owner: User):
    answer = submission.submit("assets", {"format": "csv"}, owner)
    assert isinstance(answer, submission.Ready)
    answer.file.stream.close()
    assert not EmailOutbox.objects.exists()
    answer = submission.submit("assets", {"format": "csv", "email_notification": True}, owner)
    assert isinstance(answer, submission.Ready)
    answer.file.stream.close()
    assert EmailOutbox.objects.get().export_id == answer.export.pk


# The reminder


def test_a_reminder_comes_three_days_before_the_file_goes_and_once(owner: User):
    export = complete_export(owner)
    notifications.send_due()
    mail.outbox.clear()
    update_export(export, expires_at=timezone.now() + timedelta(days=3, minutes=1))
    assert scheduler.remind() == 0
    update_export(export, expires_at=timezone.now() + timedelta(days=2, hours=23))
    assert [scheduler.remind(), scheduler.remind()] == [1, 0]
    message = send_one()
    assert message.subject == "Your Excel export will be removed in 3 days"
    for body in both(message):
        assert f"{reload_export(export).expires_at:%Y-%m-%d}" in body
        assert f"{SITE}/exports/{export.pk}/download" in body
    assert notifications.send_due() == 0


@pytest.mark.parametrize(
    "values", [{"notify": False}, {"status": "expired"}, {"status": "deleted"}, {"user_email": ""}], ids=str
)
def test_nobody_is_reminded_of_what_they_need_not_know(owner: User, values: dict[str, Any]):
    update_export(complete_export(owner), expires_at=timezone.now() + timedelta(days=1), **values)
    assert scheduler.remind() == 0


@pytest.mark.parametrize(("reminder", "retention"), [(0, 30), (3, 3), (3, 1)])
def test_no_reminder_where_it_is_off_or_would_come_with_the_file(
    owner: User, settings: Any, reminder: int, retention: int
):
    settings.ROWFERRY_REMINDER_DAYS, settings.ROWFERRY_RETENTION_DAYS = reminder, retention
    update_export(complete_export(owner), expires_at=timezone.now() + timedelta(hours=1))
    assert scheduler.remind() == 0
