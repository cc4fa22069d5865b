"""People."""

from __future__ import annotations

from functools import cache

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

PASSWORD = "correct horse"
"""Everybody's."""


@cache
def hashed_password() -> str:
    """Hashed once a run: hashing is slow on purpose."""
    return make_password(PASSWORD)


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A user who is nobody special."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"person{n}")
    first_name = "Zoë"
    last_name = factory.Sequence(lambda n: f"O’Connor {n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password = factory.LazyFunction(hashed_password)
