"""What browsers are told about our pages, and that no request's Host gets into an answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from config.accounts.models import User
from config.web.headers import NOTHING, OURS, POLICIES, WORKSPACE
from jobs.states import JobStatus
from tests.factories import Api, make_job, make_project

EVIL = "evil.example"


def policy(answer: Any) -> dict[str, str]:
    parts = (part.partition(" ") for part in answer.headers["Content-Security-Policy"].split("; "))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/api/docs"])
def test_a_page_loads_its_own_scripts_and_no_other(db: None, path: str) -> None:
    told = policy(Client().get(path))
    assert told["default-src"] == told["base-uri"] == told["frame-ancestors"] == "'none'"
    assert told["script-src"].replace(" 'unsafe-eval'", "") == "'self'"
    assert "'unsafe-eval'" not in told["script-src"] or path.startswith("/admin/")
    assert all("http" not in value and "*" not in value for value in told.values())


def test_only_the_admin_may_evaluate_text_as_script() -> None:
    """Its Alpine needs that: unfold has no other build of it."""
    assert {start for start, told in POLICIES.items() if "unsafe-eval" in told} == {"/admin/"}
    assert "unsafe-eval" not in NOTHING + WORKSPACE + OURS


@pytest.mark.parametrize("path", ["/admin/", "/admin/jobs/job/", "/admin/accounts/user/add/", "/api/docs"])
def test_no_page_holds_a_script_that_its_policy_forbids(db: None, path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get(path).content.decode()
    scripts = re.findall(r"<script\b([^>]*)>", page)
    assert scripts and all(re.search(r'\bsrc="/', attributes) for attributes in scripts)
    assert not re.search(r'<[a-z][^>]*\son[a-z]+="', page)


@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v1/openapi.json", "/healthz", "/nothing"])
def test_whatever_is_no_page_may_do_nothing_in_a_browser(db: None, path: str) -> None:
    assert set(policy(Client().get(path)).values()) == {"'none'"}


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/api/docs", "/api/v1/projects", "/healthz"])
def test_every_answer_is_taken_as_what_it_says_it_is(db: None, path: str) -> None:
    headers = Client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("is_https", [True, False])
def test_https_is_told_to_last_where_the_public_url_has_it(db: None, settings: Any, is_https: bool) -> None:
    settings.IS_HTTPS = is_https
    told = Client().get("/healthz").headers.get("Strict-Transport-Security")
    assert told == ("max-age=31536000" if is_https else None)


@pytest.mark.parametrize("path", ["/admin/", "/admin/password_change/", "/admin/jobs/job/"])
def test_the_way_to_the_sign_in_page_names_no_host(db: None, path: str) -> None:
    answer = Client().get(
        path, headers={"host": EVIL, "x-forwarded-host": EVIL, "x-forwarded-proto": "https"}
    )
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/admin/login/?next=/admin/")


@pytest.mark.parametrize("target", [f"//{EVIL}/", f"https://{EVIL}/", "javascript:alert(1)"])
def test_sign_in_leads_to_our_own_pages_only(db: None, target: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    answer = client.get("/admin/login/", {"next": target}, headers={"host": EVIL})
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/admin/")


def test_a_host_header_gets_into_no_answer_of_the_api(owner: Api) -> None:
    hosts = {"host": EVIL, "x_forwarded_host": EVIL, "forwarded": f"host={EVIL}"}
    for _ in range(2):
        project = make_project(owner.user)
    upload = {"filename": "a.mp4", "mime_type": "video/mp4", "size_bytes": 10}
    created = owner.post(f"/projects/{project.pk}/jobs", {}, **hosts)
    running = make_job(JobStatus.UPLOADED, owner=owner.user)
    answers = [
        owner.get("/projects?limit=1", **hosts),
        created,
        owner.post(f"/jobs/{created.json()['id']}/upload", upload, **hosts),
        owner.post(f"/jobs/{running.pk}/run", {}, **hosts),
        owner.get(f"/jobs/{running.pk}", **hosts),
        owner.post(f"/jobs/{running.pk}/cancel", **hosts),
        owner.call("DELETE", f"/jobs/{running.pk}", **hosts),
        owner.get("/api/v1/openapi.json", **hosts),
        owner.get("/api/docs", **hosts),
        Client().get("/", headers={"host": EVIL, "accept": "text/html"}),
        owner.get("/jobs/unknown", **hosts),
    ]
    assert [answer.status_code for answer in answers] == [
        200,
        201,
        201,
        202,
        200,
        200,
        202,
        200,
        200,
        200,
        404,
    ]
    for answer in answers:
        assert EVIL not in f"{answer.headers}{answer.content.decode()}"
