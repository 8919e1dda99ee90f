"""Lists of the admin: pages by key in both directions, counts to a limit, searches by id and by text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from config.accounts.models import User
from config.admin import lists as admin
from jobs.models import Job, Project
from jobs.states import JobStatus
from tests.factories import make_job, make_many_jobs, make_project, make_user

JOBS = "/admin/jobs/job/"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def project(db: None) -> Project:
    """With 250 jobs, which are three pages."""
    project = make_project()
    make_many_jobs(project, 250)
    return project


def shown(answer: Any) -> list[str]:
    return [str(job.pk) for job in answer.context["cl"].result_list]


def links(answer: Any) -> dict[str, str]:
    """The pager's links by their words."""
    pager = re.search(r'<nav[^>]*aria-label="Pages">(.*?)</nav>', answer.content.decode(), re.DOTALL)
    found = re.findall(r'<a href="([^"]*)"[^>]*>(\w+)</a>', pager.group(1) if pager else "")
    return {word: url.replace("&amp;", "&") for url, word in found}


def walk(staff: Client, first: str, word: str) -> list[list[str]]:
    pages, url = [], first
    while True:
        answer = staff.get(JOBS + url)
        pages.append(shown(answer))
        if not (url := links(answer).get(word, "")):
            return pages


def test_pages_lead_from_the_newest_to_the_oldest_and_back(staff: Client, project: Project) -> None:
    newest_first = [str(pk) for pk in Job.objects.order_by("-pk").values_list("pk", flat=True)]
    pages = walk(staff, "", "Next")
    assert [len(page) for page in pages] == [100, 100, 50] and sum(pages, []) == newest_first
    back = walk(staff, "?p=last", "Previous")
    assert [len(page) for page in back] == [100, 100, 50] and sum(reversed(back), []) == newest_first


def test_the_first_and_the_last_page_lead_nowhere_further(staff: Client, project: Project) -> None:
    assert {*links(staff.get(JOBS))} == {"Next", "Last"}
    assert {*links(staff.get(f"{JOBS}?p=last"))} == {"First", "Previous"}
    middle = staff.get(JOBS + links(staff.get(JOBS))["Next"])
    assert {*links(middle)} == {"First", "Previous", "Next", "Last"}


def test_a_list_of_one_page_has_no_pager(staff: Client) -> None:
    make_job()
    page = staff.get(JOBS).content.decode()
    assert 'aria-label="Pages"' not in page and "1\n        job" in page


def test_filters_stay_from_page_to_page(staff: Client, project: Project) -> None:
    make_many_jobs(project, 150, JobStatus.DONE)
    pages = walk(staff, "?status__exact=CREATED", "Next")
    assert [len(page) for page in pages] == [100, 100, 50]


@pytest.mark.parametrize("cursor", ["2", "x", "-", "-x"])
def test_a_page_that_is_none_leads_to_the_first(staff: Client, project: Project, cursor: str) -> None:
    assert staff.get(f"{JOBS}?p={cursor}").headers["Location"] == f"{JOBS}?e=1"


def test_a_page_whose_rows_are_gone_leads_on(staff: Client, project: Project) -> None:
    oldest = Job.objects.earliest("pk")
    assert {*links(staff.get(f"{JOBS}?p={oldest.pk}"))} == {"First"}


def test_counts_are_exact_to_a_limit_and_then_say_that_they_are_not(
    staff: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counted(staff.get(JOBS)) == "250"
    monkeypatch.setattr(admin, "MAX_COUNTED", 200)
    monkeypatch.setattr(admin, "estimated_rows", lambda model: 12_345)
    assert counted(staff.get(JOBS)) == "about 12,300"
    assert counted(staff.get(f"{JOBS}?status__exact=CREATED")) == "more than 200"
    monkeypatch.setattr(admin, "estimated_rows", lambda model: -1)
    assert counted(staff.get(JOBS)) == "more than 200"


def counted(answer: Any) -> str:
    found = re.search(r"<span>\s*((?:about |more than )?[\d,]+)\s+jobs?\s*</span>", answer.content.decode())
    assert found
    return found.group(1)


def test_an_id_is_searched_for_in_each_column_of_ids(staff: Client) -> None:
    job, other = make_job(owner=make_user("a")), make_job(owner=make_user("b"))
    for term in (job.pk, job.project_id, job.owner_id, f" {job.pk} ", str(job.pk).upper()):
        assert shown(staff.get(JOBS, {"q": str(term)})) == [str(job.pk)]
    for term in ("odd", make_project().pk):
        assert shown(staff.get(JOBS, {"q": str(term)})) == []
    assert len(shown(staff.get(JOBS, {"q": " "}))) == 2 and other


def test_a_name_is_searched_for_by_how_it_begins(staff: Client) -> None:
    mine = make_project(name="100% Guides")
    make_project(name="Other")
    for term, found in (("100% g", [str(mine.pk)]), ("guides", []), ("1__", [])):
        assert shown(staff.get("/admin/jobs/project/", {"q": term})) == found


@pytest.mark.parametrize("term", ["sub", "00000000-0000-4000-8000-000000000001"])
def test_a_user_is_found_by_subject_that_may_look_like_an_id(staff: Client, term: str) -> None:
    user = make_user("subject" if term == "sub" else term)
    assert shown(staff.get("/admin/accounts/user/", {"q": term})) == [str(user.pk)]
