"""What a WSGI server loads."""

import os

from django.core.wsgi import get_wsgi_application

from rowferry.exports.integrity import ed25519  # noqa: F401  (loaded before the first request needs it)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rowferry.config.settings")
application = get_wsgi_application()
