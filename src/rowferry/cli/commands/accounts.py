"""Accounts and what they may export. Imported by name only, once Django is set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import Q

from rowferry.exports import catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What an account is to be. None = as it is; for a new one: no e-mail, no password, no staff, all permissions."""

    email: str | None = None
    password: str | None = None
    staff: bool | None = None
    superuser: bool | None = None
    permissions: bool | None = None


def save(name: str, wishes: Wishes) -> list[str]:
    """Create or update a person; returns what was done, as sentences."""
    with transaction.atomic():
        person, new = User.objects.select_for_update().get_or_create(username=name)
        return list(_changes(person, new, wishes))


def _changes(person: User, new: bool, wishes: Wishes) -> Iterator[str]:
    yield f"User {person.username} {'created' if new else 'was there already'}."
    wanted = {"email": wishes.email, "is_staff": wishes.staff, "is_superuser": wishes.superuser}
    for field, value in wanted.items():
        if value is not None and value != getattr(person, field):
            setattr(person, field, value)
            yield f"{field} is now {value}."
    if wishes.password is not None:
        person.set_password(wishes.password)
        yield "The password is set."
    elif new:
        person.set_unusable_password()
        yield "There is no password: --password sets one; tokens work without."
    person.save()
    if wishes.permissions or (new and wishes.permissions is None):
        permissions = [one.permission for one in catalogue.resources(None)]
        person.user_permissions.add(*Permission.objects.filter(_any_of(permissions)))
        yield f"May export: {', '.join(catalogue.names(None))}."


def _any_of(permissions: list[str]) -> Q:
    """The permissions that are written `app.codename`."""
    found = Q(pk=None)
    for permission in permissions:
        app_label, codename = permission.split(".", 1)
        found |= Q(content_type__app_label=app_label, codename=codename)
    return found
