"""The web application with one more resource, which can be made to fail. Loaded by a real server."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from rowferry.exports.resources.resource import register  # noqa: E402  (the models are there only now)
from tests.support.unreadable import Unreadable  # noqa: E402

register(Unreadable)
