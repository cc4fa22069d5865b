"""Arms the failpoints in a process that chaos has started; a process without CHAOS_FOLDER stays as it is."""

from __future__ import annotations

import os

from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "chaos"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chaos import short_timeouts
        from chaos.faults import failpoints, message_loss

        if folder := os.environ.get("CHAOS_FOLDER"):
            failpoints.arm(folder)
            message_loss.arm(folder)
        if os.environ.get("CHAOS_HASTE"):
            short_timeouts.shorten()
