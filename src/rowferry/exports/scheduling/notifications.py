"""The mails: written from templates when they are sent, taken from the outbox, sent by the leading scheduler only.

A crash between the mail server's yes and our mark can send a mail again, with the same Message-ID, so that it shows
once.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from structlog.contextvars import bound_contextvars

from rowferry.exports import conf, lifecycle
from rowferry.exports.errors import NotFound, class_of_code
from rowferry.exports.formats import format_writers
from rowferry.exports.models import EmailOutbox, Event, Export, MailKind
from rowferry.exports.resources import registry
from rowferry.exports.translation import count_of

logger = logging.getLogger(__name__)

SUBJECTS = {
    MailKind.COMPLETED: "Your {format} export is ready ({items}, {size})",
    MailKind.FAILED: "Your export failed",
    MailKind.REMINDER: "Your {format} export will be removed in {days}",
}
MAX_TRIES = 30
"""About a day."""
SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
"""Between two tries, doubled each time. The shortest is longer than a mail server may take to answer."""


def send_due() -> int:
    """Send what the outbox holds and is due; how many were sent. A mail that fails is tried again, later each time."""
    due = EmailOutbox.objects.filter(sent_at=None, next_try_at__lte=Now()).select_related("export__user")
    return sum(_send(mail) for mail in due.order_by("id")[:100])


def _send(mail: EmailOutbox) -> bool:
    if not _claim_mail(mail):
        return False
    try:
        message(mail).send()
    except Exception as error:  # whatever one mail meets, a bad address included: the others shall still go
        with bound_contextvars(export_id=str(mail.export_id)):
            logger.warning("The mail for export %s could not be sent: %s", mail.export_id, error)
        EmailOutbox.objects.filter(pk=mail.pk).update(last_error=str(error)[:500])
        return False
    with transaction.atomic():
        EmailOutbox.objects.filter(pk=mail.pk).update(sent_at=Now(), next_try_at=None, last_error="")
        lifecycle.record(mail.export, Event.NOTIFIED, f"The {mail.kind} mail went to {mail.recipient}.")
    return True


def _claim_mail(mail: EmailOutbox) -> bool:
    """Whether this try is ours. The next one is set before this one is made, so that a scheduler that was taken for
    dead and its heir do not send the same mail."""
    delay = min(LONGEST_WAIT, SHORTEST_WAIT * 2**mail.tries)
    next_try = Now() + delay if mail.tries + 1 < MAX_TRIES else None
    claimed_mail = EmailOutbox.objects.filter(pk=mail.pk, sent_at=None, tries=mail.tries)
    return bool(claimed_mail.update(tries=F("tries") + 1, next_try_at=next_try))


def message(mail: EmailOutbox) -> EmailMultiAlternatives:
    """The mail, text and HTML, with a Message-ID that is the same however often it is made."""
    context = _mail_context(mail.export, MailKind(mail.kind))
    subject = SUBJECTS[MailKind(mail.kind)].format(**context)
    domain = urlsplit(conf.text("SITE_URL")).hostname or "localhost"
    email = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"rowferry/email/{mail.kind}.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.recipient],
        headers={"Message-ID": f"<{mail.export_id}.{mail.kind}@{domain}>"},
    )
    email.attach_alternative(
        render_to_string(f"rowferry/email/{mail.kind}.html", context | {"subject": subject}), "text/html"
    )
    return email


def _mail_context(export: Export, kind: MailKind) -> dict[str, Any]:
    site = conf.text("SITE_URL").rstrip("/")
    writer_class = format_writers().get(export.format)
    name = export.user.get_full_name() if export.user else ""
    return {
        "export": export,
        "name": " ".join((name or export.user_name).split()),
        "resource": _label(export.resource),
        "format": writer_class.label if writer_class else export.format,
        "items": count_of(export.exported_items, "item"),
        "rate": "" if export.success_rate is None else f"{export.success_rate:g}%",
        "size": filesizeformat(export.file_size or 0).replace("\xa0", " "),
        "days": count_of(conf.number("REMINDER_DAYS" if kind == MailKind.REMINDER else "RETENTION_DAYS"), "day"),
        "error": export.error or {},
        "advice": class_of_code(export.error["code"]).advice if export.error else "",
        "download_url": f"{site}/exports/{export.pk}/download",
        "export_url": f"{site}/exports/{export.pk}",
        "history_url": f"{site}/",
        "contact": conf.text("CONTACT_EMAIL"),
    }


def _label(resource: str) -> str:
    try:
        return str(registry.resource(resource).label)
    except NotFound:
        return resource
