"""An anchor that was not found in the newest version is put on one of its blocks by hand, once."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from anchors.models import Anchor, AnchorResolution
from anchors.services.placing import place_anchor
from anchors.services.resolutions import resolve_anchors
from config.accounts.models import User
from config.api.errors import ApiError
from exports.models import Export
from exports.services import freezing
from instructions.models import InstructionVersion
from jobs.services.audit import by_staff
from jobs.states import JobStatus
from tests.desk import Desk
from tests.exports.asking import request_export
from tests.factories import Api, force, make_anchor, make_asset
from tests.races import at_once

LOST = "# Words of another kind\n\n## Step 1: Something else\n\nNothing of what was there before.\n"


def save(desk: Desk, markdown: str) -> InstructionVersion:
    body = {"base_version": desk.document["version"], "markdown": markdown}
    desk.document = desk.api.put(f"/instructions/{desk.document['id']}", body).json()
    desk.version_id = desk.document["instruction_version_id"]
    return InstructionVersion.objects.get(pk=desk.version_id)


def lost_anchor(owner: Api) -> tuple[Desk, AnchorResolution]:
    """A picture on the first block of version 1, of which version 2 has nothing."""
    desk = Desk(owner)
    anchor = make_anchor(desk.job)
    make_asset(desk.job, anchor=anchor)
    found = resolve_anchors([anchor], save(desk, LOST))
    assert found[anchor.pk].state == "unresolved"
    return desk, AnchorResolution.objects.get(anchor=anchor)


def block(resolution: AnchorResolution, position: int = 1) -> UUID:
    return UUID(resolution.target_version.blocks[position]["block_id"])


def place(resolution: AnchorResolution, block_id: UUID) -> AnchorResolution:
    staff, _ = User.objects.get_or_create(username="support")
    return place_anchor(resolution=resolution, block_id=block_id, by=by_staff(staff, "Ticket 7"))


def refusal(resolution: AnchorResolution, block_id: UUID) -> str:
    with pytest.raises(ApiError) as refused:
        place(resolution, block_id)
    return refused.value.code


def test_it_stands_on_the_block_and_the_audit_log_says_who_and_why(owner: Api, db: None) -> None:
    desk, lost = lost_anchor(owner)
    block_id = block(lost)
    place(lost, block_id)
    shown = owner.get(f"/anchors/{lost.anchor_id}?target_instruction_version_id={desk.version_id}").json()
    assert shown["resolution"]["resolution_state"] == "remap"
    assert shown["resolution"]["source_instruction_version_id"] == str(lost.anchor.instruction_version_id)
    trace = shown["resolution"]["trace"]
    assert (trace["method"], trace["to"]) == ("by_hand", {"block_id": str(block_id)})
    assert trace["from"] == {"block_id": str(lost.anchor.block_id)} and 0 < trace["score"] < 0.6
    steps = owner.get(f"/instructions/{desk.document['id']}/steps").json()
    assert str(lost.anchor_id) in json.dumps(steps)
    event = owner.get(f"/jobs/{desk.job.pk}/events").json()[-1]
    assert (event["event_type"], event["actor_type"]) == ("ANCHOR_PLACED", "staff")
    assert event["data"] == {
        "anchor_id": str(lost.anchor_id),
        "instruction_version_id": desk.version_id,
        "block_id": str(block_id),
        "reason": "Ticket 7",
    }


def test_the_next_export_of_the_version_is_another_one(owner: Api, db: None) -> None:
    desk, lost = lost_anchor(owner)
    before = request_export(desk).json()
    place(lost, block(lost))
    after = request_export(desk)
    assert after.status_code == 202
    assert before["identity_key"] != after.json()["identity_key"]
    assert before["screenshot_set_hash"] != after.json()["screenshot_set_hash"]
    placed = Export.objects.get(pk=after.json()["id"]).snapshot
    assert str(block(lost)) in json.dumps(placed["pictures"])
    assert request_export(desk).json()["id"] == after.json()["id"]


def test_an_export_that_is_asked_for_meanwhile_has_the_place(
    owner: Api, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, lost = lost_anchor(owner)
    freeze, frozen = freezing.freeze, []

    def placed_meanwhile(*args: Any, **named: Any) -> Any:
        document = freeze(*args, **named)
        if not frozen:
            place(lost, block(lost))
        frozen.append(document)
        return document

    monkeypatch.setattr(freezing, "freeze", placed_meanwhile)
    assert request_export(desk).status_code == 202
    assert len(frozen) == 2
    assert str(block(lost)) in json.dumps(Export.objects.get().snapshot["pictures"])


def test_later_versions_follow_the_placement(owner: Api, db: None) -> None:
    desk, lost = lost_anchor(owner)
    placed = place(lost, block(lost))
    kept = save(desk, f"{lost.target_version.markdown}\nOne more.\n")
    steps = owner.get(f"/instructions/{desk.document['id']}/steps").json()
    assert str(lost.anchor_id) in json.dumps(steps), "before it is looked for"
    found = resolve_anchors([lost.anchor], kept)[lost.anchor_id]
    assert (found.state, found.addressing) == ("retain", placed.addressing)
    shown = owner.get(f"/anchors/{lost.anchor_id}?target_instruction_version_id={kept.pk}").json()
    assert shown["resolution"]["source_instruction_version_id"] == str(lost.target_version_id)
    assert shown["resolution"]["trace"]["from"] == placed.trace["to"]


def test_the_newest_placement_is_the_one_that_is_followed(owner: Api, db: None) -> None:
    desk, lost = lost_anchor(owner)
    place(lost, block(lost))
    gone = save(desk, "Wholly new: 1234567890.\n\n- 1\n- 2\n")
    resolve_anchors([lost.anchor], gone)
    again = AnchorResolution.objects.get(anchor=lost.anchor, target_version=gone)
    second = place(again, block(again, 0))
    kept = save(desk, f"{gone.markdown}\nOne more.\n")
    assert resolve_anchors([lost.anchor], kept)[lost.anchor_id].addressing == second.addressing


def test_versions_before_the_placement_do_not_follow_it(owner: Api, db: None) -> None:
    desk = Desk(owner)
    anchor = make_anchor(desk.job)
    before = save(desk, f"{desk.document['markdown']}\nOne more.\n")
    lost = resolve_anchors([anchor], save(desk, LOST))[anchor.pk]
    place(lost, block(lost))
    assert resolve_anchors([anchor], before)[anchor.pk].addressing == anchor.addressing


@pytest.mark.parametrize("of_another_version", [False, True])
def test_a_block_that_the_version_does_not_have_is_refused(
    owner: Api, db: None, of_another_version: bool
) -> None:
    _, lost = lost_anchor(owner)
    block_id = lost.anchor.block_id if of_another_version else uuid4()
    assert block_id and refusal(lost, block_id) == "VALIDATION_ERROR"
    assert AnchorResolution.objects.get().state == "unresolved"


def test_a_version_that_is_not_the_newest_is_left_as_it_is(owner: Api, db: None) -> None:
    desk, lost = lost_anchor(owner)
    save(desk, f"{lost.target_version.markdown}\nOne more.\n")
    assert refusal(lost, block(lost)) == "VERSION_CONFLICT"
    assert AnchorResolution.objects.get().state == "unresolved"


def test_what_has_a_place_is_not_placed_again(owner: Api, db: None) -> None:
    desk, lost = lost_anchor(owner)
    place(lost, block(lost))
    assert refusal(lost, block(lost, 0)) == "FSM_TRANSITION_INVALID"
    assert AnchorResolution.objects.get().addressing["block_id"] == str(block(lost))
    assert desk.job.events.filter(event_type="ANCHOR_PLACED").count() == 1


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_job_whose_document_is_closed_keeps_it_as_it_is(owner: Api, db: None, status: JobStatus) -> None:
    desk, lost = lost_anchor(owner)
    force(desk.job, status)
    assert refusal(lost, block(lost)).startswith("FSM_")
    assert AnchorResolution.objects.get().state == "unresolved"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_place_it_at_once_one_does(owner: Api) -> None:
    desk, lost = lost_anchor(owner)
    User.objects.create(username="support")

    def one(index: int) -> str:
        try:
            return str((place(lost, block(lost, index)).addressing or {})["block_id"])
        except ApiError as refused:
            return refused.code

    answers = at_once(2, one)
    row = AnchorResolution.objects.get()
    assert sorted(answers) == sorted(["FSM_TRANSITION_INVALID", (row.addressing or {})["block_id"]])
    assert desk.job.events.filter(event_type="ANCHOR_PLACED").count() == 1


def sql_of(**columns: Any) -> tuple[str, list[Any]]:
    written = ", ".join(f"{name} = %s" for name in columns)
    values = [json.dumps(value) if isinstance(value, dict) else value for value in columns.values()]
    return f"UPDATE anchors_anchorresolution SET {written}", values


def placing(lost: AnchorResolution, **changed: Any) -> dict[str, Any]:
    """The columns that a placement writes."""
    to = {"block_id": str(block(lost))}
    trace = {"method": "by_hand", "score": 0.1, "from": lost.trace["from"], "to": to}
    written = {"state": "remap", "addressing": {"address_type": "block_id", **to}, "trace": trace}
    return {**written, **changed}


def run(columns: dict[str, Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(*sql_of(**columns))


def test_the_database_takes_a_placement_and_nothing_after_it(owner: Api, db: None) -> None:
    _, lost = lost_anchor(owner)
    run(placing(lost))
    unresolved = {"state": "unresolved", "addressing": None, "trace": lost.trace}
    for again in (placing(lost), unresolved, {"trace": lost.trace}, {"created_at": "2020-01-01"}):
        with pytest.raises(DatabaseError, match="append-only"):
            run(again)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AnchorResolution.objects.all().delete()
    assert AnchorResolution.objects.get().state == "remap"


@pytest.mark.parametrize(
    "name",
    ["state", "method", "from", "to", "score", "more", "range", "nowhere", "id", "anchor", "version", "age"],
)
def test_the_database_refuses_all_but_a_placement(owner: Api, db: None, name: str) -> None:
    desk, lost = lost_anchor(owner)
    trace = placing(lost)["trace"]
    other: Anchor = make_anchor(desk.job)
    chars = {"char_range": {"start_offset": 0, "end_offset": 1}}
    changed: dict[str, Any] = {
        "state": {"state": "retain"},
        "method": {"trace": trace | {"method": "similarity"}},
        "from": {"trace": trace | {"from": trace["to"]}},
        "to": {"trace": trace | {"to": trace["from"]}},
        "score": {"trace": trace | {"score": None}},
        "more": {"trace": trace | {"note": "x"}},
        "range": {"addressing": {"address_type": "char_range", **chars}, "trace": trace | {"to": chars}},
        "nowhere": {
            "addressing": {"address_type": "block_id", "block_id": None},
            "trace": trace | {"to": {"block_id": None}},
        },
        "id": {"id": str(uuid4())},
        "anchor": {"anchor_id": str(other.pk)},
        "version": {"target_version_id": str(lost.anchor.instruction_version_id)},
        "age": {"created_at": "2020-01-01"},
    }[name]
    with pytest.raises(DatabaseError, match="append-only"):
        run(placing(lost, **changed))
    assert AnchorResolution.objects.get() == lost and AnchorResolution.objects.get().state == "unresolved"
