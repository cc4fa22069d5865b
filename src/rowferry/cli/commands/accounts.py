"""Accounts and what they may export. Imported by name only, once Django is set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import Q

from rowferry.exports import catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What an account is to be. None = as it is; for a new one: no e-mail, no password, no staff, all permissions."""

    email: str | None = None
    password: str | None = None
    staff: bool | None = None
    superuser: bool | None = None
    permissions: bool | None = None


def save(name: str, settings: AccountSettings) -> list[str]:
    """Create or update a person; returns what was done, as sentences."""
    with transaction.atomic():
        user, is_new = User.objects.select_for_update().get_or_create(username=name)
        return list(_changes(user, is_new, settings))


def _changes(user: User, is_new: bool, settings: AccountSettings) -> Iterator[str]:
    yield f"User {user.username} {'created' if is_new else 'was there already'}."
    new_values = {"email": settings.email, "is_staff": settings.staff, "is_superuser": settings.superuser}
    for field, value in new_values.items():
        if value is not None and value != getattr(user, field):
            setattr(user, field, value)
            yield f"{field} is now {value}."
    if settings.password is not None:
        user.set_password(settings.password)
        yield "The password is set."
    elif is_new:
        user.set_unusable_password()
        yield "There is no password: --password sets one; tokens work without."
    user.save()
    if settings.permissions or (is_new and settings.permissions is None):
        permissions = [resource_info.permission for resource_info in catalogue.resources(None)]
        user.user_permissions.add(*Permission.objects.filter(_any_of(permissions)))
        yield f"May export: {', '.join(catalogue.names(None))}."


def _any_of(permissions: list[str]) -> Q:
    """The permissions that are written `app.codename`."""
    condition = Q(pk=None)
    for permission in permissions:
        app_label, codename = permission.split(".", 1)
        condition |= Q(content_type__app_label=app_label, codename=codename)
    return condition
