"""A picture that an annotation crops is shown cropped in every format, with its own size and proportions."""

from __future__ import annotations

import base64
import io
import re
import zipfile

import docx
import pypdfium2
import pytest
from PIL import Image

from tests.desk import Desk
from tests.exports.asking import done
from tests.factories import Api

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CROP = {"op_type": "crop", "geometry": {"x": 0.25, "y": 0.1, "width": 0.3, "height": 0.4}}


@pytest.fixture
def cropped(owner: Api) -> tuple[Desk, tuple[int, int]]:
    """Return a desk with one cropped picture on its document, and the size of the picture in pixels."""
    desk = Desk(owner)
    drawn = desk.annotate(desk.picture(), CROP).json()
    content = desk.api.get(f"/assets/{drawn['active_asset_id']}/content")
    with Image.open(io.BytesIO(b"".join(content.streaming_content))) as picture:
        return desk, picture.size


@pytest.mark.parametrize("format", ["PDF", "HTML", "DOCX", "MD_ZIP"])
def test_every_format_shows_the_cropped_picture(cropped: tuple[Desk, tuple[int, int]], format: str) -> None:
    desk, size = cropped
    path = done(desk, format)["download_url"].split("/api/v1", 1)[1]
    content = b"".join(desk.api.get(path).streaming_content)
    (pixels, shown), entry = found_in(format, content), desk.job.exports.get().manifest["pictures"][0]
    assert pixels == size == (entry["width"], entry["height"])
    assert shown[0] / shown[1] == pytest.approx(size[0] / size[1], rel=0.02)


def found_in(format: str, content: bytes) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return the size of the only picture of an export: in pixels, and as it is shown."""
    if format == "PDF":
        pages = pypdfium2.PdfDocument(content)
        (image,) = [thing for page in pages for thing in page.get_objects(max_depth=9) if thing.type == 3]
        left, bottom, right, top = image.get_bounds()
        return image.get_px_size(), (right - left, top - bottom)
    if format == "DOCX":
        document = docx.Document(io.BytesIO(content))
        (shape,) = document.inline_shapes
        part = document.part.related_parts[shape._inline.graphic.graphicData.pic.blipFill.blip.embed]
        return size_of(part.blob), (shape.width, shape.height)
    if format == "HTML":
        tag = re.search(rb'<img src="data:[^,]*,([^"]*)"[^>]* width="(\d+)" height="(\d+)"', content)
        assert tag is not None
        return size_of(base64.b64decode(tag[1])), (int(tag[2]), int(tag[3]))
    bundle = zipfile.ZipFile(io.BytesIO(content))
    (name,) = [name for name in bundle.namelist() if name.startswith("images/")]
    pixels = size_of(bundle.read(name))
    return pixels, pixels


def size_of(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.size
