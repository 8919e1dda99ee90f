"""A job's deletion passes through all that hangs on it; a version that an export needs does not go alone."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import RestrictedError

from anchors.models import Asset
from exports.models import Export
from instructions.models import InstructionVersion
from jobs.models import Job, PipelineRun, Project, Tombstone
from tests.desk import BLUR, Desk
from tests.factories import Api, make_run, work_off

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]

OURS = ("jobs", "instructions", "anchors", "exports")


@pytest.fixture
def desk(owner: Api) -> Desk:
    """A job with pictures, annotations, and an export of them."""
    desk = Desk(owner)
    desk.annotate(desk.picture(), BLUR)
    body = {"format": "MD_ZIP", "instruction_version_id": desk.version_id}
    assert owner.post(f"/jobs/{desk.job.pk}/exports", body).status_code == 202
    work_off()
    assert Export.objects.get().status == "SUCCEEDED"
    return desk


def test_a_job_takes_its_exports_and_pictures_with_it(desk: Desk) -> None:
    assert desk.api.call("DELETE", f"/jobs/{desk.job.pk}").status_code == 202
    left = {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.app_label in OURS and model not in (Project, Tombstone)
    }
    assert set(left.values()) == {0}, left


def test_a_version_that_an_export_needs_is_not_deleted_alone(desk: Desk) -> None:
    version = InstructionVersion.objects.get(pk=desk.version_id)
    with pytest.raises(RestrictedError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL stepwright.purge = 'on'")  # the trigger would refuse it before
        version.delete()
    assert InstructionVersion.objects.filter(pk=version.pk).exists()
    assert Asset.objects.filter(job=desk.job.pk).count() == 2


def test_a_job_takes_its_dispatch_and_run_with_it(owner: Api) -> None:
    run = make_run(owner=owner.user)
    assert owner.post(f"/jobs/{run.job_id}/cancel").status_code == 200
    assert owner.call("DELETE", f"/jobs/{run.job_id}").status_code == 202
    assert not Job.objects.filter(pk=run.job_id).exists()
    assert not PipelineRun.objects.exists()
