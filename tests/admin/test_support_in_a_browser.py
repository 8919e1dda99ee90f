"""A member of the group `support` at work in Chromium: finds a failed job, mends it, and looks at what it left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from playwright.sync_api import Browser, Page, expect

from anchors.models import Asset
from anchors.services.resolutions import resolve_anchors
from config.accounts.models import User
from exports.models import Export
from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import SECRET, send
from tests.desk import BLUR, Desk
from tests.exports.asking import done
from tests.factories import Api, make_anchor, make_asset, make_job, make_video
from tests.served import ROOT
from tests.web.browser import NEEDS_CHROMIUM, Visit, chromium

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM, pytest.mark.django_db(transaction=True)]
REASON = "The owner asked for it in ticket 4711."
PASSWORD = "a password of support"
FAILURE = {
    "failure_code": "DRAFT_FAILED",
    "failure_message": "The model was away.",
    "failed_stage": "GENERATING",
}
REWRITTEN = "# Words of another kind\n\n## Step 1: Something else\n\nNothing of what was there before.\n"
MOST_SECONDS = 60  # for a worker to start and to draft


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, live_server: Any, settings: Any) -> Iterator[Visit]:
    """Signed in by the form, with a name and a password."""
    settings.PUBLIC_URL = live_server.url
    user = User.objects.create_user("susan", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="support"))
    found = Visit(browser, live_server.url)
    found.page.goto("/admin/")
    found.page.get_by_label("Username").fill("susan")
    found.page.get_by_label("Password").fill(PASSWORD)
    found.page.get_by_role("button", name="Log in").click()
    expect(found.page.get_by_role("heading", name="Failures by code")).to_be_visible()
    yield found
    assert found.said == [], "the policy stopped something, or a script failed"
    found.window.close()


@pytest.fixture
def worker(settings: Any, tmp_path: Path) -> Iterator[None]:
    """A worker's process, as `manage.py serve` starts them, at the test's database and files."""
    base, _, options = os.environ["DATABASE_URL"].partition("?")
    environment = {
        **os.environ,
        "DATABASE_URL": f"{base.rsplit('/', 1)[0]}/{connection.settings_dict['NAME']}?{options}",
        "STEPWRIGHT_STORAGE_URL": settings.STEPWRIGHT_STORAGE_URL,
        "STEPWRIGHT_CALLBACK_SECRET": SECRET,
    }
    command = [sys.executable, "manage.py", "work", "control:1", "speech:1"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    yield
    process.terminate()
    assert process.wait(30) == 0, (tmp_path / "worker.log").read_text()[-3000:]


def give_reason(page: Page, action: str) -> None:
    """Take an action of a row's page, and say why."""
    page.get_by_role("navigation", name="Actions").get_by_role("link", name=action, exact=True).click()
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name=action, exact=True).click()


def test_a_failed_job_is_found_and_retried_to_its_end(visit: Visit, worker: None) -> None:
    job = make_job(JobStatus.GENERATING, title="Invoice")
    make_video(job)
    assert send(job, "FAILED", **FAILURE).status_code == 204
    page = visit.page
    page.goto("/admin/jobs/job/")
    page.get_by_placeholder("Any ID of a job").fill(job.manifest["video_uri"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Invoice").click()
    expect(page.get_by_label("Failure")).to_contain_text("The model was away.")
    moments = page.locator(".story-moments > li")
    expect(moments.last).to_contain_text("GENERATING → FAILED")
    give_reason(page, "Retry the job")
    expect(page.get_by_text("The job goes on from TRANSCRIPT_READY.")).to_be_visible()
    expect(moments.filter(has_text=REASON)).to_contain_text("staff")
    reload_until(page, "DRAFT_READY")
    assert Job.objects.get(pk=job.pk).instruction.versions.count() == 1


def reload_until(page: Page, status: str) -> None:
    """Read a job's page again and again, as its reader would, until it tells the status."""
    for _ in range(MOST_SECONDS):
        if page.locator(".story-badge").inner_text() == status:
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"it is {page.locator('.story-badge').inner_text()} still")


def test_an_annotated_picture_is_looked_at_with_and_without(visit: Visit, owner: Api) -> None:
    desk, page = Desk(owner), visit.page
    drawn = desk.annotate(desk.picture(), BLUR).json()["rendered_asset_id"]
    page.goto(f"/admin/jobs/job/{desk.job.pk}/change/")
    page.locator(".pictures a").first.click()
    page.wait_for_url(f"**/asset/{drawn}/change/")
    shown, below = page.get_by_alt_text("The picture", exact=True), page.get_by_alt_text("was drawn on")
    assert shown.evaluate("picture => picture.naturalWidth") == Asset.objects.get(pk=drawn).width
    expect(below).to_be_hidden()
    page.get_by_label("Without what is drawn on it").check()
    expect(below).to_be_visible()


def test_an_export_is_verified_and_the_verdict_read(visit: Visit, owner: Api) -> None:
    desk, page = Desk(owner), visit.page
    page.goto(f"/admin/exports/export/{done(desk)['id']}/change/")
    give_reason(page, "Verify")
    expect(page.get_by_text("has the same bytes")).to_be_visible()
    event = desk.job.events.latest("id")
    assert (event.event_type, event.actor_type, event.data["outcome"]) == ("EXPORT_VERIFIED", "staff", "same")
    assert event.data["reason"] == REASON and Export.objects.count() == 1


def test_what_support_may_not_is_neither_offered_nor_done(visit: Visit) -> None:
    job, page = make_job(JobStatus.EDITING), visit.page
    path = f"/admin/jobs/job/{job.pk}"
    page.goto(f"{path}/change/")
    offered = page.get_by_role("navigation", name="Actions").get_by_role("link")
    assert set(offered.all_inner_texts()) == {"Cancel the job", "Read transcript and document"}
    for refused in (f"{path}/do/fail/", f"{path}/delete/", "/admin/accounts/user/add/"):
        answer = page.goto(refused)
        assert answer and answer.status == 403
        expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    assert Job.objects.get(pk=job.pk).status == JobStatus.EDITING
    assert all("403" in each for each in visit.said)
    visit.said.clear()


def test_a_picture_without_a_place_is_put_on_a_block(visit: Visit, owner: Api) -> None:
    desk, page = Desk(owner), visit.page
    anchor = make_anchor(desk.job)
    make_asset(desk.job, anchor=anchor)
    body = {"base_version": desk.document["version"], "markdown": REWRITTEN}
    saved = owner.put(f"/instructions/{desk.document['id']}", body).json()
    version = desk.job.instruction.versions.get(pk=saved["instruction_version_id"])
    resolve_anchors([anchor], version)
    page.goto("/admin/anchors/unresolvedanchor/")
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name="Read the document").click()
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Read the document").click()
    page.get_by_role("link", name="Put it here: Step 1").first.click()
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Put it on a block").click()
    expect(page.get_by_text("Exports that are made from now on show it there")).to_be_visible()
    found = anchor.resolutions.get(target_version=version)
    assert found.state != "unresolved"
    steps = owner.get(f"/instructions/{desk.document['id']}/steps?version={version.version}").json()
    assert [step["anchor_ids"] for step in steps] == [[str(anchor.pk)]]
