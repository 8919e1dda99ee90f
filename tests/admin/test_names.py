"""Pages and lists of the admin name rows so that people can read it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from anchors.models import Anchor, AnchorResolution, Asset
from config.accounts.models import User
from config.work.models import Worker
from instructions.models import Instruction, InstructionVersion
from jobs.models import Job
from jobs.states import JobStatus
from tests.admin import rows
from tests.factories import make_asset, make_export, make_job

pytestmark = pytest.mark.django_db
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def crumbs(page: str) -> list[str]:
    return re.findall(r'class="align-middle inline-block[^>]*>\s*(.*?)\s*</', page, re.DOTALL)


def cells(page: str) -> list[str]:
    found = re.findall(r"<t[dh][^>]*class=\"[^\"]*field-[^>]*>(.*?)</t[dh]>", page, re.DOTALL)
    return [re.sub("<[^>]*>", "", cell) for cell in found]


def with_ids(texts: list[str]) -> list[str]:
    assert texts
    return [text for text in texts if UUID.search(text)]


def test_no_list_and_no_breadcrumb_shows_a_whole_id(staff: Client) -> None:
    rows.make_rows(2)
    for model in set(rows.MODELS) - {Worker, User}:  # which are named after the job, here
        path = rows.list_path(model)
        shown = staff.get(path).content.decode()
        page = staff.get(f"{path}{rows.newest(model).pk}/change/").content.decode()
        assert (model, with_ids(cells(shown)), with_ids(crumbs(page))) == (model, [], [])


def named(row: Model, **changed: Any) -> str:
    for name, value in changed.items():
        setattr(row, name, value)
    return str(row)


def test_rows_are_named_by_what_they_are_of() -> None:
    job = make_job(JobStatus.EDITING, title="Pay bills")
    version, short = InstructionVersion.objects.get(), str(job.pk)[-6:]
    assert str(Job.objects.get()) == f"Pay bills · {short}"
    assert str(Instruction.objects.get()) == f"Document of Pay bills · {short}"
    assert str(version) == "Pay bills, version 1" and str(make_export(job)) == "PDF of Pay bills, version 1"
    asset = make_asset(job)
    assert named(asset, extracted_at_ms=12_345, kind=Asset.Kind.EXTRACTED) == "Picture at 0:12 of Pay bills"
    assert named(asset, extracted_at_ms=None, kind=Asset.Kind.UPLOADED) == "Uploaded picture of Pay bills"
    assert named(asset, kind=Asset.Kind.ANNOTATED) == "Annotated picture of Pay bills"
    resolution = AnchorResolution(anchor=Anchor(), target_version=version)
    assert str(resolution) == f"Anchor {str(resolution.anchor_id)[-6:]} in Pay bills, version 1"
    assert str(make_job()).startswith("Untitled guide · ")


def test_a_file_has_the_id_of_each_row_beside_its_name(staff: Client) -> None:
    job = make_job(JobStatus.EDITING, title="Pay bills")
    export = make_export(job)
    header, line = staff.get("/admin/exports/export/csv/").getvalue().decode().splitlines()
    assert header.startswith('"id","export","Job"')
    assert line.startswith(f'"{export.pk}","PDF of Pay bills, version 1","Pay bills · ')
