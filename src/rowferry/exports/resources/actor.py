"""Who acts, and whose rights hold: a person who is signed in, or the operator, for somebody or with every right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from django.contrib.auth.models import AbstractUser

Person = AbstractUser | None
"""Whose rights hold. None = every row and column."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever runs a command or code on the machine itself. `on_behalf_of` = the person whose rights hold; None = every
    right."""

    on_behalf_of: Person = None


OPERATOR = Operator()
Actor = AbstractUser | Operator
"""Who acts."""
PERSON_KIND, OPERATOR_KIND = "person", "operator"
"""What the row of an export says of its actor."""


class Identity(TypedDict):
    """An account as it was called then. The operator has the name `operator` and no id."""

    id: str | None
    name: str
    email: str


def acting(actor: Actor | None) -> Actor:
    """Who acts, where nobody is named: the operator."""
    return OPERATOR if actor is None else actor


def rights_of(actor: Actor) -> Person:
    """The person whose rights hold."""
    return actor.on_behalf_of if isinstance(actor, Operator) else actor


def kind_of(actor: Actor) -> str:
    """PERSON_KIND or OPERATOR_KIND."""
    return OPERATOR_KIND if isinstance(actor, Operator) else PERSON_KIND


def identity(account_id: object, name: str, email: str) -> Identity:
    """An account, from what was copied of it. `account_id` None or "" = there is none."""
    return {"id": str(account_id) if account_id else None, "name": name, "email": email}


def event_values(actor: Actor | None) -> dict[str, str | None]:
    """The columns of an event that say who acted. None = the program itself."""
    if actor is None:
        return {}
    if not isinstance(actor, Operator):
        return _account_values("actor", actor)
    principal = actor.on_behalf_of
    return {"actor_name": OPERATOR_KIND} | (_account_values("on_behalf_of", principal) if principal else {})


def _account_values(prefix: str, account: AbstractUser) -> dict[str, str | None]:
    return {
        f"{prefix}_id": str(account.pk),
        f"{prefix}_name": account.get_username(),
        f"{prefix}_email": account.email,
    }
