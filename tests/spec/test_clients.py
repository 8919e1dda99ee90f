"""The generated clients: without warnings, they compile, and the Python one takes a job from upload to download."""

from __future__ import annotations

import compileall
import io
import json
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories import SAMPLE
from tests.served import Served
from tests.spec.generated import DESCRIPTION, PythonClient, generate_python_client

MAX_MODELS = 165
NODE_PACKAGES = ("@hey-api/openapi-ts@0.95", "typescript@5", "@stoplight/spectral-cli@6")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's tmp_path: run as root, PostgreSQL is another user, who cannot pass its parent folder.
    made = Path(tempfile.mkdtemp(prefix="stepwright-client-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(folder)
    return generate_python_client(folder)


def _wait(read: Callable[[], Any], status: str) -> Any:
    """Poll a resource until it has this status, 60 s at most."""
    deadline = time.monotonic() + 60
    while (resource := read()).status != status:
        assert resource.status not in ("FAILED", "CANCELLED"), resource
        assert time.monotonic() < deadline, resource
        time.sleep(0.1)
    return resource


def _last_part(url: str) -> str:
    return url.rsplit("/", 1)[1]


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    service = Served(folder / "home")
    try:
        service.start(seconds=120)
        yield service
    finally:
        service.stop()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_python_client_compiles_and_takes_a_job_through(package: Path, served: Served) -> None:
    assert compileall.compile_dir(package, quiet=1)
    assert len(list((package / "models").glob("*.py"))) <= MAX_MODELS
    api = PythonClient(served.url, served.token())
    job = _drafted(api)
    document = _edited(api, job)
    assert _pictured(api, job, document).startswith(b"\x89PNG\r\n\x1a\n")
    assert _exported(api, job, document, "PDF").startswith(b"%PDF-")
    zipped = zipfile.ZipFile(io.BytesIO(_exported(api, job, document, "MD_ZIP")))
    assert "What the client added." in zipped.read("instruction.md").decode()


def _drafted(api: PythonClient) -> Any:
    """A job with the sample, uploaded and run."""
    models = api.models
    project = api.call("jobs.create_project", body=models.ProjectBody(name="Generated"))
    options = models.JobOptionsBody(title="Orders", auto_screenshots=False)
    job = api.call("jobs.create_job", project.id, body=models.JobBody(options=options))
    recording = SAMPLE.read_bytes()
    kind = "application/octet-stream"  # which the client sends
    about = models.UploadBody(filename="a.mp4", size_bytes=len(recording), mime_type=kind)
    ticket = api.call("jobs.upload_job", job.id, body=about)
    sent = api.types.File(payload=io.BytesIO(recording))
    api.call("files.put_upload", _last_part(ticket.upload_url), body=sent)
    body = models.ConfirmUploadBody(video_uri=ticket.video_uri)
    assert api.call("jobs.confirm_upload", job.id, body=body).job.status == "UPLOADED"
    assert api.call("jobs.run_job", job.id).replayed is False
    job = _wait(lambda: api.call("jobs.get_job", job.id), "DRAFT_READY")
    assert api.call("jobs.get_transcript", job.id).items
    return job


def _edited(api: PythonClient, job: Any) -> Any:
    document = api.call("instructions.get_instruction", job.instruction_id)
    text = document.markdown + "\nWhat the client added.\n"
    body = api.models.SaveBody(base_version=document.version, markdown=text)
    saved = api.call("instructions.save_instruction", job.instruction_id, body=body)
    assert saved.version == document.version + 1
    return saved


def _pictured(api: PythonClient, job: Any, document: Any) -> bytes:
    """The bytes of a picture with a drawing, on the first step."""
    models = api.models
    step = next(block for block in document.blocks if block.kind == "step")
    body = models.ExtractBody(
        instruction_id=document.instruction_id,
        instruction_version_id=document.instruction_version_id,
        timestamp_ms=5000,
        block_id=step.block_id,
    )
    task = api.call("anchors.extract_screenshot", job.id, body=body)
    task = _wait(lambda: api.call("anchors.get_screenshot_task", task.task_id), "SUCCEEDED")
    rectangle = models.PictureRectangle(x=0.1, y=0.1, width=0.3, height=0.2)
    begin, end = models.PicturePoint(x=0.2, y=0.8), models.PicturePoint(x=0.5, y=0.5)
    operations = [
        models.BlurOperation(op_type="blur", geometry=rectangle),
        models.ArrowOperation(op_type="arrow", geometry=models.PictureLine(from_=begin, to=end)),
    ]
    body = models.AnnotationBody(base_asset_id=task.asset_id, operations=operations)
    drawn = api.call("anchors.annotate_anchor", task.anchor_id, body=body)
    anchor = api.call("anchors.get_anchor", task.anchor_id)
    assert anchor.active_asset_id == drawn.rendered_asset_id
    assert isinstance(anchor.addressing, models.BlockAddress)
    picture: bytes = api.call("anchors.get_asset_content", drawn.rendered_asset_id).payload.read()
    return picture


def _exported(api: PythonClient, job: Any, document: Any, format: str) -> bytes:
    wanted = api.models.ExportBody(
        format_=api.models.ExportFormat(format), instruction_version_id=document.instruction_version_id
    )
    export = api.call("exports.request_export", job.id, body=wanted)
    export = _wait(lambda: api.call("exports.get_export", export.id), "SUCCEEDED")
    manifest = api.call("exports.get_export_manifest", export.id)
    assert [file.sha256 for file in manifest.files] and manifest.pictures[0].anchor_id
    content: bytes = api.call("files.get_file", _last_part(export.download_url)).payload.read()
    return content


@pytest.fixture
def node(folder: Path) -> Path:
    """A folder with the packages from npm's registry; skips where Node or the registry is not at hand."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not installed")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *NODE_PACKAGES]
    done = subprocess.run(install, cwd=folder, timeout=150, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm could not install the generators: {done.stderr[-300:]}")
    return folder


def _run(node: Path, program: str, *arguments: str) -> None:
    command = [str(node / "node_modules" / ".bin" / program), *arguments]
    done = subprocess.run(command, cwd=node, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_typescript_client_compiles_and_spectral_finds_nothing(node: Path) -> None:
    _run(node, "openapi-ts", "--input", str(DESCRIPTION), "--output", "client")
    compiler = {"strict": True, "noEmit": True, "target": "es2022", "module": "esnext"}
    compiler |= {"moduleResolution": "bundler", "lib": ["es2022", "dom", "dom.iterable"]}
    (node / "tsconfig.json").write_text(json.dumps({"compilerOptions": compiler, "include": ["client"]}))
    _run(node, "tsc")
    (node / "rules.yaml").write_text("extends: ['spectral:oas']\n")
    _run(node, "spectral", "lint", str(DESCRIPTION), "--ruleset", "rules.yaml", "--fail-severity", "hint")
