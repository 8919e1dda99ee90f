"""At 200,000 jobs: each list, sweep, search and page of the admin reads about a page of rows, and no whole table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.db.models.functions import Now

from anchors.models import ImageUpload
from config.accounts.models import ApiToken
from config.api.pagination import moment_of
from config.work.models import MAX_CLAIMS_AT_ONCE, Worker
from config.work.registry import KINDS
from config.work.sweep import _PARTS, MAX_ENQUEUED, enqueue_due, sweep_work_rows
from exports.web import words
from instructions.models import Instruction
from jobs.models import Dispatch, Job, PipelineRun, UploadTicket
from jobs.states import PROCESSING, JobStatus
from tests.admin.lists import LARGE
from tests.admin.rows import MODELS
from tests.callbacks import send
from tests.factories import Api, make_job, make_user
from tests.growth.admin_pages import PAGE, hold_front_page, hold_pages_of, staff
from tests.many import WAITING, Many, key_of
from tests.plans import small_plans
from tests.web.reader import Reader

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
TICKETS: tuple[Any, ...] = (UploadTicket, ImageUpload)
RARE = [JobStatus.CREATED, JobStatus.FAILED]


def filters(middle: datetime) -> Iterator[str]:
    moment = middle.isoformat().replace("+00:00", "Z")
    statuses = [f"status={status}" for status in JobStatus]
    times = ["", f"created_after={moment}", f"created_before={moment}", f"cursor={key_of(Job, 100_000)}"]
    for narrowed in ("", *statuses, "&".join(statuses), "&".join(f"status={status}" for status in RARE)):
        yield from (f"{narrowed}&{time}".strip("&") for time in times)


@pytest.mark.parametrize("whose", ["owner", "former"])
@pytest.mark.parametrize("of_project", [False, True])
def test_lists_of_jobs_with_every_filter(many: Many, whose: str, of_project: bool) -> None:
    api = Api(getattr(many, whose))
    path = f"/projects/{api.user.projects.latest('pk').pk}/jobs" if of_project else "/jobs"
    for query in filters(moment_of(key_of(Job, 100_000))):
        pages = max(1, query.count("status="))
        # Each job of the page may have a run, and then all that wait are ranked.
        with small_plans(rows=(pages + 3) * PAGE + WAITING, in_sort=max(pages * PAGE, WAITING)) as seen:
            assert api.get(f"{path}?{query}").status_code == 200, query
        assert seen


@pytest.mark.parametrize(
    "path",
    [
        "/projects",
        "/jobs/{job}/events",
        "/jobs/{job}/transcript",
        "/jobs/{job}/screen-events",
        "/jobs/{job}/exports",
        "/instructions/{document}/versions",
        "/instructions/{document}/anchors",
        "/instructions/{document}/anchors?instruction_version_id={version}",
    ],
)
def test_other_lists_page_by_page(many: Many, path: str) -> None:
    api, document = Api(many.owner), many.deep.instruction
    version = document.versions.latest("version").pk
    url: str | None = path.format(job=many.deep.pk, document=document.pk, version=version)
    pages = 0
    while url and pages < 10:
        with small_plans(rows=3 * PAGE, in_sort=PAGE):
            answer = api.get(url)
        assert answer.status_code == 200
        pages += 1
        url = following(url, answer)
    assert path == "/projects" or pages == 10


def following(url: str, answer: Any) -> str | None:
    """Return the path of the next page, by the Link header or by the body's cursor."""
    if link := re.search(rf'<{settings.PUBLIC_URL}(.+)>; rel="next"', answer.headers.get("Link", "")):
        return link.group(1)
    content = answer.json()
    cursor = content.get("next_cursor") if isinstance(content, dict) else None
    return f"{url.split('?')[0]}?cursor={cursor}" if cursor else None


def test_reads_of_single_rows(many: Many) -> None:
    api, job, document = Api(many.owner), many.deep, many.deep.instruction
    anchor = document.anchors.get(active_asset__isnull=False)
    usual = Instruction.objects.filter(job__owner=many.owner).exclude(pk=document.pk).latest("pk")
    paths = [
        f"/projects/{many.project.pk}",
        f"/jobs/{job.pk}",
        f"/jobs/{PipelineRun.objects.filter(status='PENDING', owner=many.owner)[0].job_id}",
        f"/instructions/{document.pk}",
        f"/instructions/{usual.pk}/steps",
        f"/anchors/{anchor.pk}",
        f"/screenshot-tasks/{job.screenshot_tasks.get().pk}",
        f"/tasks/{job.regenerate_tasks.get().pk}",
        f"/exports/{job.exports.latest('pk').pk}",
        f"/exports/{job.exports.latest('pk').pk}/manifest",
        f"/assets/{anchor.active_asset_id}/content",
    ]
    for path in paths:
        with small_plans(rows=3 * WAITING, in_sort=WAITING) as seen:
            assert api.get(path).status_code in (200, 404), path  # the picture's file is not there
        assert seen


