"""The transcript of a job, in pages and as subtitles."""

from __future__ import annotations

import pytest

from jobs.states import JobStatus
from tests.factories import Api, make_job


def test_the_transcript_is_read_in_pages(owner: Api) -> None:
    job = make_job(JobStatus.TRANSCRIPT_READY, owner=owner.user)
    first = owner.get(f"/jobs/{job.pk}/transcript?limit=1").json()
    second = owner.get(f"/jobs/{job.pk}/transcript?limit=1&cursor={first['next_cursor']}").json()
    assert [first["items"][0]["text"], second["items"][0]["text"]] == [
        "Click the New button.",
        "Type the name.",
    ]
    assert (first["limit"], second["next_cursor"]) == (1, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=odd", "cursor=LTEuNQ", "odd=1"])
def test_a_bad_page_of_the_transcript_is_400(owner: Api, query: str) -> None:
    job = make_job(JobStatus.TRANSCRIPT_READY, owner=owner.user)
    assert owner.get(f"/jobs/{job.pk}/transcript?{query}").status_code == 400


@pytest.mark.parametrize("status", [JobStatus.CREATED, JobStatus.UPLOADED, JobStatus.TRANSCRIBING])
def test_before_there_is_a_transcript_it_is_not_ready(owner: Api, status: JobStatus) -> None:
    job = make_job(status, owner=owner.user)
    for path in ("transcript", "transcript.srt", "transcript.vtt"):
        response = owner.get(f"/jobs/{job.pk}/{path}")
        assert (response.status_code, response.json()["code"]) == (409, "TRANSCRIPT_NOT_READY")


def test_the_transcript_is_given_as_subtitles(owner: Api) -> None:
    job = make_job(JobStatus.TRANSCRIPT_READY, owner=owner.user)
    vtt = owner.get(f"/jobs/{job.pk}/transcript.vtt", accept="text/vtt").content.decode()
    assert vtt.startswith("WEBVTT") and "00:00:02.500 --> 00:00:04.000" in vtt
    assert "00:00:02,500 --> 00:00:04,000" in owner.get(f"/jobs/{job.pk}/transcript.srt").content.decode()
