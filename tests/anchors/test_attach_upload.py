"""An uploaded picture is put on an anchor: asked again, on others, and what is drawn and exported of it."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from typing import Any

import httpx
import pytest
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import StreamObject

from anchors.models import Anchor, Asset
from config.storage import storage
from jobs.models import AuditEvent, Job
from jobs.services.quota import used_bytes
from jobs.states import JobStatus
from tests.anchors.uploading import ask_for, attach, attached, confirmed, picture
from tests.desk import BLUR, Desk
from tests.errors import assert_shape
from tests.exports.asking import done
from tests.exports.metadata import SECRETS, TYPES, exif, with_metadata
from tests.factories import Api, force, make_anchor, make_asset, make_job
from tests.races import at_once

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


@pytest.fixture
def job(owner: Api) -> Job:
    return make_job(JobStatus.EDITING, owner=owner.user)


def test_a_picture_becomes_the_next_version_and_the_active_one(owner: Api, job: Job) -> None:
    anchor = make_anchor(job)
    before = make_asset(job, anchor=anchor)
    asset = confirmed(owner, job)
    answer = attach(owner, anchor.pk, asset["upload_id"], anchor.instruction_version_id)
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["id"], shown["active_asset_id"]) == (str(anchor.pk), asset["id"])
    placed = {"anchor_id": str(anchor.pk), "version": 2, "previous_asset_id": str(before.pk)}
    assert shown["assets"][1] == {**asset, **placed}
    assert owner.get(f"/anchors/{anchor.pk}").json() == shown
    event = AuditEvent.objects.filter(job=job).latest("pk")
    assert (event.event_type, event.actor_type) == ("SCREENSHOT_ATTACHED", "editor")
    assert event.data == {"upload_id": asset["upload_id"], "asset_id": asset["id"]}


def test_asked_again_nothing_is_written(owner: Api, job: Job) -> None:
    first = attached(owner, job, picture())
    upload_id, version_id = first["assets"][0]["upload_id"], first["instruction_version_id"]
    newer = make_asset(job, anchor=Anchor.objects.get(pk=first["id"]))
    before = (AuditEvent.objects.count(), Asset.objects.count())
    again = attach(owner, first["id"], upload_id, version_id)
    assert (again.status_code, again.json()["active_asset_id"]) == (200, str(newer.pk))
    force(job, JobStatus.CANCELLED)
    assert attach(owner, first["id"], upload_id, version_id).json() == again.json()
    assert before == (AuditEvent.objects.count(), Asset.objects.count())


def test_on_a_second_anchor_it_is_a_further_picture_with_the_same_bytes(owner: Api, job: Job) -> None:
    first = attached(owner, job, picture())
    used, other = used_bytes(owner.user.pk), make_anchor(job)
    one = first["assets"][0]
    answer = attach(owner, other.pk, one["upload_id"], other.instruction_version_id)
    (two,) = answer.json()["assets"]
    assert (two["id"] != one["id"], two["anchor_id"], two["version"]) == (True, str(other.pk), 1)
    same = ("checksum_sha256", "upload_id", "mime_type", "width", "height", "kind")
    assert [two[name] for name in same] == [one[name] for name in same]
    assert len({asset.uri for asset in Asset.objects.all()}) == 1
    assert used_bytes(owner.user.pk) == used + len(picture())
    assert owner.get(f"/anchors/{first['id']}").json() == first


def test_a_further_picture_needs_room(owner: Api, job: Job, settings: Any) -> None:
    first = attached(owner, job, picture())
    settings.QUOTA_BYTES_PER_OWNER = used_bytes(owner.user.pk)
    other = make_anchor(job)
    upload_id = first["assets"][0]["upload_id"]
    refused = attach(owner, other.pk, upload_id, other.instruction_version_id, idempotency_key="a")
    assert_shape(refused, 507, "STORAGE_FULL")
    assert Asset.objects.count() == 1 and not other.attach_requests.exists()


def test_a_deleted_picture_can_be_attached_again(owner: Api, job: Job) -> None:
    first = attached(owner, job, picture())
    old = first["assets"][0]
    assert owner.call("DELETE", f"/anchors/{first['id']}/assets/{old['id']}").status_code == 200
    answer = attach(owner, first["id"], old["upload_id"], first["instruction_version_id"])
    (new,) = answer.json()["assets"]
    assert (new["id"] != old["id"], new["version"]) == (True, 2)
    assert answer.json()["active_asset_id"] == new["id"]


def test_a_key_is_for_one_upload_and_version(owner: Api, job: Job) -> None:
    anchor = make_anchor(job)
    other = confirmed(owner, job, picture(size=(48, 64)), width=48, height=64)
    version_id = anchor.instruction_version_id
    upload_id = confirmed(owner, job)["upload_id"]
    first = attach(owner, anchor.pk, upload_id, version_id, idempotency_key="a")
    assert attach(owner, anchor.pk, upload_id, version_id, idempotency_key="a").json() == first.json()
    refused = attach(owner, anchor.pk, other["upload_id"], version_id, idempotency_key="a")
    assert_shape(refused, 409, "IDEMPOTENCY_KEY_REUSED")
    saved = owner.put(
        f"/instructions/{job.instruction_id}",
        {"base_version": 1, "markdown": "# Another\n\n## Step 1: A\n\nB.\n"},
    ).json()
    newer = attach(owner, anchor.pk, upload_id, saved["instruction_version_id"], idempotency_key="a")
    assert_shape(newer, 409, "IDEMPOTENCY_KEY_REUSED")
    assert attach(owner, anchor.pk, other["upload_id"], version_id, idempotency_key="b").status_code == 200
    another = make_anchor(job)
    assert attach(owner, another.pk, other["upload_id"], version_id, idempotency_key="a").status_code == 200


def test_a_key_that_is_sent_again_after_a_deletion_attaches_nothing(owner: Api, job: Job) -> None:
    anchor, asset = make_anchor(job), confirmed(owner, job)
    about = (owner, anchor.pk, asset["upload_id"], anchor.instruction_version_id)
    assert attach(*about, idempotency_key="a").status_code == 200
    owner.call("DELETE", f"/anchors/{anchor.pk}/assets/{asset['id']}")
    assert attach(*about, idempotency_key="a").json()["assets"] == []


def test_what_is_not_confirmed_or_of_another_is_not_there(owner: Api, stranger: Api, job: Job) -> None:
    anchor, mine = make_anchor(job), confirmed(owner, job)["upload_id"]
    theirs, other = (make_job(JobStatus.EDITING, owner=api.user) for api in (stranger, owner))
    uploads = [
        ask_for(owner, job, picture())["upload_id"],
        confirmed(owner, other)["upload_id"],
        confirmed(stranger, theirs)["upload_id"],
        str(job.pk),
        "odd",
    ]
    for upload_id in uploads:
        answer = attach(owner, anchor.pk, upload_id, anchor.instruction_version_id)
        assert_shape(answer, 404, "RESOURCE_NOT_FOUND")
    assert attach(stranger, anchor.pk, mine, anchor.instruction_version_id).status_code == 404
    assert (
        attach(stranger, make_anchor(theirs).pk, mine, theirs.instruction.versions.get().pk).status_code
        == 404
    )
    assert not Asset.objects.exclude(anchor=None).exists()


def test_a_version_of_another_document_is_400(owner: Api, job: Job) -> None:
    anchor, asset = make_anchor(job), confirmed(owner, job)
    other = make_job(JobStatus.EDITING, owner=owner.user).instruction.versions.get()
    for version_id in (other.pk, "odd"):
        refused = attach(owner, anchor.pk, asset["upload_id"], version_id)
        errors = assert_shape(refused, 400, "VALIDATION_ERROR")["details"]["errors"]
        assert [error["field"] for error in errors] == ["instruction_version_id"]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_the_anchors_of_an_ended_job_stay(owner: Api, job: Job, status: JobStatus) -> None:
    anchor, asset = make_anchor(job), confirmed(owner, job)
    force(job, status)
    refused = attach(owner, anchor.pk, asset["upload_id"], anchor.instruction_version_id, idempotency_key="a")
    assert_shape(refused, 409, "FSM_TERMINAL_IMMUTABLE")
    assert Asset.objects.get().anchor_id is None and not anchor.attach_requests.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_attaches(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    anchors, asset = [make_anchor(job) for _ in range(2)], confirmed(owner, job)
    version_id = anchors[0].instruction_version_id
    answers = at_once(6, lambda n: attach(owner, anchors[n % 2].pk, asset["upload_id"], version_id))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(Asset.objects.values_list("version", flat=True)) == [1, 1]
    assert AuditEvent.objects.filter(event_type="SCREENSHOT_ATTACHED").count() == 2


@pytest.mark.parametrize("mime_type", TYPES)
def test_an_uploaded_picture_is_drawn_on_as_exif_turns_it(owner: Api, job: Job, mime_type: str) -> None:
    content = picture(TYPES[mime_type][0], size=(320, 180), exif=exif(6))
    anchor = attached(owner, job, content, mime_type, width=320, height=180)
    body = {"base_asset_id": anchor["active_asset_id"], "operations": [BLUR]}
    drawn = owner.post(f"/anchors/{anchor['id']}/annotations", body)
    assert drawn.status_code == 200, drawn.content
    asset = Asset.objects.get(pk=drawn.json()["rendered_asset_id"])
    assert (asset.width, asset.height) == (180, 320)
    with storage().open(asset.uri) as file, Image.open(file) as image:
        assert image.size == (180, 320) and not image.getexif()


def artifact(export: dict[str, Any], api: Api) -> bytes:
    url = export["download_url"]
    if storage().is_written_by_clients:
        return httpx.get(url).content
    answer = api.client.get(url[url.index("/api/") :])
    return bytes(answer.getvalue())


def unpacked(content: bytes) -> list[bytes]:
    """All that an archive, a page or a PDF holds, unpacked, and its pictures as they lie there."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            return [bundle.read(name) for name in bundle.namelist()]
    if content.startswith(b"<!DOCTYPE html>"):
        return [base64.b64decode(data) for data in re.findall(rb"base64,([^\"]+)", content)]
    document = PdfReader(io.BytesIO(content))
    objects = [document.get_object(number) for number in document.xref[0]] + [
        document.get_object(number) for number in document.xref_objStm
    ]
    return [found.get_data() for found in objects if isinstance(found, StreamObject)]


