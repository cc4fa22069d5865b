"""Front door: one person's exports: list, find, read the log, open the file, cancel, retry, delete.

Somebody else's export is NotFound, like one that never was. `actor` is a person, the operator on behalf of one, or the
operator (also as None), who sees every export.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, BinaryIO, Generic, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import QuerySet

from rowferry.exports import conf, lifecycle, tasks
from rowferry.exports.errors import Conflict, InvalidRequest, NotFound
from rowferry.exports.integrity.manifest import remove
from rowferry.exports.lifecycle import history_checkpoints
from rowferry.exports.limits import quota
from rowferry.exports.limits.download_slots import DownloadSlot, SlotStream
from rowferry.exports.models import Event, Export, ExportLog, Mode, ModeReason, ReasonCode, Status
from rowferry.exports.planning.plan import require, require_content
from rowferry.exports.resources import registry
from rowferry.exports.resources.actor import Actor, Operator, Person, acting, kind_of, rights_of
from rowferry.exports.resources.filter_values import day, midnight, midnight_after
from rowferry.exports.storage import download, storage
from rowferry.exports.storage.download import Download

M = TypeVar("M", bound=models.Model)
FARTHEST_PAGE = 10_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of a list. Pages count from 1; there is always at least one."""

    items: list[M]
    total: int
    number: int
    size: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


HISTORY_FIELDS = ("status", "resource_type", "format", "date_from", "date_to", "page", "limit")
LOG_FIELDS = ("event", "page", "limit")


def history(actor: Actor | None, query: Mapping[str, str]) -> Page[Export]:
    """The actor's exports, newest first. `query` as text, by HISTORY_FIELDS; limit 20, at most 100; days in UTC,
    inclusive."""
    person = rights_of(acting(actor))
    _check_parameters(query, HISTORY_FIELDS)
    # In a list, because the plain truth of a column would pass by the index.
    queryset = _visible_exports(person).filter(keep__in=[True]).order_by("-created_at", "-id")
    if person is not None and set(query) <= {"page", "limit"}:
        return _page_by_rank(queryset, person, query)
    if "status" in query:
        queryset = queryset.filter(status=_choice(query, "status", Status.values))
    for name, column in (("resource_type", "resource"), ("format", "format")):
        if name in query:
            queryset = queryset.filter(**{column: _short_text(query, name)})
    if "date_from" in query:
        queryset = queryset.filter(created_at__gte=midnight(_day(query, "date_from"), ZoneInfo("UTC")))
    if "date_to" in query and (end := midnight_after(_day(query, "date_to"), ZoneInfo("UTC"))):
        queryset = queryset.filter(created_at__lt=end)
    return _page(queryset, query, size=20, maximum=100)


def find(actor: Actor | None, export_id: UUID | str) -> Export:
    """One export. NotFound: none of this actor's."""
    try:
        return _visible_exports(rights_of(acting(actor))).get(
            pk=export_id if isinstance(export_id, UUID) else UUID(str(export_id))
        )
    except (Export.DoesNotExist, ValueError):
        raise NotFound("You have no export with this id.") from None


def find_many(actor: Actor | None, export_ids: Collection[UUID]) -> list[Export]:
    """Those of these exports that are the actor's, newest first; one query."""
    return list(_visible_exports(rights_of(acting(actor))).filter(pk__in=export_ids).order_by("-created_at", "-id"))


def log(actor: Actor | None, export_id: UUID | str, query: Mapping[str, str]) -> Page[ExportLog]:
    """The events of an export, oldest first. `query` by LOG_FIELDS; limit 50, at most 500."""
    export = find(actor, export_id)
    _check_parameters(query, LOG_FIELDS)
    queryset = ExportLog.objects.filter(export=export).order_by("id")
    if "event" in query:
        queryset = queryset.filter(event=_choice(query, "event", Event.values))
    return _page(queryset, query, size=50, maximum=500)


def open_file(actor: Actor | None, export_id: UUID | str) -> tuple[Export, Download]:
    """The file, open. NotFound, Conflict (not ready), Gone (expired), NotPermitted (the right was lost since), Crowded.
    Close it."""
    export = find(actor, export_id)
    require_content(rights_of(acting(actor)), export)
    slot, file = DownloadSlot(), download.open_download(export)
    return export, replace(file, stream=cast("BinaryIO", SlotStream(file.stream, slot)))


def link(actor: Actor | None, export_id: UUID | str) -> tuple[Export, str] | None:
    """Where the storage itself gives the file for a short while; None = it is to be opened here. Raises like
    `open_file`."""
    lifetime = conf.seconds("PRESIGNED")
    if not lifetime:
        return None
    export = find(actor, export_id)
    require_content(rights_of(acting(actor)), export)
    url = download.download_link(export, lifetime)
    return (export, url) if url else None


def note_download(actor: Actor | None, export: Export, message: str) -> None:
    """Count and log that bytes of the file were sent. `message` says how (whole file, a range, from which address)."""
    lifecycle.record_download(export, acting(actor), message)


def manifest(actor: Actor | None, export_id: UUID | str) -> dict[str, Any]:
    """What was asked, expected and written. Conflict: there is no finished file yet."""
    export = find(actor, export_id)
    if export.manifest is None:
        raise Conflict(f"The export is {export.status}: there is a manifest only of a finished file.")
    return dict(export.manifest)


