"""The page as a Django app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "rowferry.web"
    label = "rowferry_web"
    verbose_name = "Rowferry for people"
