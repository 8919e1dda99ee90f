"""The steps of a document: where they are in the video, what they rest on, and the anchors in them."""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid6 import uuid7

from instructions.models import Instruction, InstructionVersion, StepSource
from instructions.services.sources import carried_over, evidence_of, write_evidence
from jobs.models import Job
from jobs.states import JobStatus
from tests.errors import assert_shape
from tests.factories import Api, force, make_job, report
from tests.instructions.documents import make_document

DRAFT = {
    "markdown": "# Guide\n\nWelcome.\n\n## Step 1: Click *New*\n\nClick the New button.\n\n### Step 2: Wait\n\n"
    "It opens.\n\n## Step 3: Type the name\n\nType the name.\n",
    "steps": [
        {"heading": "Click New", "start_ms": 100, "end_ms": 2150, "segments": [0, 1]},
        {"heading": "Type the name", "start_ms": 2500, "end_ms": 4000, "needs_review": True},
    ],
}


@pytest.fixture
def drafted(owner: Api) -> dict[str, Any]:
    """The document of DRAFT."""
    job = force(make_job(JobStatus.GENERATING, owner=owner.user), JobStatus.GENERATING)
    report(job, JobStatus.DRAFT_READY, draft=DRAFT)
    found: dict[str, Any] = owner.get(f"/instructions/{Job.objects.get(pk=job.pk).instruction_id}").json()
    return found


def save(owner: Api, document: dict[str, Any], markdown: str) -> dict[str, Any]:
    body = {"base_version": document["version"], "markdown": markdown}
    saved = owner.put(f"/instructions/{document['id']}", body)
    assert saved.status_code == 200, saved.content
    found: dict[str, Any] = saved.json()
    return found


