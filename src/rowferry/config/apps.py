"""The wiring as a Django app: its commands are found, messages leave by our Celery app, its settings are checked."""

from django.apps import AppConfig
from django.core.checks import register


class ConfigConfig(AppConfig):
    name = "rowferry.config"
    label = "rowferry_config"

    def ready(self) -> None:
        from rowferry.config import celery, celery_checks

        celery.app.set_default()
        register(celery_checks.check_celery_settings)
        register(celery_checks.check_spool_is_local)
