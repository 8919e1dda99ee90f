"""What an export says of where its pictures come from, and that it lets nobody test guesses of what is hidden."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from anchors.models import Asset
from anchors.render import ops_hash
from config.storage import storage
from tests.desk import Desk
from tests.exports.asking import done
from tests.factories import make_anchor, work_off

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]

ARROW = {"op_type": "arrow", "geometry": {"from": {"x": 0.1, "y": 0.1}, "to": {"x": 0.4, "y": 0.4}}}
BLUR = {"op_type": "blur", "geometry": {"x": 0.1, "y": 0.4, "width": 0.8, "height": 0.5}}
PIN = "8305"
FONT = ImageFont.load_default(20)


def page(pin: str) -> bytes:
    """What the attacker knows of the screen but for the PIN, as a file."""
    image = Image.new("RGB", (96, 48), "white")
    pen = ImageDraw.Draw(image)
    pen.text((8, 2), "Your PIN", fill="black")
    pen.text((16, 20), pin, fill="black", font=FONT)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def export(desk: Desk) -> tuple[Any, dict[str, bytes]]:
    """The manifest of a bundle, and its files."""
    found = done(desk)
    with zipfile.ZipFile(io.BytesIO(fetch(desk, found["download_url"]))) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    return desk.api.get(f"/exports/{found['id']}/manifest").json(), files


def fetch(desk: Desk, url: str) -> bytes:
    if url.startswith("http://127.0.0.1:8000/"):
        answer = desk.api.client.get(url.removeprefix("http://127.0.0.1:8000"))
        return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    return httpx.get(url).content


def hashes_of(pin: str) -> Iterator[str]:
    """All that could be published of a page with this PIN, and what is drawn on it."""
    file = page(pin)
    base = hashlib.sha256(file).hexdigest()
    yield base
    yield ops_hash(base_checksum=base, operations=[BLUR])
    yield hashlib.sha256(Image.open(io.BytesIO(file)).tobytes()).hexdigest()


def found_by_guessing(published: str) -> list[str]:
    """The PINs of which a hash stands in what was published."""
    said = set(re.findall(r"[0-9a-f]{64}", published))
    pins = (f"{number:04}" for number in range(10_000))
    return [pin for pin in pins if said & set(hashes_of(pin))]


def hidden_page(desk: Desk) -> Asset:
    """A picture with the PIN on an anchor, under a blur; the answer is the one that was drawn."""
    file = page(PIN)
    stored = storage().save_bytes(f"jobs/{desk.job.pk}/", file, suffix=".png")
    frame = {
        "pts": 1,
        "time_base": "1/1000",
        "pix_fmt": "rgb24",
        "frame_sha256": hashlib.sha256(Image.open(io.BytesIO(file)).tobytes()).hexdigest(),
    }
    anchor = make_anchor(desk.job)
    asset = Asset.objects.create(
        job=desk.job,
        anchor=anchor,
        version=1,
        kind=Asset.Kind.EXTRACTED,
        uri=stored.uri,
        checksum_sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        mime_type="image/png",
        width=96,
        height=48,
        extracted_at_ms=1,
        frame=frame,
    )
    task = {"anchor_id": str(anchor.pk), "asset_id": str(asset.pk)}
    drawn = desk.annotate(task, BLUR).json()["rendered_asset_id"]
    return Asset.objects.get(pk=drawn)


def test_no_guess_of_a_pin_can_be_tested_by_an_export(desk: Desk) -> None:
    drawn = hidden_page(desk)
    manifest, files = export(desk)
    published = json.dumps(manifest) + "".join(
        hashlib.sha256(file).hexdigest() + file.decode("latin-1") for file in files.values()
    )
    assert found_by_guessing(published) == []
    (picture,) = manifest["pictures"]
    assert picture["origin"] == {
        "kind": "ANNOTATED",
        "commitment": hashlib.sha256(
            bytes(drawn.commitment_salt) + bytes.fromhex(drawn.ops_hash)
        ).hexdigest(),
        "ops_hash": None,
        "base_sha256": None,
        "bases": [],
        "frame": None,
        "video_sha256": None,
    }


def _ops_hash(drawn: Asset) -> str:
    return drawn.ops_hash


def _base(drawn: Asset) -> str:
    assert drawn.rendered_from
    return drawn.rendered_from.checksum_sha256


def _frame(drawn: Asset) -> str:
    assert drawn.rendered_from and drawn.rendered_from.frame
    return str(drawn.rendered_from.frame["frame_sha256"])


@pytest.mark.file_system  # it is about hashes, and takes seconds
@pytest.mark.parametrize("leaked", [_ops_hash, _base, _frame])
def test_each_hash_that_is_not_published_gives_the_pin_away(
    desk: Desk, leaked: Callable[[Asset], str]
) -> None:
    assert found_by_guessing(leaked(hidden_page(desk))) == [PIN]


def test_what_hides_nothing_says_where_it_comes_from(desk: Desk) -> None:
    task = desk.picture()
    drawn = desk.annotate(task, ARROW).json()
    manifest, _ = export(desk)
    base = Asset.objects.get(pk=task["asset_id"])
    assert base.frame
    assert manifest["pictures"][0]["origin"] == {
        "kind": "ANNOTATED",
        "commitment": None,
        "ops_hash": drawn["ops_hash"],
        "base_sha256": base.checksum_sha256,
        "bases": [
            {
                "asset_id": str(base.pk),
                "kind": "EXTRACTED",
                "sha256": base.checksum_sha256,
                "ops_hash": None,
            }
        ],
        "frame": {"extracted_at_ms": base.extracted_at_ms, **base.frame},
        "video_sha256": manifest["video"]["sha256"],
    }


@pytest.mark.parametrize(
    "hiding",
    [
        {"op_type": "crop", "geometry": {"x": 0, "y": 0, "width": 0.5, "height": 1}},
        {"op_type": "marker", "geometry": BLUR["geometry"], "style": {"opacity": 1}},
    ],
)
def test_what_is_drawn_on_something_hidden_is_committed_to(desk: Desk, hiding: dict[str, Any]) -> None:
    task = desk.picture()
    first = desk.annotate(task, hiding).json()["rendered_asset_id"]
    desk.annotate({**task, "asset_id": first}, ARROW)
    manifest, _ = export(desk)
    origin = manifest["pictures"][0]["origin"]
    assert (origin["ops_hash"], origin["base_sha256"], origin["frame"]) == (None, None, None)
    assert origin["commitment"]


def test_a_redacted_picture_is_committed_to(desk: Desk) -> None:
    desk.picture()
    region = {"x": 0, "y": 0, "width": 0.5, "height": 0.5}
    desk.api.post(f"/jobs/{desk.job.pk}/redactions", {"start_ms": 0, "end_ms": 40_000, "region": region})
    work_off()
    manifest, _ = export(desk)
    origin = manifest["pictures"][0]["origin"]
    assert (origin["frame"], bool(origin["commitment"])) == (None, True)
