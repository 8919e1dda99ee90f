"""What the page on checking an export says: its commands as they stand, and verify.py at each link of the chain."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfWriter

from anchors.frames import grab_frames
from anchors.frames.encoding import encode_image
from exports.renderers import RENDERERS
from exports.renderers.sealing import seal
from exports.signing import SigningKey, files_of, make_statement
from tests.exports.documents import block_id, deep_png, encoded, make_document, with_markers
from tests.factories import SAMPLE

pytestmark = pytest.mark.slow

SPEC = Path(__file__).parents[2] / "spec"
COMMANDS = re.findall(r"```sh\n(.*?)```", (SPEC / "verify.md").read_text(), re.DOTALL)
PROGRAMS = ("openssl", "sha256sum", "unzip", "ffmpeg", "pdfdetach", "pdfimages")
HEAD = bytes.fromhex("302e020100300506032b657004220420")
KEY, OTHER = (SigningKey.read(base64.b64encode(HEAD + seed * 32).decode()) for seed in (b"k", b"o"))
Manifest = dict[str, Any]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def guide() -> tuple[Any, Any]:
    """A document with two frames of the sample, of which one was drawn on."""
    text = with_markers("# T\n\n### Step 1: Open it (0:01)\n\na\n\n### Step 2: Close it (0:03)\n\nb\n")
    frames = grab_frames(SAMPLE, [1000, 3000])
    titles = ("Open it", "Close it")
    placed = [
        (block_id(text, title), encode_image(frame.image, "png"))
        for title, frame in zip(titles, frames, strict=True)
    ]
    document, read = make_document(text, placed, video_sha256=sha256(SAMPLE.read_bytes()))
    anchors = [
        {"anchor_id": each.anchor_id, "active_asset_id": each.asset_id, "rendered_asset_id": None}
        for each in document.pictures
    ]
    plain: Manifest = document.to_json()
    plain["provenance"]["anchors"] = anchors
    for picture, frame in zip(plain["pictures"], frames, strict=True):
        shown = {name: getattr(frame, name) for name in ("pts", "time_base", "pix_fmt", "frame_sha256")}
        picture["origin"] = {"kind": "EXTRACTED", "commitment": None, "ops_hash": None, "base_sha256": None}
        picture["origin"]["frame"] = {"extracted_at_ms": 1000, **shown}
    base = {"asset_id": "below", "kind": "EXTRACTED", "sha256": "b0" * 32, "ops_hash": None}
    plain["pictures"][1]["origin"] |= {"ops_hash": "0f" * 32, "base_sha256": "b0" * 32, "bases": [base]}
    return type(document).from_json(plain), read


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export in each format, the keys and the video, named as the page names them."""
    folder = tmp_path_factory.mktemp("export")
    for format, suffix in (("PDF", "pdf"), ("MD_ZIP", "zip"), ("HTML", "html"), ("DOCX", "docx")):
        rendered = RENDERERS[format].render(*guide())
        content = seal(rendered, KEY, format=format)
        (folder / f"artifact.{suffix}").write_bytes(content)
        artifact = {"name": f"artifact.{suffix}", "sha256": sha256(content), "size_bytes": len(content)}
        manifest = {"export_id": "export-1", "artifact": artifact, **rendered.manifest}
        (folder / f"{suffix}.json").write_text(json.dumps(manifest))
    write_envelope(folder, json.loads((folder / "zip.json").read_text()))
    (folder / "key.pem").write_text(KEY.public.pem)
    (folder / "keys.json").write_text(json.dumps({"keys": [{**KEY.public.as_jwk(), "pem": KEY.public.pem}]}))
    shutil.copy(SAMPLE, folder / "video.mp4")
    shutil.copy(SPEC / "verify.py", folder)
    return folder


def write_envelope(folder: Path, manifest: Manifest) -> None:
    artifact = manifest["artifact"]
    subjects = [(artifact["name"], artifact["sha256"]), *files_of(manifest)]
    (folder / "manifest.dsse.json").write_bytes(KEY.envelope(make_statement(manifest, subjects)))


def verify(folder: Path, *options: str, artifact: str = "artifact.zip") -> tuple[int, str]:
    command = [sys.executable, "verify.py", artifact, "--key", "keys.json", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_run_as_they_stand(made: Path, command: str) -> None:
    missing = [name for name in PROGRAMS if name in command and not shutil.which(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    earlier = command.replace("set -e", "")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", earlier],
        cwd=made,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((made / "zip.json").read_text())
    if "openssl" in command:
        assert "Signature Verified Successfully" in done.stdout and KEY.public.key_id in done.stdout
    if "pdfimages" in command or "unzip" in command:
        assert all(picture["pixels_sha256"] in done.stdout for picture in manifest["pictures"])
    if "artifact.html" in command:
        assert all(picture["sha256"] in done.stdout for picture in manifest["pictures"])
    if "framehash" in command:
        assert manifest["pictures"][0]["origin"]["frame"]["frame_sha256"] in done.stdout


# What must be there (STEPWRIGHT_REQUIRE_SERVICES=1) is not skipped: without the programs these tests fail then.
needs_programs = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)) and os.environ.get("STEPWRIGHT_REQUIRE_SERVICES") != "1",
    reason="ffmpeg or Poppler is not installed",
)


