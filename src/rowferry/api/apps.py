"""The API as a Django app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "rowferry.api"
    label = "rowferry_api"
    verbose_name = "Rowferry API"