def steps(owner: Api, document: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = owner.get(f"/instructions/{document['id']}/steps{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()
    return found


def block_ids(document: dict[str, Any]) -> list[str]:
    return [block["block_id"] for block in document["blocks"]]


def test_the_steps_of_a_draft_are_listed_in_order(owner: Api, drafted: dict[str, Any]) -> None:
    first, inside, last = steps(owner, drafted)
    blocks = {block["block_id"]: block for block in drafted["blocks"]}
    for step in (first, inside, last):
        block = blocks[step["block_id"]]
        assert step["markdown"] == drafted["markdown"][block["start_offset"] : block["end_offset"]]
        assert (step["title"], step.get("start_ms")) == (block["title"], block.get("start_ms"))
        assert step.keys() - {"start_ms", "end_ms"} == {
            *("block_id", "number", "title", "markdown", "evidence", "anchor_ids", "needs_review")
        }
    assert [(step["number"], step["title"]) for step in (first, inside, last)] == [
        *((1, "Click New"), (2, "Wait"), (3, "Type the name"))
    ]
    assert first["markdown"].startswith("## Step 1: Click *New*\n\n<!-- block:")
    assert first["markdown"].endswith("\nIt opens."), "the steps inside a step are its own"
    assert (first["start_ms"], first["end_ms"], first["needs_review"]) == (100, 2150, False)
    assert first["evidence"] == {"kind": "said", "segments": [0, 1], "frames": []}
    assert "start_ms" not in inside and inside["evidence"] == {"kind": "said", "segments": [], "frames": []}
    assert (last["evidence"]["segments"], last["needs_review"]) == ([1], True)


def test_each_version_has_what_its_steps_rested_on(owner: Api, drafted: dict[str, Any]) -> None:
    before = steps(owner, drafted)
    renamed = drafted["markdown"].replace("Step 3: Type the name", "Step 3: Type your name")
    saved = save(owner, drafted, renamed)
    *others, last = steps(owner, saved)
    assert others == before[:2]
    assert (last["title"], last["start_ms"], last["end_ms"]) == ("Type your name", 2500, 4000)
    assert (last["evidence"], last["needs_review"]) == (
        {"kind": "edited", "segments": [1], "frames": []},
        False,
    )
    assert steps(owner, saved, "?version=1") == before
    assert steps(owner, saved, "?version=2") == [*others, last]
    assert StepSource.objects.filter(version=2).count() == 1, "what stays as it was is not written again"
    older, newer = (evidence_of(version) for version in InstructionVersion.objects.order_by("version"))
    assert (older[last["block_id"]].kind, newer[last["block_id"]].kind) == ("said", "edited")


def test_a_step_is_split_by_the_transcript_that_is_stored(owner: Api, drafted: dict[str, Any]) -> None:
    """Both segments are those of the first step: "Click the New button." and "Type the name."."""
    block_id = block_ids(drafted)[-1]
    typed = f"<!-- block:{block_id} -->\nType the name.\n"
    bare = drafted["markdown"].replace(typed, "").replace("It opens.\n", f"It opens.\n\n## More\n\n{typed}")
    moved = bare.replace("## More\n\n", "").replace("### Step 2: Wait\n", "")
    joined = save(owner, drafted, moved)
    assert steps(owner, joined)[0]["evidence"]["segments"] == [0, 1]
    cut = joined["markdown"].replace(f"<!-- block:{block_id}", f"## Step 2: Type\n\n<!-- block:{block_id}")
    first, second, _ = steps(owner, save(owner, joined, cut))
    assert (first["evidence"]["segments"], first["start_ms"], first["end_ms"]) == ([0], 100, 2000)
    assert (second["evidence"]["segments"], second["start_ms"], second["end_ms"]) == ([1], 2500, 4000)


def test_frames_that_a_step_rests_on_are_shown(owner: Api, drafted: dict[str, Any]) -> None:
    step_id, frame = steps(owner, drafted)[1]["block_id"], {"pts": 90, "frame_sha256": "ab" * 32}
    saved = save(owner, drafted, drafted["markdown"].replace("Welcome.", "Hello."))
    StepSource.objects.create(
        instruction_id=drafted["id"], version=2, block_id=step_id, kind="shown", frames=[frame]
    )
    assert steps(owner, saved)[1]["evidence"] == {"kind": "shown", "segments": [], "frames": [frame]}
    assert steps(owner, saved, "?version=1")[1]["evidence"]["frames"] == []


def test_rows_that_others_wrote_meanwhile_are_read_before_new_ones(
    owner: Api, drafted: dict[str, Any]
) -> None:
    first = InstructionVersion.objects.get()
    edited = drafted["markdown"].replace("Type the name.", "Type your name.")
    carried = carried_over(first, first.markdown, first.read_blocks())
    save(owner, drafted, edited)
    instruction = Instruction.objects.get()
    instruction.version = 3
    write_evidence(instruction, carried)
    assert [(row.version, row.kind) for row in StepSource.objects.order_by("version") if row.version > 1] == [
        (2, "edited"),
        (3, "said"),
    ]


def test_a_version_from_before_the_rows_has_the_times_of_its_headings(owner: Api) -> None:
    document = make_document(owner)
    with pgtrigger.ignore("instructions.StepSource:step_source_immutable"):
        StepSource.objects.all().delete()
    version = InstructionVersion.objects.get()
    older = [{name: value for name, value in block.items() if name != "number"} for block in version.blocks]
    with pgtrigger.ignore("instructions.InstructionVersion:version_immutable"):
        InstructionVersion.objects.update(blocks=older)
    shown = [(step["number"], step["start_ms"], step["end_ms"]) for step in steps(owner, document)]
    assert shown == [(1, 0, 2000), (2, 2000, 4000)]
    renamed = document["markdown"].replace("Click New (0:00–0:02)", "Start")
    saved = save(owner, document, renamed)
    assert [step.get("end_ms") for step in steps(owner, saved)] == [2000, 4000]
    assert [step["evidence"]["kind"] for step in steps(owner, saved)] == ["edited", "edited"]


def put_anchor(owner: Api, document: dict[str, Any], **address: Any) -> str:
    body = {
        "instruction_version_id": document["instruction_version_id"],
        "addressing": {"address_type": next(iter(address)), **address},
    }
    made = owner.post(f"/instructions/{document['id']}/anchors", body)
    assert made.status_code == 201, made.content
    anchor_id: str = made.json()["id"]
    return anchor_id


def put_range(owner: Api, document: dict[str, Any], words: str) -> str:
    start = document["markdown"].index(words)
    return put_anchor(owner, document, char_range={"start_offset": start, "end_offset": start + len(words)})


def anchors(owner: Api, document: dict[str, Any], query: str = "") -> list[list[str]]:
    return [step["anchor_ids"] for step in steps(owner, document, query)]


def test_anchors_stand_in_the_innermost_step_of_their_place(owner: Api, drafted: dict[str, Any]) -> None:
    _, welcome, new, click, wait, opens, _, _ = block_ids(drafted)
    on = {block_id: put_anchor(owner, drafted, block_id=block_id) for block_id in (welcome, click, opens)}
    in_text, title = (put_range(owner, drafted, words) for words in ("the New button", "Wait"))
    put_range(owner, drafted, "Welcome")
    assert anchors(owner, drafted) == [[on[click], in_text], [on[opens], title], []]
    moved = drafted["markdown"].replace("### Step 2: Wait\n", "Wait\n")
    saved = save(owner, drafted, moved)
    assert anchors(owner, saved) == [[on[click], on[opens]], []], "ranges are not looked for yet"
    assert anchors(owner, saved, "?version=1") == [[on[click], in_text], [on[opens], title], []]
    target = f"target_instruction_version_id={saved['instruction_version_id']}"
    for anchor_id in (in_text, title):
        assert owner.get(f"/anchors/{anchor_id}?{target}").json()["resolution"]["resolution_state"]
    assert anchors(owner, saved) == [[on[click], on[opens], in_text, title], []]


def test_an_anchor_of_a_merged_step_stands_in_the_one_it_went_into(
    owner: Api, drafted: dict[str, Any]
) -> None:
    first, _, last = (step["block_id"] for step in steps(owner, drafted))
    assert steps(owner, drafted)[2]["markdown"].lower().count("type the name") == 2, "its body says its title"
    on = put_anchor(owner, drafted, block_id=last)
    merge = {"op": "merge_steps", "block_ids": [first, last]}
    merged = owner.post(
        f"/instructions/{drafted['id']}/edits", {"base_version": 1, "operations": [merge]}
    ).json()
    assert [step["anchor_ids"] for step in steps(owner, merged)] == [[], [on]], (
        "below the step inside the first"
    )
    target = f"target_instruction_version_id={merged['instruction_version_id']}"
    assert owner.get(f"/anchors/{on}?{target}").json()["resolution"]["resolution_state"] == "retain"


def test_an_anchor_whose_block_is_gone_stands_where_it_was_found(owner: Api, drafted: dict[str, Any]) -> None:
    last = block_ids(drafted)[-1]
    anchor_id = put_anchor(owner, drafted, block_id=last)
    again = drafted["markdown"].replace(f"<!-- block:{last} -->\n", "")
    saved = save(owner, drafted, again)
    lost = save(
        owner, saved, saved["markdown"].replace("Type the name.", "Something else entirely, far off.")
    )
    assert anchors(owner, saved) == anchors(owner, lost) == [[], [], []], "nothing was looked for yet"
    for document in (saved, lost):
        target = f"target_instruction_version_id={document['instruction_version_id']}"
        assert owner.get(f"/anchors/{anchor_id}?{target}").status_code == 200
    assert anchors(owner, saved, "?version=2") == [[], [], [anchor_id]]
    assert anchors(owner, lost) == [[], [], []], "it is unresolved"


@pytest.mark.parametrize("path", ["", "/steps"])
def test_reading_a_document_costs_two_statements(
    owner: Api, drafted: dict[str, Any], path: str, django_assert_num_queries: Any
) -> None:
    put_range(owner, drafted, "New")
    for query in ("", "?version=1"):
        with django_assert_num_queries(2):  # the user, and all the rest
            assert owner.get(f"/instructions/{drafted['id']}{path}{query}").status_code == 200


@pytest.mark.parametrize("path", ["", "/steps"])
def test_what_is_not_there_is_the_same_404_at_the_same_cost(
    owner: Api, stranger: Api, drafted: dict[str, Any], path: str
) -> None:
    asked = [
        (stranger, drafted["id"], ""),
        (stranger, drafted["id"], "?version=1"),
        (owner, uuid7(), ""),
        (owner, "nonsense", ""),
        (owner, drafted["id"].upper(), ""),
        (owner, drafted["id"], "?version=2"),
        (owner, drafted["id"], "?version=2147483647"),
    ]
    bodies = set()
    for api, instruction_id, query in asked:
        api.get("/projects")  # the user's row is there
        with CaptureQueriesContext(connection) as seen:
            answer = api.get(f"/instructions/{instruction_id}{path}{query}")
        body = assert_shape(answer, 404, "RESOURCE_NOT_FOUND")
        bodies.add(str({name: value for name, value in body.items() if name != "request_id"}))
        assert len(seen) == 2, [query["sql"] for query in seen]
    assert len(bodies) == 1


@pytest.mark.parametrize("query", ["version=0", "version=x", "version=2147483648", "odd=1", "limit=1"])
def test_a_bad_query_names_its_field(owner: Api, drafted: dict[str, Any], query: str) -> None:
    answer = owner.get(f"/instructions/{drafted['id']}/steps?{query}")
    [error] = assert_shape(answer, 400, "VALIDATION_ERROR")["details"]["errors"]
    assert error["field"] == query.partition("=")[0]


@pytest.mark.parametrize("status", [JobStatus.EDITING, JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED])
def test_steps_are_read_whatever_became_of_the_job(owner: Api, status: JobStatus) -> None:
    assert len(steps(owner, make_document(owner, status))) == 2
