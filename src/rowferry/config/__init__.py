"""Wiring only: settings, URLs, Celery, WSGI. The one place that knows every app."""
