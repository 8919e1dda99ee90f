"""Pictures in the admin: on the page of their job, and each on a page with its versions and what it was drawn on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from anchors.models import Asset
from config.accounts.models import User
from config.storage import storage
from tests.anchors.redacting import redact
from tests.desk import BLUR, Desk
from tests.factories import work_off

pytestmark = pytest.mark.slow


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def picture(client: Client, asset: Asset, **headers: str) -> Any:
    return client.get(f"/admin/anchors/asset/{asset.pk}/picture/", headers=headers)


def shown(client: Client, path: str) -> set[str]:
    """The ids of the pictures that a page shows."""
    return set(
        re.findall(r'src="/admin/anchors/asset/([0-9a-f-]{36})/picture/"', client.get(path).content.decode())
    )


def page(asset: Asset) -> str:
    return f"/admin/anchors/asset/{asset.pk}/change/"


def test_a_picture_is_given_with_what_it_was_drawn_on(desk: Desk, staff: Client) -> None:
    frame = Asset.objects.get(pk=desk.picture()["asset_id"])
    drawn = Asset.objects.get(
        pk=desk.annotate({"asset_id": str(frame.pk), "anchor_id": str(frame.anchor_id)}, BLUR).json()[
            "rendered_asset_id"
        ]
    )
    with storage().local_path(drawn.uri) as path:
        answer = picture(staff, drawn)
        assert (answer.status_code, answer.content) == (200, path.read_bytes())
    assert picture(staff, drawn, if_none_match=answer.headers["ETag"]).status_code == 304
    assert shown(staff, page(drawn)) == {str(drawn.pk), str(frame.pk)}
    assert "Without what is drawn on it" in staff.get(page(drawn)).content.decode()
    assert shown(staff, f"/admin/jobs/job/{desk.job.pk}/change/") == {str(drawn.pk)}


def test_what_a_redaction_hides_is_given_to_nobody(desk: Desk, staff: Client) -> None:
    frame = Asset.objects.get(pk=desk.picture()["asset_id"])
    redact(desk)
    assert shown(staff, f"/admin/jobs/job/{desk.job.pk}/change/") == set()
    work_off()
    redacted = Asset.objects.get(redacts=frame)
    assert picture(staff, frame).status_code == 404 and picture(staff, redacted).status_code == 200
    assert shown(staff, page(frame)) == shown(staff, page(redacted)) == {str(redacted.pk)}
    assert f"/admin/anchors/asset/{redacted.pk}/change/" in staff.get(page(frame)).content.decode()
    hashes = [frame.checksum_sha256, frame.pixels_sha256, frame.frame["frame_sha256"], redacted.ops_hash]
    for asset in (frame, redacted):
        assert not any(each in staff.get(page(asset)).content.decode() for each in hashes), (
            "a guess could be tested"
        )
    assert shown(staff, f"/admin/jobs/job/{desk.job.pk}/change/") == {str(redacted.pk)}


def test_pictures_want_the_permission_to_see_them(desk: Desk) -> None:
    frame = Asset.objects.get(pk=desk.picture()["asset_id"])
    auditor = User.objects.create_user("auditor", is_staff=True)
    auditor.user_permissions.set(Permission.objects.filter(codename="view_job"))
    client = Client()
    client.force_login(auditor)
    assert picture(client, frame).status_code == 404 and picture(Client(), frame).status_code == 302
    assert shown(client, f"/admin/jobs/job/{desk.job.pk}/change/") == set()


def test_a_file_that_is_gone_is_not_found(desk: Desk, staff: Client) -> None:
    frame = Asset.objects.get(pk=desk.picture()["asset_id"])
    with storage().local_path(frame.uri) as path:
        path.unlink()
    assert picture(staff, frame).status_code == 404
