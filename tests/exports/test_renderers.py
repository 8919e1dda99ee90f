"""What holds for every format: the same bytes, one composition, the manifest, and failures."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from exports.renderers import RENDERERS, RenderFailed
from exports.renderers.compose import compose
from exports.snapshot import AssetMissing, Document, Picture
from instructions.complexity import check_complexity
from tests.exports.documents import PNG, block_id, make_document, plain_png, sample, with_markers

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("format", RENDERERS)
def test_rendering_in_threads_gives_the_same_bytes(format: str) -> None:
    texts = [f"# Guide {n}\n\n" + f"Text {n}. " * 40 * n for n in range(1, 5)]
    inputs = [make_document(text, [(None, plain_png(n))]) for n, text in enumerate(texts)]

    def render(number: int) -> bytes:
        return RENDERERS[format].render(*inputs[number % 4]).content

    alone = [render(number) for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(render, range(16))) == alone * 4


@pytest.mark.parametrize("format", RENDERERS)
def test_a_document_is_composed_once(format: str) -> None:
    document, read = sample()
    calls = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code is compose.__code__

    # Counted by its code, so that it does not matter which module calls it by which name.
    sys.setprofile(count)
    try:
        RENDERERS[format].render(document, read)
    finally:
        sys.setprofile(None)
    assert calls == 1


@pytest.mark.parametrize("format", RENDERERS)
def test_a_picture_in_the_last_step_of_a_long_guide_is_shown(format: str) -> None:
    """Its headings have 21,600 marks, more than the outline of a text reads; 2,400 steps fit in an instruction."""
    numbers = [1 + n % 999 for n in range(2_400)]
    steps = "".join(f"### Step {n}: **Press** `F{n}` (0:01–0:02)\n\ntext {n}\n\n" for n in numbers)
    text = with_markers(f"# T\n\n{steps}### Step 7: The **last**\n\nend\n")
    check_complexity(text)
    document, read = make_document(text, [(block_id(text, "end"), PNG)])
    (entry,) = RENDERERS[format].render(document, read).manifest["pictures"]
    assert "step-7" in entry["file"]
    assert entry["page"] > 10 if format == "PDF" else entry["page"] is None


def test_importing_the_services_does_not_import_typst() -> None:
    code = (
        "import sys, django; django.setup(); import exports.services.requests; print('typst' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout == "False\n"


@pytest.mark.parametrize("format", RENDERERS)
def test_the_manifest_of_every_format_lists_what_was_rendered(format: str) -> None:
    document, read = sample()
    rendered = RENDERERS[format].render(document, read)
    manifest = rendered.manifest
    names = [file["name"] for file in manifest["files"]]
    assert [entry["file"] for entry in manifest["pictures"]] == [
        n for n in names if n.startswith(("images/", "word/media/"))
    ]
    assert len(manifest["pictures"]) == 4
    assert [file["sha256"] for file in manifest["files"]] == [file.sha256 for file in rendered.files]
    if format in ("PDF", "HTML"):
        assert manifest["files"][-1] == {
            "name": f"instruction{rendered.extension}",
            "sha256": hashlib.sha256(rendered.content).hexdigest(),
            "size_bytes": len(rendered.content),
        }


def test_a_missing_picture_fails_every_format() -> None:
    document, _ = make_document("# T\n", [(None, PNG)])

    def gone(picture: Picture) -> bytes:
        raise AssetMissing(picture.asset_id)

    for renderer in RENDERERS.values():
        with pytest.raises(AssetMissing) as caught:
            renderer.render(document, gone)
        assert caught.value.asset_id == "asset-0"


@pytest.mark.parametrize(
    ("read", "mime_type"),
    [(lambda _: PNG + b"x", "image/png"), (lambda _: PNG, "image/webp"), (lambda _: PNG, "image/tiff")],
)
def test_a_picture_that_is_not_the_frozen_one_fails_the_export(read: Any, mime_type: str) -> None:
    document, _ = make_document("# T\n", [(None, PNG)])
    stored = document.to_json()
    stored["pictures"][0]["mime_type"] = mime_type
    for renderer in RENDERERS.values():
        with pytest.raises(RenderFailed):
            renderer.render(Document.from_json(stored), read)