@needs_programs
@pytest.mark.parametrize("artifact", ["artifact.zip", "artifact.pdf", "artifact.docx"])
def test_the_envelope_inside_is_enough(made: Path, artifact: str) -> None:
    status, said = verify(made, "--video", "video.mp4", artifact=artifact)
    assert status == 0, said
    assert said.endswith("All that was checked holds.\n") and "of the video has its hash" in said


def frame_of(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["pictures"][0]["origin"]["frame"]
    return found


LINKS: list[tuple[Callable[[Manifest], object], str]] = [
    (lambda m: m.update(instruction_version_id="v"), "to its version (identity_key)"),
    (lambda m: m["pictures"][0].update(block_id="b"), "(screenshot_set_hash)"),
    (lambda m: m["pictures"][0].update(asset_id="a"), "from the anchor to the asset"),
    (lambda m: m["pictures"][0].update(sha256="0" * 64), "from the picture to its file"),
    (lambda m: m["pictures"][1]["origin"].update(ops_hash=None), "from the asset to the operations"),
    (lambda m: m["pictures"][1]["origin"].update(base_sha256="0" * 64), "from the operations to the base"),
    (lambda m: m["pictures"][0]["origin"].update(video_sha256="0" * 64), "from the frame to the video"),
    (lambda m: m["pictures"][0]["origin"].update(commitment="0" * 64), "to what is hidden"),
    (lambda m: m["video"].update(sha256="0" * 64), "The video has its hash"),
    (lambda m: frame_of(m).update(frame_sha256="0" * 64), "of the video has its hash"),
    (lambda m: m["artifact"].update(sha256="0" * 64), "The artifact has its hash"),
    (lambda m: m["files"][0].update(sha256="0" * 64), "The file instruction.md has its hash"),
]


@needs_programs
@pytest.mark.parametrize(("change", "link"), LINKS)
def test_each_broken_link_is_named(
    made: Path, tmp_path: Path, change: Callable[[Manifest], object], link: str
) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    manifest = copy.deepcopy(json.loads((made / "zip.json").read_text()))
    change(manifest)
    write_envelope(folder, manifest)
    status, said = verify(folder, "--envelope", "manifest.dsse.json", "--video", "video.mp4")
    wrong = [line for line in said.splitlines() if line.startswith("WRONG")]
    assert status == 1 and any(link in line for line in wrong), said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("artifact.zip", "The artifact has its hash"),
        ("video.mp4", "The video has its hash"),
        ("manifest.dsse.json", "The signature of the manifest holds"),
    ],
)
@needs_programs
def test_a_flipped_byte_is_found(made: Path, tmp_path: Path, name: str, said: str) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    write_envelope(folder, json.loads((made / "zip.json").read_text()))
    content = bytearray((folder / name).read_bytes())
    at = content.index(b'"payload":"') + 40 if name.endswith("json") else len(content) // 2
    content[at] ^= 1
    (folder / name).write_bytes(content)
    status, printed = verify(folder, "--envelope", "manifest.dsse.json", "--video", "video.mp4")
    assert status == 1 and f"WRONG, this is not so: {said}" in printed


