"""The WSGI application, for other servers; `serve` has granian serve config/asgi.py, which bounds slow clients."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
