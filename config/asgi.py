"""The ASGI application, which `serve` has granian serve: the front before Django's WSGI handler."""

from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
wsgi = get_wsgi_application()

from config.front.application import Front  # noqa: E402
from config.migrating import wait_until_migrated  # noqa: E402

import_module(settings.ROOT_URLCONF)  # the views, for which the first request would wait
application = Front(wsgi)
wait_until_migrated()
