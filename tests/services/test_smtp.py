"""Mail over a real connection, to a server in another process."""

from __future__ import annotations

from email import message_from_bytes

import pytest
from django.contrib.auth.models import User
from django.core import mail

from rowferry.config.environment import email
from rowferry.exports.execution import queued
from rowferry.exports.models import EmailOutbox
from rowferry.exports.scheduling import notifications
from tests.factories.assets import AssetFactory
from tests.factories.exports import queue_export
from tests.services import smtp

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_the_mail_of_an_export_reaches_the_server_once(owner: User, settings: object):
    AssetFactory.create_batch(3)
    with smtp() as (url, folder):
        for name, value in email(url).items():
            setattr(settings, name, value)
        export = queue_export(owner)
        queued.run_next()
        notifications.send_due()
        notifications.send_due()
        (message,) = [message_from_bytes(path.read_bytes()) for path in folder.iterdir()]
    assert message["To"] == owner.email
    assert str(export.pk) in message["Message-ID"]
    assert EmailOutbox.objects.get().sent_at is not None
    assert not mail.outbox
