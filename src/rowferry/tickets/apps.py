"""The tickets of an IT department, as a Django app."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "rowferry.tickets"
    verbose_name = "Tickets"
