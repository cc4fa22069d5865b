"""Tickets as an export: their columns and filters."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from rowferry.assets.models import full_name
from rowferry.exports.encoding.value_types import Severity, ValueType
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import DateRange, Flag, Matches, Search
from rowferry.exports.resources.resource import Resource, register
from rowferry.tickets.models import Ticket

STATUSES = {
    "New": Severity.INFO,
    "Open": Severity.INFO,
    "Waiting for requester": Severity.WARNING,
    "Resolved": Severity.GOOD,
    "Closed": Severity.QUIET,
    "Cancelled": Severity.QUIET,
}
PRIORITIES = {"Urgent": Severity.BAD, "High": Severity.WARNING, "Low": Severity.QUIET}
"""Normal is nothing to point at."""

DATES = {"created_at": _("Created at"), "updated_at": _("Updated at"), "due_date": _("Due date")}


@register
class TicketResource(Resource):
    """The tickets of the department; the readable names beside the ids are there for the asking."""

    model = Ticket
    name = "tickets"
    label = _("Tickets")
    columns = (
        Column("id", label=_("ID")),
        Column("ticket_code", kind=ValueType.IDENTIFIER, label=_("Ticket code")),
        Column("subject", label=_("Subject")),
        Column("description", label=_("Description")),
        Column("status_id", label=_("Status ID"), nest=("status", "id")),
        Column("priority_id", label=_("Priority ID"), nest=("priority", "id")),
        Column("type_id", label=_("Type ID"), nest=("type", "id")),
        Column("assigned_to", label=_("Assigned to ID"), nest=("assigned_to", "id")),
        Column("created_by", label=_("Created by ID"), nest=("created_by", "id")),
        Column("is_open", label=_("Open")),
        Column("is_resolved", label=_("Resolved")),
        Column("created_at", label=_("Created")),
        Column("due_date", label=_("Due")),
        Column("updated_at", label=_("Updated")),
        Column("status", "status__name", label=_("Status"), default=False, nest=("status", "name"), tones=STATUSES),
        Column(
            "priority",
            "priority__name",
            label=_("Priority"),
            default=False,
            nest=("priority", "name"),
            tones=PRIORITIES,
        ),
        Column("type", "type__name", label=_("Type"), default=False, nest=("type", "name")),
        Column(
            "assigned_to_name",
            full_name("assigned_to"),
            ValueType.TEXT,
            label=_("Assigned to"),
            default=False,
            nest=("assigned_to", "name"),
        ),
        Column(
            "created_by_name",
            full_name("created_by"),
            ValueType.TEXT,
            label=_("Created by"),
            default=False,
            nest=("created_by", "name"),
        ),
    )
    filters = (
        Matches("status_id"),
        Matches("priority_id"),
        Matches("type_id"),
        Matches("assigned_to", title="username"),
        Matches("created_by", title="username"),
        Flag("is_open", label=_("Open")),
        Flag("is_resolved", label=_("Resolved")),
        DateRange(("created_at", "updated_at", "due_date"), DATES),
        Search(("ticket_code", "subject", "description")),
    )
