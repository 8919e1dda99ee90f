"""A document as it is read, in its newest version or another."""

from __future__ import annotations

import pytest

from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api, force, report
from tests.instructions.documents import make_document


def test_a_draft_is_read_with_its_blocks_and_times(owner: Api) -> None:
    document = make_document(owner)
    assert (document["version"], document["id"]) == (1, document["instruction_id"])
    steps = [block for block in document["blocks"] if block["kind"] == "step"]
    assert [(step["title"], step["start_ms"], step["end_ms"]) for step in steps] == [
        ("Click New", 0, 2000),
        ("Type the name", 2000, 4000),
    ]
    for block in document["blocks"]:
        marker = f"<!-- block:{block['block_id']} -->\n"
        assert document["markdown"][: block["start_offset"]].endswith(marker)


@pytest.mark.parametrize("query", ["version=9", "version=2147483647"])
def test_a_version_that_is_not_there_is_404(owner: Api, query: str) -> None:
    assert owner.get(f"/instructions/{make_document(owner)['id']}?{query}").status_code == 404


def test_a_second_draft_is_the_next_version(owner: Api) -> None:
    document = make_document(owner)
    job = force(Job.objects.get(pk=document["job_id"]), JobStatus.GENERATING)
    report(job, JobStatus.DRAFT_READY, draft={"markdown": "# Again\n"})
    assert owner.get(f"/instructions/{document['id']}").json()["version"] == 2
