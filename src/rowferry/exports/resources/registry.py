"""Every resource that the project declares, by name. `@register` puts it here; `resources` modules are found at
start."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from django.apps import apps
from django.db.models import Model
from django.utils.module_loading import module_has_submodule

from rowferry.exports.errors import NotFound

if TYPE_CHECKING:
    from rowferry.exports.resources.resource import Resource

R = TypeVar("R", bound="type[Resource]")

_resources: dict[str, Resource] = {}
_listeners: list[Callable[[Resource], None]] = []


def register(cls: R) -> R:
    """Class decorator: checks the declaration now (ValueError says what is wrong) and makes the resource known."""
    try:
        resource = cls()
    except ValueError as error:
        raise ValueError(f"{inspect.getfile(cls)}, {cls.__name__}: {error}") from error
    existing = _resources.get(resource.name)
    if existing is not None and type(existing) is not cls:
        raise ValueError(f"Two resources are called {resource.name!r}: {type(existing).__name__} and {cls.__name__}.")
    _resources[resource.name] = resource
    for listener in _listeners:
        listener(resource)
    return cls


def unregister(name: str) -> None:
    """Forget a resource (for tests that declare one of their own)."""
    _resources.pop(name, None)


def on_register(listener: Callable[[Resource], None]) -> None:
    """Call `listener` with every resource there is, now and later."""
    _listeners.append(listener)
    for resource in list(_resources.values()):
        listener(resource)


def resource(name: str) -> Resource:
    """The resource of this name; NotFound names the ones that exist."""
    try:
        return _resources[name]
    except KeyError:
        raise NotFound(f"There is no resource {name!r}. There are: {', '.join(sorted(_resources))}.") from None


def resource_of(model: type[Model]) -> Resource | None:
    """The resource that was declared first for this very model, not for one that it inherits from; None = there is
    none."""
    return next((resource for resource in _resources.values() if resource.model is model), None)


def resources() -> Iterator[Resource]:
    """All resources, by name."""
    yield from (_resources[name] for name in sorted(_resources))


def autodiscover() -> None:
    """Import `resources` (a module, or each module of a package) of every installed app."""
    for config in apps.get_app_configs():
        if config.module is None or not module_has_submodule(config.module, "resources"):
            continue
        package = importlib.import_module(f"{config.name}.resources")
        for module in pkgutil.iter_modules(getattr(package, "__path__", []), f"{package.__name__}."):
            importlib.import_module(module.name)
