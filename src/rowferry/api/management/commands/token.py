"""`token NAME`: a bearer token on standard output, and nothing else, so that a script can take it as it is."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from rowferry.api.models import issue


class Command(BaseCommand):
    help = "Make a bearer token for a user and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME")
        parser.add_argument("--name", default="", metavar="LABEL", help="what it is for, as lists show it")
        parser.add_argument("--days", type=int, metavar="N", help="how long it is good; by default until it is deleted")

    def handle(self, *, username: str, name: str, days: int | None, **_: Any) -> None:
        people = get_user_model()
        try:
            user = people._default_manager.get_by_natural_key(username)
        except people.DoesNotExist:
            raise CommandError(f"There is no user {username!r}.") from None
        if len(name) > 100:
            raise CommandError("--name: at most 100 characters.")
        self.stdout.write(issue(user, name, _expiry(days)))


def _expiry(days: int | None) -> datetime | None:
    if days is None:
        return None
    try:
        if days < 1:
            raise OverflowError
        return timezone.now() + timedelta(days=days)
    except OverflowError:
        raise CommandError(f"--days {days}: give a number of days from 1.") from None