def test_the_pages_on_which_owners_watch_their_jobs(many: Many) -> None:
    reader, deep, at = Reader(many.owner), many.deep.pk, key_of(Job, 100_000)
    lists = [f"/jobs?state={group}&before={before}" for group in words.GROUPS for before in ("", at)]
    for path in (*lists, f"/jobs/{deep}", f"/jobs/{deep}/now", f"/jobs/{deep}/cancel"):
        # A page is read of each state of a group, then come the projects and runs of its jobs.
        with small_plans(rows=4 * PAGE + WAITING, in_sort=max(2 * PAGE, WAITING)) as seen:
            assert reader.get(path).status_code == 200, path
        assert seen


def test_the_way_of_a_job_of_an_owner_with_many(many: Many, settings: Any) -> None:
    """But for the quota, which adds up what the owner keeps: it is asked for here by one who has little."""
    settings.ACTIVE_JOBS_PER_OWNER = 1000
    api, beginner = Api(many.owner), Api(make_user("beginner"))
    mine = {"filename": "a.mp4", "size_bytes": 9, "mime_type": "video/mp4"}
    ready, fresh = make_job(JobStatus.UPLOADED, owner=many.owner), make_job(owner=beginner.user)
    processed = make_job(JobStatus.AUDIO_EXTRACTING, owner=many.owner)
    with small_plans(rows=3 * WAITING, in_sort=WAITING) as seen:
        assert api.post(f"/projects/{many.project.pk}/jobs", {}, idempotency_key="k-1").status_code == 201
        assert beginner.post(f"/jobs/{fresh.pk}/upload", mine).status_code == 201
        assert api.post(f"/jobs/{ready.pk}/run").status_code == 202
        assert send(processed, "AUDIO_READY").status_code == 204
        assert api.post(f"/jobs/{processed.pk}/cancel").status_code == 200
        assert api.call("DELETE", f"/jobs/{processed.pk}").status_code == 202
    assert len(seen) > 20


def test_each_part_of_the_sweep(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.services.timeouts.MAX_ROWS", 3)
    late = Now() - timedelta(hours=1)
    silent = list(Job.objects.filter(status__in=PROCESSING).order_by("pk")[:3].values_list("pk", flat=True))
    Job.objects.filter(pk__in=silent).update(updated_at=late)
    PipelineRun.objects.filter(job__in=silent).update(status="RUNNING", lease_expires_at=late)
    PipelineRun.objects.filter(job=silent[0]).update(status="FAILED")
    Dispatch.objects.filter(job=silent[1]).update(status="UNANSWERED", updated_at=late)
    open_ones = {model: list(model.objects.values_list("pk", flat=True)[:3]) for model in TICKETS}
    for model, opened in open_ones.items():
        model.objects.filter(pk__in=opened).update(closed_at=None, expires_at=late - timedelta(days=1))
    for part in _PARTS:
        with small_plans(rows=4 * WAITING, in_sort=WAITING):
            part()
    assert Job.objects.get(pk=silent[0]).status == "FAILED"
    assert Dispatch.objects.get(job=silent[1]).status == "REFUSED"
    for model, opened in open_ones.items():
        assert not model.objects.filter(pk__in=opened, closed_at=None)


def test_a_long_queue_is_enqueued_and_claimed_by_its_first_rows(many: Many) -> None:
    ended = PipelineRun.objects.filter(status="SUCCEEDED", owner=many.owner).values("pk")[:10_000]
    PipelineRun.objects.filter(pk__in=ended).update(
        status="PENDING", available_at=Now() - timedelta(minutes=2)
    )
    queued = PipelineRun.objects.filter(status="PENDING").values("dispatch")
    Dispatch.objects.filter(pk__in=queued).update(status="ACCEPTED")
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {PipelineRun._meta.db_table}, {Dispatch._meta.db_table}")
    ready = make_job(JobStatus.UPLOADED)
    with small_plans(rows=PAGE, in_sort=PAGE):
        assert Api(ready.owner).post(f"/jobs/{ready.pk}/run").status_code == 202
    for kind in KINDS.values():
        with small_plans(rows=3 * WAITING, in_sort=WAITING):
            enqueue_due(list(kind.lanes), None)  # looks at what was written within a minute: here by `many`
        with small_plans(rows=2 * MAX_ENQUEUED, in_sort=MAX_ENQUEUED):
            sweep_work_rows()
        with small_plans(rows=4 * (WAITING + MAX_CLAIMS_AT_ONCE), in_sort=WAITING + MAX_CLAIMS_AT_ONCE):
            for lane in kind.lanes:
                kind.model.claim_next(lane)


def test_each_page_of_the_admin_is_looked_at_but_those_of_what_stays_small() -> None:
    assert MODELS.keys() - LARGE.keys() == {ApiToken, Group, Worker}


@pytest.mark.parametrize("model", LARGE, ids=lambda model: model.__name__)
def test_the_admins_lists_searches_and_pages(many: Many, model: type[Model]) -> None:
    hold_pages_of(model)


def test_the_front_page_of_the_admin(many: Many) -> None:
    states = hold_front_page()["front_panels"][0]["content"]
    done = next(line for line in states if line["status"] == "DONE")
    assert str(done["cells"][2]["count"]).startswith("about 1")


def test_the_choice_of_a_user_in_the_admin(many: Many) -> None:
    path = "/admin/autocomplete/?app_label=accounts&model_name=apitoken&field_name=user&term=subject+777"
    with small_plans(rows=3 * 1001, in_sort=2 * 1001) as seen:
        answer = staff().get(path)
    assert answer.status_code == 200 and answer.json()["results"] and seen
