"""Rows of every kind that the admin shows, and the addresses of all of its pages, those of later apps too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.urls import URLPattern, reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from anchors.models import ImageUpload, RedactionRun, ScreenActivity, SensitiveSearch
from config.accounts.models import User
from config.accounts.services import create_api_token
from config.admin import StaffAction
from config.work.models import Worker
from instructions.models import InstructionVersion
from jobs.models import Dispatch, Job, PipelineRun, UploadTicket
from jobs.states import JobStatus
from tests import factories
from tests.screens import make_screen

admin.autodiscover()  # as config.urls does, which nothing may have loaded yet
MODELS: dict[type[Model], Any] = dict(admin.site._registry)
"""The page of each model of which the admin has one."""


def make_rows(times: int = 1) -> Job:
    """Make a job with so many rows of each kind, and a token, a worker and a user who is switched off; return it."""
    job = factories.make_job(JobStatus.EDITING, owner=factories.make_user())
    for number in range(times):
        made = f"{job.pk} {number}"
        off = User.objects.create_user(f"off {made}", is_active=False, second_factor_at=timezone.now())
        TOTPDevice.objects.create(user=off, name="app")
        Worker.objects.create(name=f"worker {made}", lanes=["speech"])
        create_api_token(user=job.owner, name="for tests")
        _make_uploads(job, made)
        _make_document_rows(job)
    PipelineRun.objects.create(
        job=job, owner=job.owner, lane="speech", dispatch=job.dispatch, status="FAILED"
    )
    make_screen(job)
    for kind in (RedactionRun, ScreenActivity, SensitiveSearch):
        kind._default_manager.get_or_create(job=job, defaults={"owner": job.owner, "status": kind.WAITING})
    return job


def _make_uploads(job: Job, made: str) -> None:
    ticket = {"job": job, "size_bytes": 1, "expires_at": timezone.now() + timedelta(hours=1)}
    video = {"mime_type": "video/mp4", "filename": "a.mp4", "closed_at": timezone.now()}
    UploadTicket.objects.create(key=f"uploads/{made}", **video, **ticket)
    picture = {"mime_type": "image/png", "filename": "a.png", "checksum_sha256": "0" * 64}
    ImageUpload.objects.create(key=f"pictures/{made}", **picture, **ticket)


def _make_document_rows(job: Job) -> None:
    """A further version of the job's document, and what hangs on it: an anchor that was not found, pictures, work."""
    document, newest = job.instruction, job.instruction.versions.latest("version")
    anchor = factories.make_anchor(job)
    below = job.assets.order_by("pk").last() or factories.make_asset(job, anchor=anchor)
    factories.make_asset(job, anchor=anchor, rendered_from=below)
    fields = {
        field.attname: getattr(newest, field.attname) for field in InstructionVersion._meta.concrete_fields
    }
    version = InstructionVersion.objects.create(**fields | {"id": None, "version": newest.version + 1})
    type(document).objects.filter(pk=document.pk).update(version=version.version)
    factories.make_resolution(anchor, version)
    for status in ("SUCCEEDED", "FAILED"):
        factories.make_screenshot_task(job, status=status, anchor=anchor)
        factories.make_regenerate_task(job, status=status)
        factories.make_export(job, status=status)


def _make_failed_job() -> None:
    job = factories.force(factories.make_job(JobStatus.GENERATING), JobStatus.FAILED)
    Dispatch.objects.filter(job=job).update(status=Dispatch.CLOSED)


def _make_unanswered_job() -> None:
    job = factories.make_job(JobStatus.UPLOADED)
    factories.make_dispatch(job, state="unanswered")
    factories.force(job, JobStatus.AUDIO_EXTRACTING)


def _make_waiting_work() -> None:
    job = factories.make_job(JobStatus.EDITING)
    factories.make_regenerate_task(job)
    factories.make_export(job)
    factories.make_run()


SITUATIONS: tuple[Callable[[], object], ...] = (
    *(make_rows, _make_failed_job, _make_unanswered_job, _make_waiting_work),
)
"""Between them each action of staff can be done to a row."""


def actions() -> Iterator[tuple[type[Model], StaffAction[Any]]]:
    for model, page in MODELS.items():
        yield from ((model, action) for action in getattr(page, "staff_actions", ()))


def row_for(model: type[Model], action: StaffAction[Any]) -> Model:
    """Make situations until there is a row to which the action is offered, and return it."""
    for make in SITUATIONS:
        make()
        for row in model._default_manager.order_by("-pk"):
            if action.is_offered(row):
                return row
    raise AssertionError(f"add to SITUATIONS one in which {action.name} is offered for {model._meta.label}")


def list_path(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def newest(model: type[Model]) -> Model:
    row = model._default_manager.order_by("-pk").first()
    assert row is not None, f"let make_rows make a row of {model._meta.label}"
    return row


def paths(model: type[Model]) -> Iterator[str]:
    """Yield the path of each page of a model, of those about a row that of the newest one."""
    page, row = MODELS[model], newest(model)
    for pattern in page.get_urls():
        names = [action.name for action in getattr(page, "staff_actions", ())]
        yield from (list_path(model) + filled for filled in _filled(pattern, row, names))


def _filled(pattern: URLPattern, row: Model, actions: list[str]) -> Iterator[str]:
    route = str(pattern.pattern)
    kinds = {name: type(converter).__name__ for name, converter in pattern.pattern.converters.items()}
    for action in actions if "name" in kinds else [""]:
        values = {
            name: row.pk if name.endswith("id") else 1 if kind == "IntConverter" else action
            for name, kind in kinds.items()
        }
        yield re.sub(r"<(?:\w+:)?(\w+)>", lambda found, of=values: str(of[found[1]]), route)


def site_paths() -> Iterator[str]:
    """Yield the path of each page of the admin that is of no model."""
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern) and not pattern.pattern.converters:
            yield f"/admin/{pattern.pattern}" if not str(pattern.pattern).startswith("^") else "/admin/jobs/"


def state_of_database() -> dict[str, str]:
    """Return a digest of the rows of each table, but those of sessions and the times at which users signed in."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    rows = "SELECT (to_jsonb(row) - 'last_login')::text AS content FROM \"{0}\" AS row"
    digest = (
        f"SELECT '{{0}}', md5(coalesce(string_agg(content, ' ' ORDER BY content), '')) FROM ({rows}) AS rows"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(digest.format(table) for table in tables if table != "django_session")
        )
        return dict(cursor.fetchall())
