"""What the page says about an export, in words: its state, why its mode, what to do about a failure."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from rowferry.exports import submission
from rowferry.exports.errors import class_of_code
from rowferry.web.order_key import FIELD, new_key

if TYPE_CHECKING:
    from rowferry.exports.models import Export, ExportLog, ModeReason

register = template.Library()

STATES = {
    "pending": gettext_noop("Waiting for a worker…"),
    "processing": gettext_noop("Being made"),
    "failed": gettext_noop("Failed"),
    "cancelled": gettext_noop("Cancelled."),
    "expired": gettext_noop("Expired: the file was removed when its time was over."),
    "deleted": gettext_noop("Deleted: the file was removed."),
}
NAMES = {
    "pending": gettext_noop("waiting"),
    "processing": gettext_noop("being made"),
    "completed": gettext_noop("ready"),
    "failed": gettext_noop("failed"),
    "cancelled": gettext_noop("cancelled"),
    "expired": gettext_noop("expired"),
    "deleted": gettext_noop("deleted"),
}
MODES = {
    "immediate": gettext_noop("Answered at once"),
    "streamed": gettext_noop("Sent while it was read"),
    "queued": gettext_noop("Queued"),
}
WILL = {
    "immediate": gettext_noop("will be answered at once"),
    "streamed": gettext_noop("will be sent while it is read"),
    "queued": gettext_noop("will be queued"),
}
REASONS = {
    "requested": gettext_noop("it was asked for"),
    "retry": gettext_noop("it is a retry"),
    "from_python": gettext_noop("it was run from Python"),
    "above_queue_limit": gettext_noop("it is over %(limit)s rows"),
    "below_immediate_limit": gettext_noop("it is under %(limit)s rows"),
    "between_limits": gettext_noop("it has %(limit)s rows or more"),
    "not_to_be_queued": gettext_noop("it has %(limit)s rows or more and was not to be queued"),
    "count_timeout": gettext_noop("counting its rows takes longer than %(limit)s s"),
}
"""By the code of the engine's reason for a mode."""
GOOD_FOR = {
    "csv": gettext_noop("Good for imports into other programs, and for reading anywhere."),
    "excel": gettext_noop("Good for people: filter, sort and calculate at once."),
    "json": gettext_noop("Good for programs: one document with its own description."),
    "ndjson": gettext_noop("Good for pipelines: one object a line, read while it comes."),
    "parquet": gettext_noop("Good for analysis: small, typed, quick to load into data tools."),
    "tsv": gettext_noop("Good for pasting into a spreadsheet, and for command lines."),
}
ACTORS = {"operator": gettext_noop("the operator")}
"""Who acts without an account."""


@register.simple_tag
def order_key(kept: str = "") -> str:
    """The hidden field that makes a form order once, however often it is sent."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, kept or new_key())


@register.filter
def state(export: Export) -> str:
    """Where it stands."""
    if export.status == "completed":
        rows = number_format(export.exported_items, force_grouping=True)
        return ngettext("Ready: %(rows)s row.", "Ready: %(rows)s rows.", export.exported_items) % {"rows": rows}
    if export.status == "processing" and not export.worker:
        tries = {"number": export.attempt, "most": export.max_attempts}
        return _("Try %(number)s of %(most)s failed; the next one comes by itself.") % tries
    if export.status == "processing" and export.cancel_requested_at:
        return _("Being cancelled…")
    return _(STATES[export.status])


@register.filter
def status_name(status: str) -> str:
    return _(NAMES[status])


@register.filter
def mode_name(mode: str) -> str:
    return _(MODES[mode])


@register.filter
def will(mode: str) -> str:
    return _(WILL[mode])


@register.filter
def reason(why: ModeReason) -> str:
    """The reason for a mode, as the page says it."""
    return _(REASONS[why.code]) % {"limit": number_format(why.limit, force_grouping=True)}


@register.filter
def good_for(name: str) -> str:
    return _(GOOD_FOR[name]) if name in GOOD_FOR else ""


@register.filter
def advice(error: dict[str, Any]) -> str:
    """What its owner can do about a failed export."""
    return _(class_of_code(error["code"]).advice)


@register.filter
def who(record: Export | ExportLog) -> str:
    """Who ordered an export, or did what an event says; and on behalf of whom."""
    actor, principal = record.actor, record.on_behalf_of
    if actor is None:
        return _("the program")
    name = actor["name"] if actor["id"] else _(ACTORS.get(actor["name"], actor["name"]))
    if principal is None:
        return name
    return _("%(actor)s, on behalf of %(person)s") % {"actor": name, "person": principal["name"]}


@register.filter
def span(seconds: int) -> str:
    """Seconds as people say them: about 40 s, about 3 min."""
    if seconds < 90:
        return _("about %(count)s s") % {"count": seconds}
    return _("about %(count)s min") % {"count": -(-seconds // 60)}


@register.filter
def curl(export: Export) -> str:
    """The same wish as a command for the API; $TOKEN is the reader's own."""
    body = json.dumps(submission.body_of(export), ensure_ascii=False)
    url = shlex.quote(f"{settings.SITE_URL}/api/v1/{export.resource}/export")
    headers = '-H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'
    return f"curl {url} -o {shlex.quote(export.filename)} \\\n  {headers} \\\n  -d {shlex.quote(body)}"
