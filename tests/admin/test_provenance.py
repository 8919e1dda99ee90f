"""The page of an export: what it was made of, and its file for those who have said why they read it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils.html import escape

from anchors.models import Asset
from config.accounts.models import User
from exports.admin.provenance import read_provenance
from exports.models import Export
from jobs.services.audit import by_staff
from jobs.services.content import show_content
from tests.anchors.redacting import redact
from tests.desk import BLUR, Desk
from tests.exports.asking import done
from tests.factories import work_off

pytestmark = pytest.mark.slow
BOX = {"op_type": "box", "geometry": {"x": 0.4, "y": 0.4, "width": 0.2, "height": 0.2}}


def signed_in(*permissions: str, name: str = "support") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_export", *permissions)))
    return signed_in_as(user)


def signed_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, export: Export) -> str:
    answer = client.get(f"/admin/exports/export/{export.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def frame_hash(asset: Asset) -> str:
    assert asset.frame
    return str(asset.frame["frame_sha256"])


def manifest(export: Export) -> Any:
    return export.manifest


def exported(desk: Desk) -> Export:
    return Export.objects.get(pk=done(desk)["id"])


def test_a_picture_is_followed_down_to_the_frame_of_the_video(desk: Desk) -> None:
    desk.annotate(desk.picture(), BOX)
    export = exported(desk)
    provenance = read_provenance(export)
    assert provenance is not None
    (chain,) = next(step.chains for step in provenance.steps if step.chains)
    assert [(link.kind, link.drawn) for link in chain.links] == [("annotated", "1 box"), ("extracted", "")]
    shown = page(signed_in("view_asset"), export)
    for told in (
        *(link.sha256 for link in chain.links),
        chain.frame["frame_sha256"],  # type: ignore[index]
        provenance.video_sha256,
        export.artifact_sha256,
    ):
        assert told and told in shown
    for link in chain.links:
        assert f"/admin/anchors/asset/{link.asset_id}/picture/" in shown


def test_of_a_redacted_picture_only_the_commitment_is_told(desk: Desk) -> None:
    base = desk.picture()
    desk.annotate(base, BLUR)
    export = exported(desk)
    shown = page(signed_in("view_asset"), export)
    frame = frame_hash(Asset.objects.get(pk=base["asset_id"]))
    commitment = manifest(export)["pictures"][0]["origin"]["commitment"]
    assert commitment in shown and frame not in shown and "1 blur" in shown


def test_what_was_redacted_after_the_export_loses_its_hashes(desk: Desk) -> None:
    picture = desk.picture()
    export = exported(desk)
    asset = Asset.objects.get(pk=picture["asset_id"])
    assert redact(desk).status_code == 201
    work_off()
    assert Asset.objects.get(pk=asset.pk).is_concealed
    shown = page(signed_in("view_asset"), export)
    assert asset.checksum_sha256 not in shown and frame_hash(asset) not in shown
    assert "Hidden by a redaction since" in shown
    for each in (export.identity_key, export.screenshot_set_hash, export.artifact_sha256):
        assert each not in shown, "a guess of what is hidden could be tested"


def test_a_file_that_shows_what_was_redacted_since_is_given_to_nobody(desk: Desk) -> None:
    desk.picture()
    export, client = exported(desk), signed_in("read_content")
    show_content(job=desk.job, by=by_staff(User.objects.get(username="support"), "It is tested."))
    assert redact(desk).status_code == 201
    work_off()
    file = f"/admin/exports/export/{export.pk}/file/"
    refused = client.get(file, follow=True)
    assert refused.redirect_chain == [(f"/admin/exports/export/{export.pk}/change/", 302)]
    assert "shows what was redacted since" in refused.content.decode() and file not in page(client, export)
    assert not desk.job.events.filter(event_type="EXPORT_DOWNLOADED").exists()


def test_who_may_not_see_pictures_sees_the_chain_without_them(desk: Desk) -> None:
    desk.picture()
    shown = page(signed_in(), exported(desk))
    assert "/picture/" not in shown and "Picture 1" in shown


def test_steps_have_their_titles_for_those_who_may_read_the_document(desk: Desk) -> None:
    export = exported(desk)
    version = export.instruction_version
    titles = [block.title for block in version.read_blocks() if block.kind == "step"]
    reader, others = signed_in("read_content"), signed_in("view_asset", "view_instructionversion", name="b")
    auditor = User.objects.create_user("auditor", is_staff=True)
    auditor.groups.add(Group.objects.get(name="auditor"))
    for client in (reader, others, signed_in_as(auditor)):
        shown = page(client, export)
        assert "Step 1" in shown and not any(escape(title) in shown for title in titles if title)
    assert "say why they read" in page(reader, export) and "say why they read" not in page(others, export)
    reader.post(f"/admin/exports/export/{export.pk}/do/read/", {"reason": "The owner asks."})
    shown = page(reader, export)
    assert titles and all(
        f"Step {number}: {escape(title)}" in shown for number, title in enumerate(titles, 1)
    )
    assert not any(escape(title) in page(others, export) for title in titles if title)


def test_the_file_is_had_for_a_reason(desk: Desk) -> None:
    export = exported(desk)
    client = signed_in("read_content")
    file = f"/admin/exports/export/{export.pk}/file/"
    ask = f"/admin/exports/export/{export.pk}/do/read/"
    assert client.get(file).headers["Location"] == ask
    assert file not in page(client, export)
    client.post(ask, {"reason": "The owner cannot open it."})
    event = desk.job.events.latest("id")
    assert (event.event_type, event.actor_type) == ("CONTENT_SHOWN", "staff")
    assert file in page(client, export)
    fetched = client.get(file)
    content = b"".join(client.get(fetched.headers["Location"]).streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(content).hexdigest() == export.artifact_sha256
    event = desk.job.events.latest("id")
    assert (event.event_type, event.actor_type) == ("EXPORT_DOWNLOADED", "staff")
    assert event.data == {"export_id": str(export.pk), "reason": "The owner cannot open it."}


def test_who_may_not_read_content_gets_no_file(desk: Desk) -> None:
    export = exported(desk)
    client = signed_in("view_job")
    show_content(job=desk.job, by=by_staff(User.objects.get(username="support"), "by mistake"))
    refused = client.get(f"/admin/exports/export/{export.pk}/file/", headers={"accept": "text/html"})
    assert refused.status_code == 403
    assert f"/admin/exports/export/{export.pk}/file/" not in page(client, export)


def test_the_statements_of_a_page_do_not_grow_with_the_pictures(
    desk: Desk, django_assert_num_queries: Any
) -> None:
    desk.picture()
    first = exported(desk)
    for at_ms in (12_000, 14_000, 16_000):
        desk.picture(timestamp_ms=at_ms)
    second, client = exported(desk), signed_in("view_asset", "read_content")
    assert len(manifest(second)["pictures"]) == 4
    page(client, first)
    for export in (first, second):
        with django_assert_num_queries(9):
            page(client, export)


def test_no_job_page_and_no_search_tells_the_hash_of_a_guide(desk: Desk) -> None:
    desk.picture()
    export = exported(desk)
    client = signed_in("view_job")
    assert (
        export.artifact_sha256[:12]
        not in client.get(f"/admin/jobs/job/{desk.job.pk}/change/").content.decode()
    )
    for term, is_found in ((str(export.pk), True), (export.identity_key, False)):
        found = client.get("/admin/exports/export/", {"q": term}).content.decode()
        assert (f"/admin/exports/export/{export.pk}/change/" in found) is is_found
