"""Makes a superuser, and prints a bearer token of theirs."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.management import call_command

if __name__ == "__main__":
    User.objects.get_or_create(username="bench", defaults={"is_superuser": True, "is_staff": True})
    call_command("token", "bench")
