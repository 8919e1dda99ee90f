"""What all tests of the admin's pages want."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def quiet_templates(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, which another test may have set, Django's templates print query sets, which runs them."""
    caplog.set_level(logging.INFO, logger="django.template")
