"""The Django permissions to export a resource and to see its columns: made by `migrate`, also for models of other
people's apps."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from rowferry.exports.resources import registry
from rowferry.exports.resources.resource import Resource


def create_missing(using: str) -> None:
    """Create what is missing; touch nothing that is there."""
    for resource in registry.resources():
        for permission, name in _required_permissions(resource):
            _create_missing(resource, permission, name, using)


def _required_permissions(resource: Resource) -> Iterator[tuple[str, str]]:
    yield resource.permission, f"Can export {resource.label.lower()}"
    for column in resource.by_name.values():
        if column.permission:
            yield column.permission, f"Can see {column.name} of {resource.label.lower()}"


def _create_missing(resource: Resource, permission: str, name: str, using: str) -> None:
    app_label, codename = permission.split(".", 1)
    if app_label != resource.model._meta.app_label or codename in _default_codenames(app_label):
        return
    existing = Permission.objects.using(using).filter(codename=codename, content_type__app_label=app_label)
    if not existing.exists():
        Permission.objects.using(using).create(
            content_type=ContentType.objects.db_manager(using).get_for_model(resource.model),
            codename=codename,
            name=name[:255],
        )


def _default_codenames(app_label: str) -> set[str]:
    """What Django makes by itself, now or a little later."""
    metas = [model._meta for model in apps.get_models() if model._meta.app_label == app_label]
    standard = {get_permission_codename(action, meta) for meta in metas for action in meta.default_permissions}
    return standard | {codename for meta in metas for codename, _ in meta.permissions}
