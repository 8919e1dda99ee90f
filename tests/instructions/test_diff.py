"""Two versions of a document compared over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api, force
from tests.instructions.documents import make_document


def saved_with(api: Api, document: dict[str, Any], old: str, new: str) -> str:
    """Save the document as its second version with other words; return its path."""
    body = {"base_version": 1, "markdown": document["markdown"].replace(old, new)}
    assert api.put(f"/instructions/{document['id']}", body).status_code == 200
    return f"/instructions/{document['id']}"


def test_two_versions_are_compared_by_lines_and_by_blocks(owner: Api) -> None:
    document = make_document(owner)
    path = saved_with(owner, document, "Click the New button.", "Press New.")
    paragraph = next(block for block in document["blocks"] if block["kind"] == "paragraph")
    answer = owner.get(f"{path}/diff?from=1&to=2")
    assert answer.status_code == 200
    compared = answer.json()
    assert (compared["from"], compared["to"]) == (1, 2)
    assert compared["unified_diff"].startswith("--- version 1\n+++ version 2\n@@ ")
    assert "\n-Click the New button.\n+Press New.\n" in compared["unified_diff"]
    assert f"\n <!-- block:{paragraph['block_id']} -->\n" in compared["unified_diff"]
    assert compared["blocks"] == [{"block_id": paragraph["block_id"], "change": "changed"}]


def test_the_newer_version_may_come_first(owner: Api) -> None:
    path = saved_with(owner, make_document(owner), "Click the New button.", "Press New.")
    compared = owner.get(f"{path}/diff?from=2&to=1").json()
    assert compared["unified_diff"].startswith("--- version 2\n+++ version 1\n@@ ")
    assert "\n-Press New.\n+Click the New button.\n" in compared["unified_diff"]
    assert [block["change"] for block in compared["blocks"]] == ["changed"]


def test_a_version_does_not_differ_from_itself(owner: Api) -> None:
    compared = owner.get(f"/instructions/{make_document(owner)['id']}/diff?from=1&to=1")
    assert compared.json() == {"from": 1, "to": 1, "unified_diff": "", "blocks": []}


@pytest.mark.parametrize("query", ["from=1&to=9", "from=9&to=1", "from=9&to=9", "from=1&to=2147483647"])
def test_a_version_that_is_not_there_is_404(owner: Api, query: str) -> None:
    assert owner.get(f"/instructions/{make_document(owner)['id']}/diff?{query}").status_code == 404


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {"from", "to"}),
        ("from=1", {"to"}),
        ("from=0&to=x", {"from", "to"}),
        ("from=1&to=1.5", {"to"}),
        ("from=1&to=2147483648", {"to"}),
        ("from=1&to=1&odd=1", {"odd"}),
    ],
)
def test_a_bad_query_names_its_fields(owner: Api, query: str, fields: set[str]) -> None:
    answer = owner.get(f"/instructions/{make_document(owner)['id']}/diff?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert {error["field"] for error in answer.json()["details"]["errors"]} == fields


def test_a_stranger_compares_nothing(owner: Api, stranger: Api) -> None:
    path = saved_with(owner, make_document(owner), "New", "Old")
    assert stranger.get(f"{path}/diff?from=1&to=2").status_code == 404


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.DONE])
def test_versions_are_compared_when_the_job_has_ended(owner: Api, status: JobStatus) -> None:
    document = make_document(owner)
    path = saved_with(owner, document, "New", "Old")
    force(Job.objects.get(pk=document["job_id"]), status)
    assert owner.get(f"{path}/diff?from=1&to=2").status_code == 200


def test_comparing_takes_three_statements_and_locks_nothing(
    owner: Api, django_assert_num_queries: Any
) -> None:
    path = saved_with(owner, make_document(owner), "New", "Old")
    with django_assert_num_queries(3) as seen:  # the user, the document, its two versions
        assert owner.get(f"{path}/diff?from=1&to=2").status_code == 200
    statements = [query["sql"] for query in seen.captured_queries]
    assert not any("FOR UPDATE" in statement for statement in statements)
    assert "validation_errors" not in statements[-1] and "model_profile_id" not in statements[-1]
