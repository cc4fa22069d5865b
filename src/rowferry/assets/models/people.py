"""What a person is called, said in SQL, so that a list of a million rows needs no second look at the user table."""

from __future__ import annotations

from django.db.models import F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, NullIf, Trim


def full_name(user: str) -> Combinable:
    """First and last name of the user at the path `user`; the username if there is neither; NULL if nobody is there."""
    names = Trim(Concat(F(f"{user}__first_name"), Value(" "), F(f"{user}__last_name")))
    return Coalesce(NullIf(names, Value("")), F(f"{user}__username"))
