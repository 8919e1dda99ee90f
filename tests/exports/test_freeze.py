"""What an export is made of is frozen before the job is locked, and looked at again under the lock."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from exports.freeze import ActivePicture, freeze
from exports.models import Export
from exports.services import freezing
from instructions.blocks import parse_blocks
from tests.desk import BLUR, Desk
from tests.factories import Api

pytestmark = pytest.mark.slow

MARKDOWN = "# Guide\n\n<!-- block:{0} -->\n## Step 1: Click\n\nClick it.\n"
BLOCK = "01993c5e-7a10-7c3b-9d52-4e1f6a7b8c9d"


def picture(addressing: dict[str, Any] | None) -> ActivePicture:
    return ActivePicture(
        anchor_id="a",
        addressing=addressing,
        asset_id="p",
        is_annotated=False,
        sha256="00" * 32,
        mime_type="image/png",
        width=1,
        height=1,
        extracted_at_ms=0,
        origin={"kind": "EXTRACTED"},
    )


def frozen(*pictures: ActivePicture) -> Any:
    return freeze(
        pictures,
        markdown=MARKDOWN.format(BLOCK),
        blocks=parse_blocks(MARKDOWN.format(BLOCK)),
        fallback_title="Guide",
        provenance={"x": 1},
        job_id="j",
        instruction_id="i",
        instruction_version_id="v",
        version=1,
        language="en",
        video_sha256=None,
    )


def test_a_picture_stands_at_its_block() -> None:
    document = frozen(picture({"address_type": "block_id", "block_id": BLOCK}))
    assert (document.title, document.pictures[0].block_id) == ("Guide", BLOCK)
    assert document.provenance == {
        "x": 1,
        "anchors": [{"anchor_id": "a", "active_asset_id": "p", "rendered_asset_id": None}],
    }


def test_a_picture_on_a_range_stands_at_the_block_around_it() -> None:
    at = MARKDOWN.format(BLOCK).index("Click it.")
    char_range = {"start_offset": at, "end_offset": at + 5}
    assert (
        frozen(picture({"address_type": "char_range", "char_range": char_range})).pictures[0].block_id == ""
    )


def test_a_picture_whose_address_is_gone_stands_at_no_block() -> None:
    lost = {"address_type": "block_id", "block_id": "01993c5e-8b21-7d4c-8e63-5f2a7b8c9d0e"}
    assert frozen(picture(None)).pictures[0].block_id is None
    assert frozen(picture(lost)).pictures[0].block_id is None


@pytest.mark.both_storages
@pytest.mark.django_db(transaction=True)
def test_nothing_is_parsed_while_the_job_is_locked(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(owner)
    desk.picture()
    in_transaction = []

    def watched(*args: Any, **named: Any) -> Any:
        in_transaction.append(connection.in_atomic_block)
        return freeze(*args, **named)

    monkeypatch.setattr(freezing, "freeze", watched)
    body = {"format": "MD_ZIP", "instruction_version_id": desk.version_id}
    assert owner.post(f"/jobs/{desk.job.pk}/exports", body).status_code == 202
    assert in_transaction == [False]


@pytest.mark.both_storages
@pytest.mark.django_db(transaction=True)
def test_a_picture_that_changes_before_the_lock_is_the_one_exported(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(owner)
    task = desk.picture()
    drawn: list[str] = []

    def drawn_on_meanwhile(*args: Any, **named: Any) -> Any:
        document = freeze(*args, **named)
        if not drawn:
            drawn.append(desk.annotate(task, BLUR).json()["rendered_asset_id"])
        return document

    monkeypatch.setattr(freezing, "freeze", drawn_on_meanwhile)
    body = {"format": "MD_ZIP", "instruction_version_id": desk.version_id}
    asked = owner.post(f"/jobs/{desk.job.pk}/exports", body).json()
    assert [anchor["active_asset_id"] for anchor in asked["provenance"]["anchors"]] == drawn
    assert Export.objects.get().snapshot["pictures"][0]["asset_id"] == drawn[0]