def zipped_again(
    content: bytes, changed: Mapping[str, bytes], more: Mapping[str, bytes] | None = None
) -> bytes:
    """Return a zip with these entries changed, and more of them at its end."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.get(name, old.read(name)))
        for name, added in (more or {}).items():
            new.writestr(name, added)
    return out.getvalue()


NO_OTHERS = "The zip holds the files of the manifest and no others."


@pytest.mark.parametrize(
    ("artifact", "changed", "more", "said"),
    [
        ("artifact.zip", {"manifest.json": b"{}"}, {}, "The file manifest.json says what is signed."),
        ("artifact.zip", {"instruction.md": b"x"}, {}, "The file instruction.md has its hash."),
        ("artifact.zip", {}, {"images/03-step-3.png": b"x"}, NO_OTHERS),
        pytest.param("artifact.zip", {}, {"instruction.md": b"x"}, NO_OTHERS, id="twice"),
        ("artifact.docx", {"word/document.xml": b"x"}, {}, "The file word/document.xml has its hash."),
        ("artifact.docx", {}, {"word/_rels/styles.xml.rels": b"x"}, NO_OTHERS),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_changed_in_a_zip_is_named_by_the_envelope_inside(
    made: Path, tmp_path: Path, artifact: str, changed: dict[str, bytes], more: dict[str, bytes], said: str
) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    (folder / artifact).write_bytes(zipped_again((made / artifact).read_bytes(), changed, more))
    status, printed = verify(folder, artifact=artifact)
    assert status == 1 and f"WRONG, this is not so: {said}" in printed


def turned(content: bytes) -> bytes:
    """Return a PDF with its first page turned by an incremental update."""
    writer, out = PdfWriter(io.BytesIO(content), incremental=True), io.BytesIO()
    writer.pages[0].rotate(90)
    writer.write(out)
    assert out.getvalue().startswith(content)
    return out.getvalue()


@needs_programs
@pytest.mark.parametrize("change", [turned, lambda content: content + b"%"])
def test_what_is_appended_to_a_pdf_is_found_by_the_envelope_inside(
    made: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    (folder / "artifact.pdf").write_bytes(change((made / "artifact.pdf").read_bytes()))
    status, printed = verify(folder, artifact="artifact.pdf")
    assert status == 1 and "WRONG, this is not so: Behind the file instruction.pdf stands" in printed


@needs_programs
def test_another_file_is_not_what_was_signed(made: Path, tmp_path: Path) -> None:
    """With an envelope that does not name the artifact itself."""
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    for suffix in ("zip", "docx"):
        with zipfile.ZipFile(made / f"artifact.{suffix}") as bundle:
            (folder / "manifest.dsse.json").write_bytes(bundle.read("manifest.dsse.json"))
        (folder / "other").write_bytes(b"# Another guide")
        status, said = verify(folder, "--envelope", "manifest.dsse.json", artifact="other")
        assert status == 2 and "All that was checked holds" not in said


@needs_programs
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_translucent_picture_is_found_in_a_pdf(made: Path, tmp_path: Path, mode: str) -> None:
    """A PDF holds it as two pictures: its colours, and what is seen of them."""
    picture = Image.linear_gradient("L").convert(mode)
    picture.putalpha(Image.radial_gradient("L"))
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    rendered = RENDERERS["PDF"].render(*make_document("# T", [(None, encoded(picture))]))
    (folder / "artifact.pdf").write_bytes(seal(rendered, KEY, format="PDF"))
    said = verify(folder, artifact="artifact.pdf")[1]
    assert "\nThe picture images/01-picture.png stands on page 1.\n" in said


@needs_programs
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_of_16_bits_is_found_in_a_pdf(made: Path, tmp_path: Path, mode: str) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    rendered = RENDERERS["PDF"].render(*make_document("# T", [(None, deep_png(mode))]))
    (folder / "artifact.pdf").write_bytes(seal(rendered, KEY, format="PDF"))
    said = verify(folder, artifact="artifact.pdf")[1]
    assert "\nThe picture images/01-picture.png stands on page 1.\n" in said


@pytest.fixture
def page(made: Path, tmp_path: Path) -> Path:
    """A folder with the export as HTML, and the envelope of its manifest."""
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    write_envelope(folder, json.loads((made / "html.json").read_text()))
    return folder


def verify_page(folder: Path) -> tuple[int, list[str]]:
    """Return the status, and what was said to be wrong."""
    status, said = verify(folder, "--envelope", "manifest.dsse.json", artifact="artifact.html")
    return status, [line.split(": ", 1)[1] for line in said.splitlines() if line.startswith("WRONG")]


def test_the_pictures_in_a_page_are_those_of_the_manifest(page: Path) -> None:
    status, said = verify(page, "--envelope", "manifest.dsse.json", artifact="artifact.html")
    assert status == 0, said
    assert said.count(" stands in the page.") == 2 and "The file instruction.html has its hash." in said


@pytest.mark.parametrize(("number", "name"), [(0, "images/01-step-1.png"), (1, "images/02-step-2.png")])
def test_a_flipped_byte_in_a_picture_of_a_page_names_the_picture(page: Path, number: int, name: str) -> None:
    content = (page / "artifact.html").read_bytes()
    encoded = re.findall(rb"data:image/png;base64,([^\"]+)", content)[number]
    picture = bytearray(base64.b64decode(encoded))
    picture[len(picture) // 2] ^= 1
    (page / "artifact.html").write_bytes(content.replace(encoded, base64.b64encode(picture)))
    assert verify_page(page) == (
        1,
        [
            "The artifact has its hash.",
            "The file instruction.html has its hash.",
            f"The picture {name} stands in the page.",
        ],
    )


@pytest.mark.parametrize("character", [b"@", b'"', b"=", b"", b"\n"])
def test_a_picture_that_is_no_base64_any_more_is_named(page: Path, character: bytes) -> None:
    content = (page / "artifact.html").read_bytes()
    at = content.index(b"base64,") + 100
    (page / "artifact.html").write_bytes(content[:at] + character + content[at + 1 :])
    status, wrong = verify_page(page)
    assert (status, wrong[-1]) == (1, "The picture images/01-step-1.png stands in the page.")


def test_another_key_is_no_key(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "export"))
    (folder / "keys.json").write_text(OTHER.public.pem)
    assert verify(folder)[0] == 1


def test_what_cannot_be_read_ends_with_2(made: Path) -> None:
    status, said = verify(made, "--envelope", "video.mp4")
    assert status == 2 and said.startswith("It cannot be checked")
