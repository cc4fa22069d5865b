"""People of every kind, each with a way in: a token for the API, a session for the page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test.client import Client, ClientHandler
from django.utils import timezone

from rowferry.api.models import ApiToken, issue
from rowferry.exports import submission
from rowferry.exports.execution import queued
from rowferry.exports.models import Export
from tests.conftest import may_export
from tests.factories.exports import update_export
from tests.factories.people import UserFactory

Spoil = Callable[[User], object]


def exporter() -> User:
    return may_export(UserFactory())


BEFORE: dict[str, Callable[[], User]] = {
    "powerless": UserFactory,
    "other": exporter,
    "staff": lambda: UserFactory(is_staff=True),
    "superuser": lambda: UserFactory(is_staff=True, is_superuser=True),
}
"""Who is not the owner."""


def _revoke(user: User) -> None:
    ApiToken.objects.filter(user=user).delete()
    Session.objects.all().delete()


def _expire(user: User) -> None:
    ApiToken.objects.filter(user=user).update(expires_at=timezone.now())
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


AFTER: dict[str, Spoil] = {
    "lost": lambda user: user.user_permissions.clear(),
    "revoked": _revoke,
    "expired": _expire,
    "inactive": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
}
"""What happens to the owner between the login and the request."""


LOOKS: dict[str, dict[str, object]] = {
    "failed": {"status": "failed"},
    "expired": {"expires_at": timezone.now() - timedelta(seconds=1)},
}
"""What the row of an export says in a state that takes long to come to."""


@cache
def _handler(strict: bool) -> ClientHandler:
    """One for all clients: to make its middleware takes longer than all that a request does."""
    return ClientHandler(enforce_csrf_checks=strict)


def client_of(role: str, owner: User, *, api: bool, strict: bool = False) -> Client:
    """A client of somebody in this role."""
    client = Client()
    client.handler = _handler(strict)
    if role == "anonymous":
        return client
    person = BEFORE[role]() if role in BEFORE else owner
    if api:
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {issue(person)}"
    else:
        client.force_login(person)
    AFTER.get(role, lambda _: None)(person)
    return client


def export_of(owner: User, state: str) -> Export:
    """An export of the owner in this state, with its file if it has one."""
    export = submission.enqueue("assets", {"format": "csv"}, owner)
    if state in ("completed", "expired"):
        queued.run_next()
    return update_export(export, **LOOKS.get(state, {}))
