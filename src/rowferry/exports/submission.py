"""Front door: a request becomes an export, answered now, streamed, or queued; or a dry run, which stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from rowferry.exports import lifecycle, tasks
from rowferry.exports.databases import Reader, Size, context_of, open_reader
from rowferry.exports.databases.retry import retry_on_conflict
from rowferry.exports.errors import Conflict, InvalidRequest
from rowferry.exports.execution import preview
from rowferry.exports.execution.in_request import SynchronousExport
from rowferry.exports.execution.pipeline import Tally
from rowferry.exports.execution.preview import Preview, estimated_wait
from rowferry.exports.execution.queued import worker_name
from rowferry.exports.lifecycle import Claim
from rowferry.exports.limits import idempotency, quota
from rowferry.exports.limits.download_slots import DownloadSlot
from rowferry.exports.limits.idempotency import Key
from rowferry.exports.limits.quota import Allowance
from rowferry.exports.models import Export, Mode, ModeReason, ReasonCode, Status
from rowferry.exports.planning.plan import Plan, build_plan, count_limit, decide, require, require_content
from rowferry.exports.planning.spec import ExportSpec, boolean, to_plain_json
from rowferry.exports.resources import registry
from rowferry.exports.resources.actor import Actor, Person, acting, kind_of, rights_of
from rowferry.exports.resources.actor import Operator as Operator
from rowferry.exports.storage.download import Download, open_download
from rowferry.exports.translation import count_of

NO_MAIL = "No mail will be sent."
UNKEPT = "A queued export has to be kept until it is fetched: leave keep out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The part of a request that does not describe the file but how it is had."""

    asynchronous: bool | None = None
    notify: bool | None = None
    dry_run: bool = False
    keep: bool = True

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> tuple[Delivery, dict[str, Any]]:
        """The delivery, and the rest of the body. InvalidRequest: a field that is neither true nor false."""
        delivery = cls(
            asynchronous=boolean(body, "async", None),
            notify=boolean(body, "email_notification", None),
            dry_run=bool(boolean(body, "dry_run", False)),
            keep=boolean(body, "keep", True) is not False,
        )
        names = ("async", "email_notification", "dry_run", "keep")
        return delivery, {name: value for name, value in body.items() if name not in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A worker will make the file. `wait` = estimated seconds until it is there."""

    export: Export
    wait: int
    allowance: Allowance | None = None

    @property
    def message(self) -> str:
        """What its owner is told, and whether a mail will come."""
        export = self.export
        prefix = "about " if export.total_is_estimate else ""
        rows = f" of {prefix}{count_of(export.total_items, 'row')}" if export.total_items or not prefix else ""
        mail = f"A mail to {export.user_email} will say when it is done." if export.will_be_mailed else NO_MAIL
        return f"Your export{rows} is queued. It will be at status_url when it is done. {mail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The whole file, open."""

    export: Export
    file: Download
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """The bytes come as the rows are read. Iterate to the end or close(); an iterator that raises has left no whole
    file."""

    export: Export
    chunks: Iterator[bytes]
    filename: str
    content_type: str
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would happen; nothing was stored."""

    preview: Preview
    allowance: Allowance | None = None


Answer = Queued | Ready | Streamed | DryRun


def submit(
    resource: str, payload: object, actor: Actor | None, *, key: str | None = None, prefer_async: bool = False
) -> Answer:
    """Answer one request of one actor for one file.

    `actor` None = the operator with every right; `payload` = the body as plain JSON (contract: format, columns,
    filters, …); `key` = the client's idempotency key; `prefer_async` = queue it unless the body says otherwise.
    Raises NotFound (resource), NotPermitted, InvalidRequest (every wrong field by name), KeyReused, Conflict (the key's
    export is being made), QuotaExceeded, Crowded, or a Fault of ours.
    """
    actor = acting(actor)
    person = rights_of(actor)
    spec, delivery, body = _parse_request(resource, payload, person)
    plan = build_plan(spec, person)
    if delivery.dry_run:
        allowance = quota.take(person, quota.DRY_RUNS) if person else None
        return DryRun(preview=preview.run_preview(plan, delivery.asynchronous), allowance=allowance)
    context = context_of(person)
    if context is not None:
        body["connection_context"] = context  # the same words in another tenant are another request
    idempotency_key = Key.parse(key, body) if key is not None else None
    earlier_export = idempotency.find(person, idempotency_key) if idempotency_key and person else None
    if earlier_export is not None:
        return _repeat_answer(earlier_export, person)
    if prefer_async and delivery.asynchronous is None:
        delivery = Delivery(asynchronous=True, notify=delivery.notify, keep=delivery.keep)
    if person:
        quota.refuse_used_up(person, quota.EXPORTS)
    reader = open_reader(plan.queryset.db, context)
    try:
        return _answer(plan, delivery, reader, actor, idempotency_key)
    except BaseException:
        reader.close()
        raise


def perform(resource: str, payload: object, actor: Actor | None) -> tuple[SynchronousExport, Iterator[Tally]]:
    """Make a file here and now, whatever its size, for a script or the operator: no quota. Iterate the second to the
    end."""
    actor = acting(actor)
    person = rights_of(actor)
    spec, delivery, _ = _parse_request(resource, payload, person)
    plan = build_plan(spec, person)
    reader = open_reader(plan.queryset.db, context_of(person))
    try:
        total = reader.count(plan.queryset)
        reason = ModeReason(ReasonCode.FROM_PYTHON)
        export = _new_export(plan, actor, reader.context, delivery, Size(total), Mode.IMMEDIATE, reason)
        job = SynchronousExport(lifecycle.begin(export, actor, worker_name()), plan, reader, total)
    except BaseException:
        reader.close()
        raise
    return job, job.run()


def enqueue(resource: str, payload: object, actor: Actor | None) -> Export:
    """Queue an export for a script: no quota."""
    actor = acting(actor)
    person = rights_of(actor)
    spec, delivery, _ = _parse_request(resource, payload, person)
    plan = build_plan(spec, person)
    with open_reader(plan.queryset.db, context_of(person)) as reader:
        size = reader.size(plan.queryset, count_limit())
    reason = ModeReason(ReasonCode.REQUESTED)
    export = _new_export(plan, actor, reader.context, delivery, size, Mode.QUEUED, reason)
    with transaction.atomic():
        lifecycle.create(export, actor)
        transaction.on_commit(partial(tasks.notify_workers, str(export.pk)))
    return export


def dry_run(resource: str, payload: object, actor: Actor | None) -> Preview:
    """What an export would hold, for a script: no quota."""
    person = rights_of(acting(actor))
    spec, delivery, _ = _parse_request(resource, payload, person)
    return preview.run_preview(build_plan(spec, person), delivery.asynchronous)


def preview_form(resource: str, payload: object, person: Person) -> Preview:
    """A dry run for a form that is being filled in. It has a quota of its own."""
    spec, delivery, _ = _parse_request(resource, payload, person)
    plan = build_plan(spec, person)
    if person:
        quota.take(person, quota.PREVIEWS)
    return preview.run_preview(plan, delivery.asynchronous)


def body_of(export: Export) -> dict[str, Any]:
    """The body that asks for the same file again: `submit` takes it with the export's resource."""
    spec = {name: value for name, value in export.spec.items() if name not in ("resource", "options")}
    options = export.spec["options"]
    return {"format": export.format, **spec, **({export.format: options} if options else {})}


def _parse_request(resource: str, payload: object, person: Person) -> tuple[ExportSpec, Delivery, dict[str, Any]]:
    """The request, checked; the right to the resource first, so that nobody learns its columns from an error."""
    require(person, registry.resource(resource))
    body = to_plain_json(payload)
    delivery, file_fields = Delivery.parse(body)
    return ExportSpec.parse(resource, file_fields), delivery, {"resource": resource, **body}


def _answer(plan: Plan, delivery: Delivery, reader: Reader, actor: Actor, key: Key | None) -> Answer:
    size = reader.size(plan.queryset, count_limit())
    mode, reason = decide(size, delivery.asynchronous)
    slot = DownloadSlot() if mode == Mode.STREAMED else None
    if mode == Mode.QUEUED and not delivery.keep:
        raise InvalidRequest.field("keep", f"{UNKEPT} ({reason})")
    try:
        claim, export, allowance = _create(
            _new_export(plan, actor, reader.context, delivery, size, mode, reason), actor, key
        )
    except IntegrityError:
        earlier_export = idempotency.find(plan.person, key) if key and plan.person else None
        if earlier_export is None:
            raise
        reader.close()
        return _repeat_answer(earlier_export, plan.person)
    if claim is None:
        reader.close()
        return Queued(export=export, wait=estimated_wait(size.rows, export), allowance=allowance)
    return _run_in_request(SynchronousExport(claim, plan, reader, size.rows, slot), allowance)


@retry_on_conflict
def _create(export: Export, actor: Actor, key: Key | None) -> tuple[Claim | None, Export, Allowance | None]:
    """Row, log lines, quota and key in one transaction; the wake-up message after it. With a claim, if it is made
    right here."""
    claim, person = None, rights_of(actor)
    with transaction.atomic():
        allowance = quota.take(person, quota.EXPORTS) if person else None
        if export.mode == Mode.QUEUED:
            lifecycle.create(export, actor)
            transaction.on_commit(partial(tasks.notify_workers, str(export.pk)))
        else:
            claim = lifecycle.begin(export, actor, worker_name())
        if key and person:
            idempotency.keep(person, key, export)
    return claim, export, allowance


def _new_export(
    plan: Plan, actor: Actor, context: Any, delivery: Delivery, size: Size, mode: Mode, reason: ModeReason
) -> Export:
    person = plan.person
    return Export(
        user_id=person.pk if person else None,
        user_name=person.get_username() if person else "",
        user_email=person.email if person else "",
        actor_kind=kind_of(actor),
        resource=plan.spec.resource,
        format=plan.spec.format,
        spec=plan.spec.as_json(),
        connection_context=context,
        mode=mode,
        mode_reason=reason.as_json(),
        keep=delivery.keep,
        notify=mode == Mode.QUEUED if delivery.notify is None else delivery.notify,
        total_items=size.rows,
        total_is_estimate=not size.exact,
    )


def _run_in_request(job: SynchronousExport, allowance: Allowance | None) -> Answer:
    if job.export.mode == Mode.IMMEDIATE:
        for _ in job.run():
            pass
        return Ready(export=job.export, file=job.file(), allowance=allowance)
    return Streamed(
        export=job.export,
        chunks=job.chunks(),
        filename=job.export.filename,
        content_type=job.export.content_type,
        allowance=allowance,
    )


def queued_answer(export: Export, person: Person = None) -> Queued:
    """The answer that says when a queued export will be done, and what is left to the person who has just ordered
    it."""
    allowance = quota.remaining(person, quota.EXPORTS) if person else None
    return Queued(export=export, wait=estimated_wait(export.total_items, export), allowance=allowance)


def _repeat_answer(export: Export, person: Person) -> Answer:
    """The answer to a request that was answered before. NotPermitted: the right to what it holds was lost since."""
    if export.mode == Mode.QUEUED:
        return queued_answer(export)
    if export.status in (Status.PENDING, Status.PROCESSING):
        raise Conflict("The first request with this idempotency key is still being answered: ask again in a moment.")
    require_content(person, export)
    return Ready(export=export, file=open_download(export))
