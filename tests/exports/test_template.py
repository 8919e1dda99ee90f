"""How the guides of a project look: what can be set, and that it is part of what an export is."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
import rfc8785
from PIL import Image

from anchors.models import Asset
from config.storage import kept_folder, storage
from exports.identity import identity_key
from exports.logos import LogoRefused, make_logo
from exports.look import MAX_FOOTER, contrast_with_white
from exports.models import Export
from tests.desk import Desk
from tests.errors import assert_shape
from tests.exports.asking import done, request_export
from tests.factories import Api
from tests.pictures import make_image_upload

DEFAULT = {"logo": None, "accent_color": None, "footer": None, "paper_size": "A4", "look_hash": None}


def png(width: int, height: int, color: str = "#205090") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, "PNG")
    return out.getvalue()


def uploaded(desk: Desk, content: bytes) -> str:
    """Return the id of the confirmed upload of a picture."""
    stored = storage().save_bytes(kept_folder(desk.job.pk), content, suffix=".png")
    asset = Asset.objects.create(
        job=desk.job,
        version=1,
        kind=Asset.Kind.UPLOADED,
        uri=stored.uri,
        checksum_sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        mime_type="image/png",
        width=64,
        height=48,
    )
    return str(make_image_upload(desk.job, asset=asset).pk)


def template(desk: Desk, **body: Any) -> Any:
    return desk.api.post(f"/projects/{desk.job.project_id}/template", body)


def test_what_is_named_changes_and_the_rest_stays(desk: Desk) -> None:
    path = f"/projects/{desk.job.project_id}/template"
    shown = desk.api.get(path).json()
    assert {name: shown[name] for name in DEFAULT} == DEFAULT
    assert template(desk, accent_color="#7A1F1F", footer="Reed & Sound").status_code == 200
    changed = template(desk, paper_size="LETTER").json()
    assert changed == desk.api.get(path).json()
    look = {"accent_color": "#7a1f1f", "footer": "Reed & Sound", "paper_size": "LETTER"}
    assert {name: changed[name] for name in look} == look
    hashed = hashlib.sha256(rfc8785.dumps({**look, "logo_sha256": None})).hexdigest()
    assert changed["look_hash"] == hashed
    back = template(desk, accent_color=None, footer=None, paper_size="A4").json()
    assert {name: back[name] for name in DEFAULT} == DEFAULT


def test_a_logo_comes_from_an_upload_of_the_project(desk: Desk) -> None:
    logo = template(desk, logo_upload_id=uploaded(desk, png(1280, 200))).json()["logo"]
    assert (logo["width"], logo["height"]) == (640, 100)
    assert template(desk, footer="F").json()["logo"] == logo
    assert template(desk, logo_upload_id=None).json()["logo"] is None


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"accent_color": "red"}, "accent_color", "invalid"),
        ({"accent_color": "#ffe000"}, "accent_color", "low_contrast"),
        ({"footer": "x" * (MAX_FOOTER + 1)}, "footer", "max_length"),
        ({"footer": ""}, "footer", "blank"),
        ({"paper_size": "A3"}, "paper_size", "invalid_choice"),
        ({"logo_upload_id": "odd"}, "logo_upload_id", "unknown_upload"),
        ({"odd": 1}, "odd", "unknown_field"),
    ],
)
def test_what_cannot_be_is_refused_by_name(desk: Desk, body: Any, field: str, code: str) -> None:
    errors = assert_shape(template(desk, **body), 400, "VALIDATION_ERROR")["details"]["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [(field, code)]


def test_an_upload_that_is_no_logo_or_not_confirmed_is_refused(desk: Desk) -> None:
    for upload_id, code in (
        (uploaded(desk, png(8, 8)), "not_a_logo"),
        (str(make_image_upload(desk.job).pk), "unknown_upload"),
    ):
        errors = assert_shape(template(desk, logo_upload_id=upload_id), 400, "VALIDATION_ERROR")["details"]
        assert [error["code"] for error in errors["errors"]] == [code]


def test_an_upload_of_somebody_else_is_not_known(desk: Desk, stranger: Api) -> None:
    other = Desk(stranger)
    answer = template(desk, logo_upload_id=uploaded(other, png(64, 64)))
    errors = assert_shape(answer, 400, "VALIDATION_ERROR")["details"]["errors"]
    assert [error["code"] for error in errors] == ["unknown_upload"]


def test_of_a_stranger_there_is_no_template(desk: Desk, stranger: Api) -> None:
    path = f"/projects/{desk.job.project_id}/template"
    assert_shape(stranger.get(path), 404, "RESOURCE_NOT_FOUND")
    assert_shape(stranger.post(path, {"footer": "F"}), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("format", Export.Format.values)
def test_another_look_is_another_export(desk: Desk, format: str) -> None:
    plain = done(desk, format)
    template(desk, footer="Reed & Sound", accent_color="#7a1f1f", logo_upload_id=uploaded(desk, png(320, 80)))
    branded = done(desk, format)
    assert branded["status"] == "SUCCEEDED", branded
    assert branded["artifact_sha256"] != plain["artifact_sha256"]
    look_hash = desk.api.get(f"/projects/{desk.job.project_id}/template").json()["look_hash"]
    parts = {name: branded[name] for name in ("instruction_version_id", "format", "screenshot_set_hash")}
    key = identity_key(
        **parts, renderer_version=branded["provenance"]["renderer_version"], look_hash=look_hash
    )
    assert key == branded["identity_key"] != plain["identity_key"]
    for name in ("footer", "accent_color", "logo_upload_id"):
        template(desk, **{name: None})
    assert request_export(desk, format).json()["id"] == plain["id"]


def test_the_paper_that_is_asked_for_goes_before_the_template(desk: Desk) -> None:
    template(desk, paper_size="LETTER")
    ids = [request_export(desk, "PDF", **body).json()["id"] for body in ({}, {"paper_size": "LETTER"})]
    assert ids[0] == ids[1] != request_export(desk, "PDF", paper_size="A4").json()["id"]
    assert_shape(request_export(desk, "PDF", paper_size="A3"), 400, "VALIDATION_ERROR")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#ffffff") == pytest.approx(1)
    assert contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"GIF89a", png(15, 400)])
def test_what_serves_for_no_logo_is_refused(content: bytes) -> None:
    with pytest.raises(LogoRefused):
        make_logo(content)
