"""What support does to an export: rendering a failed one again, and verifying one that succeeded."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from config.accounts.models import User
from config.storage import storage
from exports.models import Export
from tests.desk import Desk
from tests.exports.asking import done
from tests.factories import work_off

pytestmark = pytest.mark.slow
REASON = {"reason": "The owner says that it looks odd."}


def signed_in(*permissions: str) -> Client:
    user = User.objects.create_user("support", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_export", *permissions)))
    client = Client()
    client.force_login(user)
    return client


def do(client: Client, export_id: str, name: str) -> Any:
    return client.post(f"/admin/exports/export/{export_id}/do/{name}/", REASON, follow=True)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_an_export_is_verified_by_rendering_it_again(desk: Desk) -> None:
    export_id, client = done(desk)["id"], signed_in("verify_any_export")
    assert "has the same bytes" in said(do(client, export_id, "verify"))
    event = desk.job.events.latest("id")
    assert (event.event_type, event.actor_type) == ("EXPORT_VERIFIED", "staff")
    assert event.data == {"export_id": export_id, "outcome": "same", **REASON}


def test_an_artifact_with_other_bytes_is_found(desk: Desk) -> None:
    export = Export.objects.get(pk=done(desk)["id"])
    with storage().local_path(export.artifact_uri) as path:
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    answer = do(signed_in("verify_any_export"), str(export.pk), "verify")
    assert "the stored artifact has other bytes" in said(answer)
    assert desk.job.events.latest("id").data["outcome"] == "differs"


def test_a_failed_export_is_rendered_again(desk: Desk) -> None:
    export = Export.objects.get(pk=done(desk)["id"])
    again = Export.objects.create(
        **{
            **{field.attname: getattr(export, field.attname) for field in Export._meta.concrete_fields},
            "id": None,
            "identity_key": "0" * 64,
            "status": Export.FAILED,
            "failure_code": "RENDER_FAILED",
        }
    )
    client = signed_in("render_any_export")
    assert "rendered again" in said(do(client, str(again.pk), "render-again"))
    work_off()
    assert Export.objects.get(pk=again.pk).status == Export.SUCCEEDED
    assert "nothing was done" in said(do(client, str(again.pk), "render-again"))


@pytest.mark.parametrize("name", ["verify", "render-again"])
def test_each_wants_its_own_permission(desk: Desk, name: str) -> None:
    other = {"verify": "render_any_export", "render-again": "verify_any_export"}[name]
    export_id, before = done(desk)["id"], desk.job.events.count()
    assert do(signed_in(other), export_id, name).status_code == 404
    assert Export.objects.get(pk=export_id).status == Export.SUCCEEDED
    assert desk.job.events.count() == before
