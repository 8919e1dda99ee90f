"""What owners see of their jobs at `/jobs`, and what they can do there."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.staticfiles import finders

from exports.models import Export
from exports.web import words
from jobs.models import AuditEvent, Job, PipelineRun
from jobs.services.audit import by_editor
from jobs.services.jobs import cancel_job, fail_job
from jobs.states import JobStatus
from tests.factories import force, make_export, make_job, make_many_jobs, make_project, make_run, make_user
from tests.web.reader import Reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> Reader:
    return Reader(make_user())


def rows(page: str) -> list[str]:
    """Return the ids of the jobs that a page lists."""
    return re.findall(r'id="job-([0-9a-f-]{36})"', page)


def test_every_state_has_words_a_group_and_a_place() -> None:
    assert set(words.STATES) == set(JobStatus)
    grouped = [status for group in words.GROUPS if group for status in words.statuses_of(group)]
    assert sorted(grouped) == sorted(JobStatus)
    assert set(words.FORMATS) == set(Export.Format.values)
    assert set(words.EXPORTS) == {"REQUESTED", "RUNNING", "SUCCEEDED", "FAILED"}
    assert {over for _, over in words.STEPS} <= set(words.ROAD)


def test_the_list_shows_title_project_state_and_short_id(reader: Reader) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user(), title="Make an <invoice>")
    page = reader.page("/jobs")
    assert "Make an &lt;invoice&gt;" in page and "Transcribing" in page and "Project" in page
    assert f">{str(job.pk)[-8:]}<" in page and "for under a minute" in page


def test_an_empty_list_says_how_to_begin(reader: Reader) -> None:
    assert "POST /api/v1/projects" in reader.page("/jobs")
    page = reader.page("/jobs?state=failed")
    assert "“Failed”" in page and 'href="/jobs"' in page


@pytest.mark.parametrize("group", [name for name in words.GROUPS if name])
def test_a_filter_leaves_the_jobs_of_its_states(reader: Reader, group: str) -> None:
    jobs = {str(force(make_job(owner=make_user()), status).pk): status for status in JobStatus}
    shown = rows(reader.page(f"/jobs?state={group}"))
    assert sorted(jobs[pk] for pk in shown) == sorted(words.statuses_of(group))


def test_an_unknown_filter_or_place_is_a_page_that_says_so(reader: Reader) -> None:
    answer = reader.get("/jobs?state=odd")
    assert answer.status_code == 400 and answer.content.startswith(b"<!doctype html>")
    assert rows(reader.page("/jobs?before=odd")) == []


def test_pages_go_from_the_newest_to_the_oldest_and_keep_the_filter(reader: Reader) -> None:
    make_many_jobs(make_project(make_user()), 60)
    seen, url = [], "/jobs?state=waiting"
    for number in (25, 25, 10):
        page = reader.page(url)
        assert len(rows(page)) == number and ("Newest" in page) == ("before=" in url)
        seen += rows(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        url = following[1].replace("&amp;", "&") if following else ""
    assert url == "" and seen == sorted(seen, reverse=True) and len(set(seen)) == 60


def test_another_owners_jobs_are_in_no_page(reader: Reader) -> None:
    job = force(make_job(JobStatus.EDITING, owner=make_user("stranger"), title="Secret plan"), JobStatus.DONE)
    export = make_export(job, status="SUCCEEDED")
    assert rows(reader.page("/jobs")) == []
    mine, other = (make_job(JobStatus.EDITING, owner=make_user()) for _ in range(2))
    own = make_export(mine, status="SUCCEEDED")
    paths = [f"/jobs/{job.pk}{part}" for part in ("", "/now", "/cancel", "/retry", f"/exports/{export.pk}")]
    paths += [f"/jobs/{uuid4()}", "/jobs/odd", f"/jobs/{mine.pk}/exports/odd", f"/jobs/odd/exports/{own.pk}"]
    for path in (*paths, f"/jobs/{mine.pk}/exports/{export.pk}", f"/jobs/{other.pk}/exports/{own.pk}"):
        answer = reader.get(path)
        page = re.sub(r"<code>[0-9a-f-]{36}</code>|value=\"[^\"]+\"", "", answer.content.decode())
        assert answer.status_code == 404 and "There is no such page" in page and "Secret" not in page, path
        assert "Sign out" in page
    failed = failed_job("stranger")
    for path, status in ((f"/jobs/{job.pk}/cancel", "DONE"), (f"/jobs/{failed.pk}/retry", "FAILED")):
        answer = reader.send(path, form_of="/jobs", revision=str(failed.revision))
        assert answer.status_code == 404 and Job.objects.get(pk=path.split("/")[2]).status == status


def test_progress_counts_the_stages_and_the_part_of_the_one_that_works(reader: Reader) -> None:
    run = make_run(owner=make_user(), status="RUNNING", progress_pct=50)
    assert 'value="16" max="100"' in reader.page("/jobs")
    force(run.job, JobStatus.TRANSCRIBING)
    assert 'value="50" max="100"' in reader.page("/jobs")
    force(run.job, JobStatus.TRANSCRIPT_READY)
    assert 'value="66" max="100"' in reader.page(f"/jobs/{run.job_id}")
    force(run.job, JobStatus.EDITING)
    assert "<progress" not in reader.page("/jobs")


def test_a_job_that_waits_says_its_place_in_the_queue(reader: Reader) -> None:
    make_run(owner=make_user())
    run = make_run(owner=make_user())
    assert "place 1 in the queue" in reader.page("/jobs")
    page = reader.page(f"/jobs/{run.job_id}")
    assert "place 2 in the queue" in page and "In the queue" in page and "<progress" not in page


def failed_job(owner: str = "owner") -> Job:
    job = make_job(JobStatus.EDITING, owner=make_user(owner))
    return fail_job(job_id=job.pk, by=by_editor(make_user(owner)))


def test_a_failure_is_told_with_its_code_and_what_to_do(reader: Reader) -> None:
    job = failed_job()
    for path in ("/jobs", f"/jobs/{job.pk}"):
        page = reader.page(path)
        assert "FAILED_BY_SUPPORT" in page and "Support has ended this job." in page
    assert f"POST /api/v1/jobs/{job.pk}/retry" in page and job.failure["correlation_id"] in page
    assert re.findall(r'<li class="(\w+)">', page) == ["done"] * 5 + ["failed"]


@pytest.mark.parametrize(
    ("status", "states"),
    [
        (JobStatus.CREATED, "now later later later later later"),
        (JobStatus.TRANSCRIBING, "done done now later later later"),
        (JobStatus.DRAFT_READY, "done done done done now later"),
        (JobStatus.DONE, "done done done done done done"),
    ],
)
def test_the_steps_say_what_is_behind_and_what_comes(reader: Reader, status: JobStatus, states: str) -> None:
    job = make_job(status, owner=make_user())
    page = reader.page(f"/jobs/{job.pk}")
    assert re.findall(r'<li class="(\w+)">', page) == states.split()
    assert ("under way" in page, ">next" in page) == (
        status == JobStatus.TRANSCRIBING,
        "now" in states and status != JobStatus.TRANSCRIBING,
    )
    done = AuditEvent.objects.filter(job=job, new_status=JobStatus.AUDIO_READY).first()
    assert done is None or f'datetime="{done.occurred_at:%Y-%m-%dT%H:%M}' in page


def test_a_cancelled_job_shows_where_it_ended(reader: Reader) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user())
    cancel_job(job_id=job.pk, by=by_editor(make_user()))
    page = reader.page(f"/jobs/{job.pk}")
    assert re.findall(r'<li class="(\w+)">', page) == ["done", "done", "stopped", "later", "later", "later"]


def test_cancelling_asks_first_and_then_does_it(reader: Reader) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user())
    address = f"/jobs/{job.pk}/cancel"
    assert f'href="{address}"' in reader.page(f"/jobs/{job.pk}")
    assert "Cancel this job?" in reader.page(address)
    assert Job.objects.get(pk=job.pk).status == JobStatus.TRANSCRIBING
    answer = reader.send(address, form_of=address)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/jobs/{job.pk}")
    assert Job.objects.get(pk=job.pk).status == JobStatus.CANCELLED
    event = AuditEvent.objects.filter(job=job).latest("pk")
    assert (event.event_type, event.actor_id) == ("JOB_CANCELLED", str(job.owner_id))


def test_a_job_that_is_over_cannot_be_cancelled_and_says_so(reader: Reader) -> None:
    job = force(make_job(JobStatus.EDITING, owner=make_user()), JobStatus.DONE)
    address = f"/jobs/{job.pk}/cancel"
    assert f'href="{address}"' not in reader.page(f"/jobs/{job.pk}")
    assert "This job is over" in reader.page(address)
    answer = reader.send(address, form_of="/jobs")
    assert answer.status_code == 409 and "This cannot be done now" in answer.content.decode()


def test_a_cancel_without_the_forms_token_is_refused(reader: Reader) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user())
    assert reader.client.post(f"/jobs/{job.pk}/cancel").status_code == 403
    assert Job.objects.get(pk=job.pk).status == JobStatus.TRANSCRIBING


def test_a_download_leads_to_a_fresh_signed_url(reader: Reader, settings: Any) -> None:
    job = force(make_job(JobStatus.EDITING, owner=make_user()), JobStatus.DONE)
    export = make_export(job, status="SUCCEEDED")
    page = reader.page(f"/jobs/{job.pk}")
    address = f"/jobs/{job.pk}/exports/{export.pk}"
    assert f'href="{address}"' in page and "/files/" not in page and "18 bytes" in page.replace("\xa0", " ")
    answer = reader.get(address)
    assert answer.status_code == 302 and answer.headers["Cache-Control"] == "private, no-store"
    file = reader.get(answer.headers["Location"].removeprefix(settings.PUBLIC_URL))
    assert b"".join(file.streaming_content) == b"stands for a guide"
    assert 'filename="guide.pdf"' in file.headers["Content-Disposition"]


def test_an_export_without_a_file_says_so(reader: Reader) -> None:
    job = make_job(JobStatus.EDITING, owner=make_user())
    export = make_export(job)
    assert "In the queue" in reader.page(f"/jobs/{job.pk}")
    answer = reader.get(f"/jobs/{job.pk}/exports/{export.pk}")
    assert answer.status_code == 409 and "no file yet" in answer.content.decode()
    Export.objects.filter(pk=export.pk).update(
        status="FAILED", failure_code="TIME_LIMIT_EXCEEDED", failure_message="It took too long."
    )
    assert "It took too long." in reader.page(f"/jobs/{job.pk}")


@pytest.mark.parametrize("path", ["/jobs", "/jobs/{}"])
def test_only_what_changes_by_itself_is_asked_for_again(reader: Reader, path: str) -> None:
    job = force(make_job(JobStatus.EDITING, owner=make_user()), JobStatus.TRANSCRIBING)
    path = path.format(job.pk)
    assert 'hx-trigger="every 5s"' in reader.page(path)
    force(job, JobStatus.EDITING)
    assert "hx-" not in reader.page(path)
    make_export(job)
    assert ("hx-" in reader.page(path)) == (path != "/jobs"), (
        "an export that waits is watched on its job's page"
    )


@pytest.mark.parametrize("path", ["/jobs/rows", "/jobs/{}/now"])
def test_what_has_not_changed_is_a_304(reader: Reader, path: str) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user())
    path = path.format(job.pk)
    first = reader.get(path)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache" and "csrf" not in first.content.decode()
    again = reader.get(path, if_none_match=etag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    force(job, JobStatus.TRANSCRIPT_READY)
    later = reader.get(path, if_none_match=etag)
    assert later.status_code == 200 and later.headers["ETag"] != etag


def test_the_part_is_what_the_page_has_of_it(reader: Reader) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user())
    for path, part in (
        ("/jobs?state=running", "/jobs/rows?state=running"),
        (f"/jobs/{job.pk}", f"/jobs/{job.pk}/now"),
    ):
        assert reader.get(part).content.decode() in reader.page(path)
        assert f'hx-get="{part}"' in reader.page(path)


def fill(number: int) -> Job:
    for _ in range(number):
        PipelineRun.objects.filter(pk=make_run(owner=make_user()).pk).update(status="RUNNING")
        job = make_job(JobStatus.EDITING, owner=make_user())
        make_export(job)
    return job


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/jobs", 5),
        ("/jobs/rows", 5),
        ("/jobs/{}", 7),
        ("/jobs/{}/now", 7),
        ("/jobs/{}/cancel", 5),
        ("/jobs/{}/retry", 5),
    ],
)
def test_a_page_asks_the_database_as_often_for_many_as_for_one(
    reader: Reader, path: str, queries: int, django_assert_num_queries: Any
) -> None:
    for number in (1, 4):
        job = fill(number)
        with django_assert_num_queries(queries):
            assert reader.get(path.format(job.pk)).status_code == 200


def every_page(reader: Reader) -> list[str]:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user())
    failed = f"/jobs/{failed_job().pk}"
    paths = (
        *("/jobs", f"/jobs/{job.pk}", f"/jobs/{job.pk}/cancel", "/jobs/odd", "/sign-in"),
        *(failed, f"{failed}/retry"),
    )
    return [reader.get(path).content.decode() for path in paths]


def test_no_page_holds_a_script_or_style_that_its_policy_forbids(reader: Reader) -> None:
    for page in every_page(reader):
        assert not re.search(r"<style|\sstyle=|\son\w+=", page)
        assert all(re.search(r'\bsrc="/static/', tag) for tag in re.findall(r"<script\b([^>]*)>", page))
        loaded = re.findall(r'(?:src|link[^>]*href)="/static/([^"]+)"', page)
        assert len(loaded) >= 3 and all(finders.find(name) for name in loaded)


def test_every_page_has_its_policy_a_title_and_one_heading(reader: Reader) -> None:
    for path in ("/jobs", "/jobs/odd", "/sign-in", "/jobs/rows"):
        policy = reader.get(path).headers["Content-Security-Policy"]
        assert "script-src 'self'; style-src 'self';" in policy and "unsafe" not in policy
    for page in every_page(reader):
        assert page.count("<h1>") == 1 and re.search(r"<title>[^<]+ · Stepwright</title>", page)
        assert '<html lang="en">' in page and page.count("<main") == 1


def test_pages_are_not_kept_by_the_browser(reader: Reader) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user())
    for path in ("/jobs", f"/jobs/{job.pk}", f"/jobs/{job.pk}/cancel", "/jobs/odd", "/sign-in"):
        assert reader.get(path).headers["Cache-Control"] == "private, no-store"