def retry(actor: Actor | None, export_id: UUID | str) -> Export:
    """A new queued export with the same spec, for the same owner, whose rights hold. Conflict unless the old one failed
    or was cancelled."""
    actor = acting(actor)
    original = find(actor, export_id)
    if original.status not in (Status.FAILED, Status.CANCELLED):
        raise Conflict(f"The export is {original.status}: only a failed or cancelled one can be retried.")
    person = rights_of(actor)
    require(person, registry.resource(original.resource))
    if isinstance(actor, Operator):
        actor = Operator(on_behalf_of=original.user)
    new_export = Export(
        **{
            name: getattr(original, name)
            for name in ("user_id", "user_name", "user_email", "resource", "format", "spec")
        },
        actor_kind=kind_of(actor),
        mode=Mode.QUEUED,
        connection_context=original.connection_context,
        mode_reason=ModeReason(ReasonCode.RETRY).as_json(),
        retry_of=original,
        notify=True,
        total_items=original.total_items,
        total_is_estimate=original.total_is_estimate,
    )
    with transaction.atomic():
        if person is not None:
            quota.take(person, quota.EXPORTS)
        lifecycle.create(new_export, actor)
        transaction.on_commit(partial(tasks.notify_workers, str(new_export.pk)))
    return new_export


def cancel(actor: Actor | None, export_id: UUID | str) -> Export:
    """Ask for the end of a waiting or running export; a worker stops at its next batch. Conflict if it has ended."""
    export = find(actor, export_id)
    lifecycle.request_cancel(export, acting(actor))
    export.refresh_from_db()
    return export


def delete(actor: Actor | None, export_id: UUID | str) -> None:
    """Remove the file; the log stays. Conflict while it waits or runs. Deleting twice is no error."""
    export = find(actor, export_id)
    if export.status == Status.DELETED:
        return
    if not lifecycle.delete(export, acting(actor)):
        raise Conflict(f"The export is {export.status}: cancel it first, then delete it.")
    if export.file_key:
        remove(storage(), export.file_key)


def _visible_exports(person: Person) -> QuerySet[Export]:
    if person is None:
        return Export.objects.all()
    return Export.objects.filter(user_id=person.pk) if person.pk else Export.objects.none()


def _page(queryset: QuerySet[M], query: Mapping[str, str], *, size: int, maximum: int) -> Page[M]:
    number = _whole_number(query, "page", 1, FARTHEST_PAGE)
    limit = _whole_number(query, "limit", size, maximum)
    total = queryset.count()
    start = (number - 1) * limit
    return Page(
        _slice(queryset, start, min(start + limit, total), total) if start < total else [], total, number, limit
    )


def _page_by_rank(queryset: QuerySet[Export], person: AbstractUser, query: Mapping[str, str]) -> Page[Export]:
    """A page of a person's whole history: from its newer end, or from the milestone before it."""
    number, limit = _whole_number(query, "page", 1, FARTHEST_PAGE), _whole_number(query, "limit", 20, 100)
    total = history_checkpoints.count_exports(queryset, person.pk) if person.pk else 0
    start = (number - 1) * limit
    stop = min(start + limit, total)
    if start >= total:
        return Page([], total, number, limit)
    if stop <= history_checkpoints.STEP:
        keys = list(queryset.values_list("pk", flat=True)[start:stop])
    else:
        keys = history_checkpoints.keys(queryset, person.pk, total - stop, total - start)[::-1]
    return Page(_rows(Export, keys), total, number, limit)


def _slice(queryset: QuerySet[M], start: int, stop: int, total: int) -> list[M]:
    """Rows `start` to `stop` of an ordered list, by the keys of the index alone, and from its nearer end."""
    if start > total // 2:
        keys = list(queryset.reverse().values_list("pk", flat=True)[total - stop : total - start])[::-1]
    else:
        keys = list(queryset.values_list("pk", flat=True)[start:stop])
    return _rows(queryset.model, keys)


def _rows(model: type[M], keys: Sequence[Any]) -> list[M]:
    """The rows of these keys, in their order. Asked for nothing else than its keys, no database has another index to
    prefer."""
    rows = model._default_manager.in_bulk(keys)
    return [rows[key] for key in keys if key in rows]


def _check_parameters(query: Mapping[str, str], names: tuple[str, ...]) -> None:
    unknown = sorted(set(query) - set(names))
    if unknown:
        errors_by_name = {
            name[:60]: [f"There is no such parameter. There are: {', '.join(names)}."] for name in unknown
        }
        raise InvalidRequest("A query parameter is not known.", errors=errors_by_name)


def _whole_number(query: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= maximum):
        raise InvalidRequest.field(name, f"Must be a whole number from 1 to {maximum:,}.")
    return int(text)


def _choice(query: Mapping[str, str], name: str, valid: list[str]) -> str:
    if query[name] not in valid:
        raise InvalidRequest.field(name, f"Must be one of: {', '.join(valid)}.")
    return query[name]


def _short_text(query: Mapping[str, str], name: str) -> str:
    text = query[name]
    if len(text) > 100 or not text.isprintable():
        raise InvalidRequest.field(name, "Must be a name.")
    return text


def _day(query: Mapping[str, str], name: str) -> date:
    try:
        return day(name, query[name])
    except ValidationError:
        raise InvalidRequest.field(name, "Must be a calendar day such as 2025-10-30.") from None
