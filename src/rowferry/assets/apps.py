"""The assets of an IT department, as a Django app."""

from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "rowferry.assets"
    verbose_name = "Assets"
