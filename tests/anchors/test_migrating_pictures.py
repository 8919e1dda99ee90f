"""Rows from before there were redactions, through the migrations."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from anchors.models import Asset
from jobs.states import JobStatus
from tests.desk import BLUR
from tests.factories import make_job

pytestmark = pytest.mark.slow
BEFORE = [("anchors", "0007_plan_lists_by_their_indexes")]
ARROW = {"op_type": "arrow", "geometry": {"from": {"x": 0, "y": 0}, "to": {"x": 1, "y": 1}}}


@pytest.mark.django_db(transaction=True)
def test_pictures_from_before_get_salts_and_say_what_they_hide() -> None:
    job = make_job(JobStatus.EDITING)
    MigrationExecutor(connection).migrate(BEFORE)
    try:
        earlier = (
            MigrationExecutor(connection).loader.project_state(BEFORE).apps.get_model("anchors", "Asset")
        )
        for number, operations in enumerate([None, [ARROW], [ARROW, BLUR]]):
            earlier.objects.create(
                job_id=job.pk,
                version=number,
                kind="EXTRACTED" if operations is None else "ANNOTATED",
                uri="x",
                mime_type="image/png",
                width=1,
                height=1,
                checksum_sha256="a" * 64,
                ops_hash="" if operations is None else f"{number:064}",
                operations=operations,
            )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    found = Asset.objects.order_by("version")
    assert [asset.is_redacted for asset in found] == [False, False, True]
    assert len({bytes(asset.commitment_salt) for asset in found}) == 3
    assert {len(bytes(asset.commitment_salt)) for asset in found} == {32}
