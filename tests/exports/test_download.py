"""The signed download of an export."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.desk import Desk
from tests.exports.asking import done

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


@pytest.mark.file_system
def test_a_forged_or_ended_download_is_404(desk: Desk, settings: Any) -> None:
    settings.DOWNLOAD_URL_SECONDS = -1
    path = done(desk)["download_url"].split("/api/v1", 1)[1]
    assert Client().get(f"/api/v1{path}").status_code == 404
    assert Client().get(f"/api/v1{path[:-3]}abc").status_code == 404
