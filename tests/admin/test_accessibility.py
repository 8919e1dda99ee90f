"""axe-core finds nothing serious on any page, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from config.accounts.models import User
from jobs.models import Job
from jobs.states import JobStatus
from tests.admin import rows
from tests.factories import force, make_job
from tests.web.browser import NEEDS_CHROMIUM, Visit, chromium

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM, pytest.mark.django_db(transaction=True)]
SERIOUS = ("serious", "critical")
# What Django's own scripts make on pages that are a superuser's, by rule and how the element begins.
KNOWN = (
    # The picture of a magnifying glass in a choice of groups or permissions; the field beside it has a label.
    ("aria-prohibited-attr", '<span class="help-tooltip search-label-icon"'),
    # The choice of the user of a new token, which has a name when one is chosen; the label stands above it.
    ("aria-input-field-name", '<span class="select2-selection'),
)
axe = Axe()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def pages_of_owners(job: Job) -> list[str]:
    failed = force(make_job(JobStatus.EDITING, owner=job.owner), JobStatus.FAILED)
    pages = ["/", "/jobs", "/jobs?state=done", f"/jobs/{job.pk}", f"/jobs/{job.pk}/cancel", "/jobs/odd"]
    return [*pages, f"/jobs/{failed.pk}", f"/jobs/{failed.pk}/retry"]


def pages_of_staff(job: Job) -> Iterator[str]:
    yield from (
        "/admin/",
        "/admin/jobs/",
        "/admin/nowhere/",
        "/admin/jobs/job/add/",
        "/admin/password_change/",
    )
    for model in rows.MODELS:
        path = rows.list_path(model)
        yield from (path, f"{path}{rows.newest(model).pk}/change/")
    yield from ("/admin/accounts/apitoken/add/", "/admin/jobs/job/?q=nobody")
    yield from (
        f"/admin/jobs/job/{job.pk}/{page}/" for page in ("history", "do/cancel", "do/fail", "do/read")
    )


def is_known(rule: str, html: str) -> bool:
    return any(rule == known and html.startswith(beginning) for known, beginning in KNOWN)


def findings(visit: Visit, path: str) -> list[str]:
    """Return what axe-core finds that is serious, a line a place."""
    visit.page.goto(path)
    return [
        f"{path}: {each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in axe.run(visit.page).response["violations"]
        for node in each["nodes"]
        if each["impact"] in SERIOUS and not is_known(each["id"], node["html"])
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_has_a_serious_finding(
    browser: Browser, live_server: Any, settings: Any, theme: str, width: int
) -> None:
    settings.PUBLIC_URL = live_server.url
    job = rows.make_rows(2)
    found = []
    visit = Visit(browser, live_server.url, color_scheme=theme, viewport={"width": width, "height": 900})
    for path in ("/admin/login/", "/sign-in"):
        found += findings(visit, path)
    visit.sign_in(job.owner)
    for path in pages_of_owners(job):
        found += findings(visit, path)
    visit.enter(User.objects.create_superuser("admin"))
    for path in pages_of_staff(job):
        found += findings(visit, path)
    assert not found, "\n".join(found)
