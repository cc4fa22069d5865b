"""Tickets in Django's admin, usable with a million of them."""

from django.contrib import admin

from rowferry.exports.admin import ExportSelected
from rowferry.tickets.models import Ticket, TicketPriority, TicketStatus, TicketType


@admin.register(TicketStatus, TicketPriority, TicketType)
class NamedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Ticket)
class TicketAdmin(ExportSelected):
    list_display = ("ticket_code", "subject", "type", "priority", "status", "assigned_to", "created_at", "due_date")
    list_filter = ("is_open", "status", "priority", "type")
    list_select_related = ("type", "priority", "status", "assigned_to")
    search_fields = ("ticket_code", "subject", "description")
    autocomplete_fields = ("assigned_to", "created_by")
    readonly_fields = ("created_at", "updated_at")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    show_full_result_count = False
