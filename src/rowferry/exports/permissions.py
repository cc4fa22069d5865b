"""The Django permission to export a resource: made by `migrate`, also for models of other people's apps."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from rowferry.exports import registry


def keep(using: str) -> None:
    """Create what is missing; touch nothing that is there."""
    for resource in registry.resources():
        app_label, codename = resource.permission.split(".", 1)
        if app_label != resource.model._meta.app_label:
            continue
        Permission.objects.using(using).get_or_create(
            content_type=ContentType.objects.db_manager(using).get_for_model(resource.model),
            codename=codename,
            defaults={"name": f"Can export {resource.label.lower()}"[:255]},
        )