@pytest.mark.parametrize("format", ["MD_ZIP", "PDF", "HTML"])
@pytest.mark.parametrize("mime_type", TYPES)
def test_nothing_of_the_metadata_is_exported(desk: Desk, mime_type: str, format: str) -> None:
    content = with_metadata(mime_type, orientation=6)
    with Image.open(io.BytesIO(content)) as image:
        assert image.getexif().get_ifd(0x8825), "it has a place"
        size = {"width": image.width, "height": image.height}
    assert sum(secret in content for secret in SECRETS) >= 3
    attached(desk.api, desk.job, content, mime_type, **size)
    export = done(desk, format)
    assert export["status"] == "SUCCEEDED", export
    made = artifact(export, desk.api)
    parts = unpacked(made)
    assert len(parts) > 2 or format == "HTML"
    # The PDF has metadata of its own, about the guide, in the same words as a picture's XMP begins.
    secrets = set(SECRETS) - ({b"http://ns.adobe.com/xap"} if format == "PDF" else set())
    assert [secret for secret in secrets for part in [made, *parts] if secret in part] == []
    pictures = [part for part in parts if part[:3] in (b"\x89PN", b"\xff\xd8\xff", b"RIF")]
    assert pictures or format == "PDF"
    for part in pictures:
        with Image.open(io.BytesIO(part)) as image:
            assert not dict(image.getexif()) and "xmp" not in image.info
            assert image.size == (size["height"], size["width"])
