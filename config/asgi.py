"""The ASGI application, which `serve` has granian serve: the front before Django's WSGI handler."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
wsgi = get_wsgi_application()

from config.front.application import Front  # noqa: E402

application = Front(wsgi)
