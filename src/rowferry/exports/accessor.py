"""Front door from Python: `Asset.exports.to_csv(filters={"status_id": 2}, columns=["id", "name"], user=user)`."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.db.models import Model

from rowferry.exports import submission, tracking
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.execution.preview import Preview
from rowferry.exports.models import Export
from rowferry.exports.resources import registry
from rowferry.exports.resources.actor import OPERATOR, Operator, Person
from rowferry.exports.resources.resource import Resource


class ExportsAccessor:
    """What a model's `exports` is. The operator acts: on behalf of `user`, whose rights hold, or (None) with the right
    to every row and column.

    All methods take the fields of an API request as keyword arguments: columns, filters, sort_by, sort_order, nested,
    headers, time_zone, and the options of the format (`csv={"delimiter": ";"}`). They raise InvalidRequest,
    NotPermitted, or a Fault; a file is whole when they return.
    """

    def __init__(self, resource: str) -> None:
        self.resource = resource

    def run(
        self,
        *,
        format: str,  # noqa: A002  (the name of the request's field)
        user: Person = None,
        queue: bool = False,
        dry_run: bool = False,
        **request: Any,
    ) -> Export | Preview:
        """Make the file here (an Export, completed), queue it (an Export, pending), or only look (a Preview).

        `queue` is the API's `async`, which is taken too. InvalidRequest: the two contradict each other.
        """
        payload, actor = {"format": format, **_plain(request)}, Operator(on_behalf_of=user)
        if queue and payload.get("async") is False:
            raise InvalidRequest.field("async", "queue=True and async=False contradict each other.")
        if dry_run:
            return submission.dry_run(self.resource, payload, actor)
        if queue or payload.get("async") is True:
            return submission.enqueue(self.resource, payload, actor)
        job, progress = submission.perform(self.resource, payload, actor)
        for _ in progress:
            pass
        job.file().stream.close()
        return job.export

    def to_csv(self, *, user: Person = None, **request: Any) -> Export | Preview:
        return self.run(format="csv", user=user, **request)

    def to_excel(self, *, user: Person = None, **request: Any) -> Export | Preview:
        return self.run(format="excel", user=user, **request)

    def to_json(self, *, user: Person = None, **request: Any) -> Export | Preview:
        return self.run(format="json", user=user, **request)

    def open(self, export: Export) -> BinaryIO:
        """The file of a completed export, open for reading."""
        return tracking.open_file(OPERATOR, export.pk)[1].stream


def _plain(request: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in request.items()}


class AccessorAttribute:
    """What a model class holds as `exports`. A model that inherits it has its own resource, or no `exports`."""

    def __get__(self, instance: object, model: type[Model]) -> ExportsAccessor:
        resource = registry.resource_of(model)
        if resource is None:
            raise AttributeError(f"{model.__name__} has no exports: no resource is declared for it.")
        return ExportsAccessor(resource.name)


def install_accessor(resource: Resource) -> None:
    """Give the resource's model its `exports`, unless the project has something of that name there."""
    if not hasattr(resource.model, "exports"):
        resource.model.exports = AccessorAttribute()  # type: ignore[attr-defined]
