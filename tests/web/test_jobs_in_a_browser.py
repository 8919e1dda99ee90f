"""The pages of jobs in Chromium: they change by themselves, ask before an act, and work without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from config.accounts.models import User
from exports.web import views
from jobs.models import Job
from jobs.services.jobs import create_job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import force, make_export, make_job, make_project, make_user
from tests.web.browser import NEEDS_CHROMIUM, Visit, chromium

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM, pytest.mark.django_db(transaction=True)]
EVERY = 5000  # milliseconds between two questions
# An answer is counted in the page when what came with it stands there and asks by itself, later than it arrived.
COUNT_ANSWERS = """
    document.documentElement.dataset.answers = 0;
    const count = () => { document.documentElement.dataset.answers++ };
    addEventListener("htmx:afterSettle", count);
    addEventListener("htmx:beforeSwap", ({ detail }) => { if (!detail.shouldSwap) count() });
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def site(browser: Browser, live_server: Any, settings: Any) -> str:
    """The address of a server with the test's database."""
    settings.PUBLIC_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses of the answers to what pages ask for by themselves, as the server gave them."""
    given: list[int] = []

    def noting(*arguments: Any) -> Any:
        answer = polled(*arguments)
        given.append(answer.status_code)
        return answer

    polled = views.polled
    monkeypatch.setattr(views, "polled", noting)
    return given


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visit]:
    found = Visit(browser, site)
    found.page.clock.install()
    found.sign_in(make_user())
    yield found
    assert found.said == [], "the policy stopped something, or a script failed"
    found.window.close()


def test_a_page_follows_its_job_and_asks_no_more_than_it_must(visit: Visit, answers: list[int]) -> None:
    job = force(make_job(JobStatus.EDITING, owner=make_user(), title="Invoice"), JobStatus.TRANSCRIBING)
    page = visit.page
    page.goto(f"/jobs/{job.pk}")
    page.get_by_role("link", name="Cancel …").focus()
    page.evaluate(COUNT_ANSWERS)
    for number in range(1, 4):
        page.clock.fast_forward(EVERY)
        expect(page.locator("html")).to_have_attribute("data-answers", str(number))
        assert len(answers) == number
        expect(page.get_by_role("link", name="Cancel …")).to_be_focused()
        kept = page.evaluate("(part => { const was = part.kept; part.kept = true; return !!was; })(job)")
        assert kept == (number > 1), "the part that is the same is not put there again"
    assert answers == [200, 304, 304]
    force(job, JobStatus.EDITING)
    page.clock.fast_forward(EVERY)
    expect(page.get_by_text("Being edited")).to_be_visible()
    page.clock.fast_forward(3 * EVERY)
    page.goto("/jobs")
    expect(page.get_by_text("Being edited")).to_be_visible()
    assert answers == [200, 304, 304, 200], "what rests is not asked for"


def test_a_tab_that_is_not_seen_asks_for_nothing(visit: Visit) -> None:
    make_job(JobStatus.TRANSCRIBING, owner=make_user())
    page = visit.page
    page.goto("/jobs")
    page.evaluate("window.sent = 0, addEventListener('htmx:beforeSend', () => { sent += 1 })")
    for is_hidden, number in (("true", 0), ("false", 1)):
        page.evaluate(
            f"Object.defineProperty(document, 'hidden', {{value: {is_hidden}, configurable: true}})"
        )
        page.clock.fast_forward(EVERY)  # its timers run before it returns
        assert page.evaluate("sent") == number


def test_who_was_switched_off_is_led_to_the_sign_in(visit: Visit) -> None:
    make_job(JobStatus.TRANSCRIBING, owner=make_user())
    visit.page.goto("/jobs")
    User.objects.update(is_active=False)
    visit.page.clock.fast_forward(EVERY)
    visit.page.wait_for_url("**/sign-in")
    assert len(visit.said) == 1 and "401" in visit.said.pop()


def test_cancelling_is_asked_for_in_a_dialog_by_keyboard_too(visit: Visit) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user(), title="Invoice")
    page = visit.page
    page.goto(f"/jobs/{job.pk}")
    dialog = page.get_by_role("dialog", name="Cancel this job?")
    for leave in ("Escape", "Enter"):
        page.get_by_role("link", name="Cancel …").press("Enter")
        expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
        page.keyboard.press(leave)
        expect(dialog).to_be_hidden()
    assert Job.objects.get(pk=job.pk).status == JobStatus.TRANSCRIBING
    page.get_by_role("link", name="Cancel …").click()
    dialog.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()
    assert Job.objects.get(pk=job.pk).status == JobStatus.CANCELLED


def test_a_job_that_fails_while_one_watches_is_tried_again(visit: Visit) -> None:
    job = make_job(JobStatus.GENERATING, owner=make_user(), title="Invoice")
    page = visit.page
    page.goto(f"/jobs/{job.pk}")
    expect(page.get_by_role("link", name="Try again …")).to_have_count(0)
    let_fail(job)
    page.clock.fast_forward(EVERY)
    dialog = page.get_by_role("dialog", name="Try this job again?")
    page.get_by_role("link", name="Try again …").press("Enter")
    expect(dialog.get_by_role("button", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert Job.objects.get(pk=job.pk).status == JobStatus.FAILED
    page.get_by_role("link", name="Try again …").click()
    dialog.get_by_role("button", name="Try again").click()
    expect(page.locator(".panel .badge")).to_have_text("In the queue")
    assert Job.objects.get(pk=job.pk).status == JobStatus.TRANSCRIPT_READY


def let_fail(job: Job) -> None:
    failure = {"failure_code": "ODD", "failure_message": "It failed.", "failed_stage": job.status}
    assert send(job, "FAILED", **failure).status_code == 204


def test_a_failed_job_is_tried_again_without_scripts(browser: Browser, site: str) -> None:
    job = make_job(JobStatus.GENERATING, owner=make_user(), title="Invoice")
    let_fail(job)
    visit = Visit(browser, site, java_script_enabled=False)
    visit.sign_in(make_user())
    visit.page.get_by_role("link", name="Invoice").click()
    visit.page.get_by_role("link", name="Try again …").click()
    visit.page.get_by_role("button", name="Try again").click()
    expect(visit.page.locator(".panel .badge")).to_have_text("In the queue")
    visit.window.close()


def test_an_export_is_downloaded_under_its_name(visit: Visit) -> None:
    job = force(make_job(JobStatus.EDITING, owner=make_user()), JobStatus.DONE)
    make_export(job, status="SUCCEEDED")
    visit.page.goto(f"/jobs/{job.pk}")
    with visit.page.expect_download() as started:
        visit.page.get_by_role("link", name="Download guide.pdf").click()
    assert started.value.suggested_filename == "guide.pdf"
    assert started.value.path().read_bytes() == b"stands for a guide"


def test_everything_works_without_scripts(browser: Browser, site: str) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=make_user(), title="Invoice")
    visit = Visit(browser, site, java_script_enabled=False)
    visit.sign_in(make_user())
    page = visit.page
    page.get_by_role("link", name="Invoice").click()
    page.get_by_role("link", name="Cancel …").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".panel .badge")).to_have_text("Cancelled")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert Job.objects.get(pk=job.pk).status == JobStatus.CANCELLED
    visit.window.close()


def test_pages_fit_a_phone_and_every_link_shows_its_focus(browser: Browser, site: str) -> None:
    title = "A title of a recording that is as long as titles may be " * 3
    job = create_job(project=make_project(make_user(), "P" * 200), options={"title": title[:200]})
    visit = Visit(browser, site, viewport={"width": 390, "height": 800})
    visit.sign_in(make_user())
    failed = force(make_job(JobStatus.EDITING, owner=make_user(), title=title[:200]), JobStatus.FAILED)
    paths = ("/jobs", f"/jobs/{job.pk}", f"/jobs/{job.pk}/cancel", "/jobs/odd", "/sign-in")
    for path in (*paths, f"/jobs/{failed.pk}", f"/jobs/{failed.pk}/retry"):
        visit.page.goto(path)
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390, path
        links = visit.page.locator("a, button, input:not([type=hidden])").locator("visible=true").all()
        for link in links:
            link.focus()
            visit.page.keyboard.press("Shift")  # who presses keys is shown where they are
            assert re.match(r"[1-9.]+px solid", link.evaluate(OUTLINE)), path
    visit.window.close()


OUTLINE = "element => (look => `${look.outlineWidth} ${look.outlineStyle}`)(getComputedStyle(element))"
