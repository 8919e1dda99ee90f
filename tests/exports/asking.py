"""Exports asked for and performed at a desk."""

from __future__ import annotations

from typing import Any

from tests.desk import Desk
from tests.factories import work_off


def request_export(desk: Desk, format: str = "MD_ZIP", **changed: Any) -> Any:
    body = {"format": format, "instruction_version_id": desk.version_id, **changed}
    return desk.api.post(f"/jobs/{desk.job.pk}/exports", body)


def done(desk: Desk, format: str = "MD_ZIP") -> dict[str, Any]:
    export_id = request_export(desk, format).json()["id"]
    work_off()
    found: dict[str, Any] = desk.api.get(f"/exports/{export_id}").json()
    return found
