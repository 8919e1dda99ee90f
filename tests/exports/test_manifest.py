"""The manifest of an export."""

from __future__ import annotations

import pytest

from tests.desk import Desk
from tests.exports.asking import request_export
from tests.factories import work_off

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


def test_the_manifest_names_the_chain_of_every_picture(desk: Desk) -> None:
    task = desk.picture()
    asked = request_export(desk).json()
    early = desk.api.get(f"/exports/{asked['id']}/manifest")
    assert (early.status_code, early.json()["code"]) == (409, "EXPORT_NOT_READY")
    work_off()
    manifest = desk.api.get(f"/exports/{asked['id']}/manifest").json()
    (picture,) = manifest["pictures"]
    assert (picture["anchor_id"], picture["asset_id"], picture["block_id"]) == (
        task["anchor_id"],
        task["asset_id"],
        desk.block_id,
    )
    assert picture["extracted_at_ms"] == 10_000
    assert manifest["video"]["sha256"] == desk.job.artifacts.filter(kind="video").latest("version").sha256
