"""Pictures without a place: the list of them, the page that shows both texts, and the action that gives a place."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from anchors.admin import front, placing, queue
from anchors.models import AnchorResolution, Asset, UnresolvedAnchor
from anchors.services.resolutions import resolve_anchors
from config.accounts.models import User
from exports.roles import AUDITOR, OPERATOR, SUPPORT
from instructions.models import InstructionVersion
from jobs.models import Job
from jobs.services import content
from jobs.states import JobStatus
from tests.desk import Desk
from tests.factories import Api, force, make_anchor, make_asset

pytestmark = pytest.mark.django_db
QUEUE = "/admin/anchors/unresolvedanchor/"
LOST = "# Words of another kind\n\n## Step 1: Something else\n\nNothing of what was there before.\n"
FORMER, PRESENT = "Click the New button", "Nothing of what was there before"
REASON = {"reason": "The owner misses the picture of step 2."}


def signed_in(role: str = SUPPORT) -> Client:
    user = User.objects.create_user(f"of {role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def support(db: None) -> Client:
    return signed_in()


def save(desk: Desk, markdown: str) -> InstructionVersion:
    body = {"base_version": desk.document["version"], "markdown": markdown}
    desk.document = desk.api.put(f"/instructions/{desk.document['id']}", body).json()
    return InstructionVersion.objects.get(pk=desk.document["instruction_version_id"])


def lost(owner: Api) -> UnresolvedAnchor:
    """A picture of which the newest version has no place."""
    desk = Desk(owner)
    anchor = make_anchor(desk.job)
    make_asset(desk.job, anchor=anchor)
    resolve_anchors([anchor], save(desk, LOST))
    return UnresolvedAnchor.objects.get(anchor=anchor)


def listed(client: Client, **query: str) -> list[Any]:
    answer = client.get(QUEUE, query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def page(row: UnresolvedAnchor) -> str:
    return f"{QUEUE}{row.pk}/change/"


def shown(client: Client, row: UnresolvedAnchor) -> str:
    answer = client.get(page(row))
    assert answer.status_code == 200
    return str(answer.content.decode())


def do(client: Client, row: UnresolvedAnchor, name: str, **given: str) -> Any:
    return client.post(f"{QUEUE}{row.pk}/do/{name}/", {**REASON, **given}, follow=True)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def block(row: UnresolvedAnchor, position: int = 1) -> str:
    return str(row.target_version.blocks[position]["block_id"])


def stuck(client: Client) -> list[Any]:
    panels = client.get("/admin/").context["front_panels"]
    lines = next(each["content"] for each in panels if each["panel"].title == "What is stuck")
    return [line for line in lines if line.url == QUEUE]


def test_the_list_has_what_waits_and_the_front_page_counts_it(owner: Api, support: Client) -> None:
    assert "Every picture has its place" in support.get(QUEUE).content.decode() and not stuck(support)
    row = lost(owner)
    assert listed(support) == listed(support, q=str(row.anchor_id)) == [row.pk]
    text = support.get(QUEUE).content.decode()
    assert str(row.job) in text and row.job.project.name in text
    assert f"/admin/anchors/asset/{row.anchor.active_asset_id}/picture/" in text
    (line,) = stuck(support)
    assert str(line.count) == "1" and "<img" not in support.get(f"{QUEUE}csv/").getvalue().decode()


@pytest.mark.parametrize("why", ["newer", "closed", "no picture", "found"])
def test_what_need_not_be_placed_is_not_listed(owner: Api, support: Client, why: str) -> None:
    row = lost(owner)
    do(support, row, "read")
    if why == "newer":
        row.target_version.instruction.versions.model.objects.create(
            instruction=row.target_version.instruction, version=9, markdown="", source="edit", created_by="x"
        )
        type(row.target_version.instruction).objects.update(version=9)
    elif why == "closed":
        force(row.job, JobStatus.CANCELLED)
    elif why == "no picture":
        type(row.anchor).objects.update(active_asset=None)
    else:
        do(support, row, "place", block_id=block(row))
    assert listed(support) == [] and not stuck(support)
    text = shown(support, row)
    assert "Put it here" not in text and (PRESENT in text) == (why != "found")


def test_both_texts_are_shown_for_a_reason_alone(owner: Api, support: Client) -> None:
    row = lost(owner)
    before = shown(support, row)
    assert FORMER not in before and PRESENT not in before and "Read the document" in before
    do(support, row, "read")
    text = shown(support, row)
    assert FORMER in text and PRESENT in text and "The picture stood here" in text
    for each in row.target_version.blocks:
        assert f"{QUEUE}{row.pk}/do/place/?block={each['block_id']}" in text
    event = row.job.events.latest("id")
    assert (event.event_type, event.data) == (content.CONTENT_SHOWN, REASON)


def test_a_picture_is_put_on_a_block(owner: Api, support: Client) -> None:
    row = lost(owner)
    do(support, row, "read")
    asked = support.get(f"{QUEUE}{row.pk}/do/place/?block={block(row)}")
    assert asked.context["form"].initial["block_id"] == block(row)
    assert "has its place" in said(do(support, row, "place", block_id=block(row)))
    placed = AnchorResolution.objects.get()
    assert (placed.state, placed.addressing) == (
        "remap",
        {"address_type": "block_id", "block_id": block(row)},
    )
    event = row.job.events.latest("id")
    assert (event.event_type, event.actor_type, event.data["reason"]) == (
        "ANCHOR_PLACED",
        "staff",
        REASON["reason"],
    )
    assert "Placed by hand" in shown(support, row)


def test_the_likeliest_come_first(owner: Api, support: Client) -> None:
    row = lost(owner)
    do(support, row, "read")
    compared = support.get(page(row)).context["compared"]
    scores = [each.score for each in compared.likely]
    assert scores == sorted(scores, reverse=True) and 0 < scores[0] < 0.6
    assert [each.block_id for each in compared.after] == [
        each["block_id"] for each in row.target_version.blocks
    ]


def test_of_a_long_guide_all_blocks_can_be_chosen(
    owner: Api, support: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "MAX_SHOWN", 1)
    row = lost(owner)
    do(support, row, "read")
    assert f"{len(row.target_version.blocks) - 1} more blocks" in shown(support, row)
    choices = support.get(f"{QUEUE}{row.pk}/do/place/").context["form"].fields["block_id"].choices
    assert [value for value, _ in choices] == [each["block_id"] for each in row.target_version.blocks]


@pytest.mark.parametrize("given", [{}, {"block_id": "x"}, {"block_id": "of version 1"}, {"reason": ""}])
def test_bad_input_is_asked_for_again(owner: Api, support: Client, given: dict[str, str]) -> None:
    row = lost(owner)
    do(support, row, "read")
    if given.get("block_id") == "of version 1":
        given = {"block_id": str(row.anchor.block_id)}
    if "reason" in given:
        given = {"block_id": block(row), **given}
    answer = do(support, row, "place", **given)
    assert answer.status_code == 200 and answer.context["form"].errors
    assert AnchorResolution.objects.get().state == "unresolved"


def test_what_was_placed_meanwhile_is_refused_politely(owner: Api, support: Client) -> None:
    row = lost(owner)
    do(support, row, "read")
    do(support, row, "place", block_id=block(row))
    again = do(support, row, "place", block_id=block(row, 0))
    assert "nothing was done" in said(again) and "has its place" in said(again)
    assert (AnchorResolution.objects.get().addressing or {})["block_id"] == block(row)


def test_nobody_places_what_they_have_not_read(owner: Api) -> None:
    row, operator = lost(owner), signed_in(OPERATOR)
    assert "Say first why" in said(do(operator, row, "place", block_id=block(row)))
    assert AnchorResolution.objects.get().state == "unresolved"


def test_who_may_only_read_is_offered_no_place(owner: Api, support: Client) -> None:
    row = lost(owner)
    Group.objects.get(name=SUPPORT).permissions.remove(Permission.objects.get(codename="place_any_anchor"))
    do(support, row, "read")
    text = shown(support, row)
    assert PRESENT in text and "Put it here" not in text
    assert do(support, row, "place", block_id=block(row)).status_code == 404


def test_an_auditor_sees_that_it_waits_and_nothing_else(owner: Api) -> None:
    row, auditor = lost(owner), signed_in(AUDITOR)
    assert (
        listed(auditor) == [row.pk]
        and "<img" not in auditor.get(QUEUE).content.decode().split("result_list")[1]
    )
    text = shown(auditor, row)
    picture = f"/admin/anchors/asset/{row.anchor.active_asset_id}/picture/"
    assert picture not in text and FORMER not in text and PRESENT not in text and "do/place" not in text
    for name in ("read", "place"):
        assert do(auditor, row, name, block_id=block(row)).status_code == 404
    assert AnchorResolution.objects.get().state == "unresolved"
    assert not Job.objects.get(pk=row.job.pk).events.filter(event_type=content.CONTENT_SHOWN).exists()


def test_a_concealed_picture_is_not_shown(owner: Api, support: Client) -> None:
    row = lost(owner)
    Asset.objects.filter(pk=row.anchor.active_asset_id).update(is_concealed=True)
    picture = f"/admin/anchors/asset/{row.anchor.active_asset_id}/picture/"
    assert picture not in shown(support, row) and picture not in support.get(QUEUE).content.decode()


def test_the_pages_of_an_anchor_tell_its_way_through_the_versions(owner: Api, support: Client) -> None:
    row = lost(owner)
    for path in (
        page(row),
        f"/admin/anchors/asset/{row.anchor.active_asset_id}/change/",
        f"/admin/anchors/anchorresolution/{row.pk}/change/",
    ):
        answer = support.get(path)
        own, found = answer.context["history"]
        assert (own.version, own.state, found.version, found.state) == (1, "Put here", 2, "Not found")
        assert found.origin == f"block …{str(row.anchor.block_id)[-6:]}" and found.place == "nowhere"
        assert "no text is alike enough" in answer.content.decode()


def test_a_count_of_some_of_many_says_so(
    owner: Api, support: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = lost(owner), lost(owner)
    monkeypatch.setattr(front, "MAX_READ", 1)
    monkeypatch.setattr(queue, "MAX_READ", 1)
    assert str(stuck(support)[0].count) == "at least 1"
    assert listed(support) == [newer.pk] and listed(support, q=str(older.anchor_id)) == [older.pk]
    assert "older ones can be searched for" in support.get(QUEUE).content.decode()


def test_the_statements_of_the_list_do_not_grow(
    owner: Api, support: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        lost(owner)
    listed(support)  # once in a session, whether its user has a second factor is asked
    with django_assert_max_num_queries(9):
        assert len(listed(support)) == 3
