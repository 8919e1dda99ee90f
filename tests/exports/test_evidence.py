"""What the manifest says of the evidence of steps."""

from __future__ import annotations

import json

import pgtrigger
import pytest

from instructions.models import Instruction, InstructionVersion, StepSource
from jobs.models import TranscriptSegment
from tests.desk import Desk
from tests.exports.asking import done

pytestmark = pytest.mark.slow

HASH = "c7" * 32


@pytest.fixture
def sourced(desk: Desk) -> Desk:
    """A desk whose step rests on the segments 0 and 1 and on a frame."""
    document = Instruction.objects.get(job=desk.job)
    with pgtrigger.ignore("instructions.StepSource:step_source_immutable"):
        StepSource.objects.filter(instruction=document, block_id=desk.block_id).update(
            kind="said",
            start_ms=0,
            end_ms=2900,
            segments=[0, 1],
            frames=[{"pts": 4096, "frame_sha256": HASH}],
        )
    return desk


def test_every_step_names_the_segments_that_it_rests_on(sourced: Desk) -> None:
    desk, rows = sourced, TranscriptSegment.objects.filter(job=sourced.job)
    spoken = {row.position: row for row in rows}
    manifest = desk.api.get(f"/exports/{done(desk)['id']}/manifest").json()
    steps = {step["block_id"]: step for step in manifest["steps"]}
    version = InstructionVersion.objects.get(pk=desk.version_id)
    assert list(steps) == [block["block_id"] for block in version.blocks if block["kind"] == "step"]
    assert steps[desk.block_id] == {
        "block_id": desk.block_id,
        "number": 1,
        "kind": "said",
        "start_ms": 0,
        "end_ms": 2900,
        "needs_review": False,
        "segments": [
            {"position": at, "start_ms": spoken[at].start_ms, "end_ms": spoken[at].end_ms} for at in (0, 1)
        ],
        "frames": [{"pts": 4096}],
    }
    published = json.dumps(manifest)
    assert not any(row.text in published for row in rows) and HASH not in published
