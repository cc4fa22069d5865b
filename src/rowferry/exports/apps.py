"""Starts the engine: finds the declared resources, gives each model its `exports` door, keeps its permission."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ExportsConfig(AppConfig):
    name = "rowferry.exports"
    label = "rowferry"
    verbose_name = "Exports"

    def ready(self) -> None:
        from rowferry.exports import accessor
        from rowferry.exports.databases import text_search, truth
        from rowferry.exports.resources import permissions, registry  # noqa: F401

        text_search.install()
        truth.install()
        registry.autodiscover()
        registry.on_register(accessor.install_accessor)
        post_migrate.connect(_keep_permissions, sender=self)


def _keep_permissions(using: str, **_: Any) -> None:
    from rowferry.exports.resources import permissions

    permissions.create_missing(using)
