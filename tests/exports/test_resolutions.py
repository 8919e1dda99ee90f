"""Anchors of earlier versions are looked for once a version, before anything is locked."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from anchors.models import Anchor, AnchorResolution
from anchors.resolve import Resolver
from anchors.services import resolutions
from exports.models import Export
from exports.services import freezing
from tests.desk import Desk
from tests.exports.asking import request_export
from tests.factories import Api, make_anchor, make_asset

pytestmark = pytest.mark.both_storages

MOVED = "# Words of another kind\n\n## Step 1: Something else\n\nNothing of what was there before.\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each address that is looked for: whether a transaction was open."""
    seen = []
    resolve = Resolver.resolve

    def watched(self: Resolver, addressing: dict[str, Any]) -> Any:
        seen.append(connection.in_atomic_block)
        return resolve(self, addressing)

    monkeypatch.setattr(Resolver, "resolve", watched)
    return seen


def desk_with_lost_pictures(owner: Api, number: int = 3) -> Desk:
    """Pictures on blocks of version 1; the newest version has other blocks."""
    desk = Desk(owner)
    for _ in range(number):
        make_asset(desk.job, anchor=make_anchor(desk.job))
    body = {"base_version": desk.document["version"], "markdown": MOVED}
    desk.document = owner.put(f"/instructions/{desk.document['id']}", body).json()
    desk.version_id = desk.document["instruction_version_id"]
    return desk


@pytest.mark.django_db(transaction=True)
def test_an_anchor_is_looked_for_once_a_version_and_outside_locks(owner: Api, asked: list[bool]) -> None:
    desk = desk_with_lost_pictures(owner)
    first = request_export(desk)
    assert (first.status_code, asked) == (202, [False] * 3)
    assert request_export(desk).status_code == 200
    assert request_export(desk, "PDF").status_code == 202
    assert len(asked) == 3
    assert [row.state for row in AnchorResolution.objects.all()] == ["unresolved"] * 3
    anchor = Anchor.objects.first()
    shown = owner.get(f"/anchors/{anchor.pk}?target_instruction_version_id={desk.version_id}").json()
    assert shown["resolution"]["resolution_state"] == "unresolved"
    assert shown["resolution"]["trace"]["method"] == "none"
    assert len(asked) == 3


def test_the_anchors_of_many_versions_are_looked_for_in_several_requests(
    owner: Api, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    """Each version is read and prepared, which takes 0.2 s for a large one: 500 took minutes."""
    monkeypatch.setattr(resolutions, "MAX_PREPARED", 0)
    desk = Desk(owner)
    for number in range(3):
        make_asset(desk.job, anchor=make_anchor(desk.job))
        body = {"base_version": desk.document["version"], "markdown": f"{MOVED}\n{number}\n"}
        desk.document = owner.put(f"/instructions/{desk.document['id']}", body).json()
    desk.version_id = desk.document["instruction_version_id"]
    for kept in (1, 2):
        refused = request_export(desk)
        assert (refused.status_code, refused.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert refused.headers["Retry-After"]
        assert (AnchorResolution.objects.count(), Export.objects.count()) == (kept, 0)
    assert request_export(desk).status_code == 202
    assert AnchorResolution.objects.count() == 3


def test_anchors_of_the_version_itself_are_not_looked_for(owner: Api, asked: list[bool], db: None) -> None:
    desk = Desk(owner)
    make_asset(desk.job, anchor=make_anchor(desk.job))
    assert request_export(desk).status_code == 202
    assert (asked, AnchorResolution.objects.count()) == ([], 0)


def test_an_export_parses_nothing(owner: Api, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    desk = desk_with_lost_pictures(owner)
    monkeypatch.setattr("instructions.blocks.read_outline", lambda *_: pytest.fail("parsed"))
    assert request_export(desk).status_code == 202
    assert request_export(desk).status_code == 200


@pytest.mark.parametrize("change", [{"state": "remap"}, {"addressing": {}}, {"trace": {}}])
def test_what_was_found_never_changes(owner: Api, change: dict[str, Any], db: None) -> None:
    desk = desk_with_lost_pictures(owner, 1)
    request_export(desk)
    with pytest.raises(DatabaseError), transaction.atomic():
        AnchorResolution.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        AnchorResolution.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_pictures_that_never_stop_changing_are_503_and_make_no_export(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(owner)
    anchor = make_anchor(desk.job)
    make_asset(desk.job, anchor=anchor)
    freeze = freezing.freeze

    def drawn_on_meanwhile(*args: Any, **named: Any) -> Any:
        make_asset(desk.job, anchor=anchor)
        return freeze(*args, **named)

    monkeypatch.setattr(freezing, "freeze", drawn_on_meanwhile)
    refused = request_export(desk)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert Export.objects.count() == 0
