"""What an answer's serializer declares, for the description, and what it gives, by a function written out, are one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from anchors.api.serializers import ScreenshotAssetSerializer, ScreenshotTaskSerializer
from exports.api import serializers as of_exports
from exports.comparison.changes import Region, StepChange
from instructions import queries as read
from instructions.api import serializers as of_instructions
from instructions.block import Block
from instructions.diff import BlockChange, Change
from instructions.evidence import Evidence, EvidenceKind, Frame
from instructions.models import InstructionVersion, RegenerateTask
from instructions.services.history import Comparison
from jobs import queries
from jobs.api import serializers as of_jobs
from jobs.api.screen_events import ScreenEventSerializer
from jobs.api.transcripts import TranscriptSegmentSerializer
from jobs.models import AuditEvent, ScreenEvent, TranscriptSegment
from jobs.states import JobStatus
from tests.factories import (
    make_anchor,
    make_asset,
    make_export,
    make_job,
    make_project,
    make_regenerate_task,
    make_run,
    make_screenshot_task,
    make_user,
    report,
)
from tests.screens import make_screen
from tests.spec.description import document

pytestmark = pytest.mark.django_db

SCHEMAS = document()["components"]["schemas"]
PROVENANCE = ("instruction_snapshot_id", "screenshot_set_hash", "renderer_version", "generated_at")
PROVENANCE_OF_TASK = (
    "instruction_id", "base_version", "selection", "requested_by", "model_profile", "prompt_template_id",
    "prompt_params_ref",
)  # fmt: skip
FAILURE = {
    "failure_code": "OUT_OF_MEMORY",
    "failure_message": "It took too much memory.",
    "failed_stage": "TRANSCRIBING",
    "correlation_id": "c-1",
}


def jobs() -> Iterator[Any]:
    made = make_job(JobStatus.DRAFT_READY, title="Ünïcode   ", language="en")
    made.failure = FAILURE
    yield made
    waiting = make_run().job
    for job in (made, waiting):
        yield queries.read_job(job.owner, str(job.pk))
    (new,) = queries.list_jobs(make_job(owner=make_user("lists")).owner, {})(after=None, limit=9)
    yield new


def events() -> Iterator[AuditEvent]:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    report(job, JobStatus.AUDIO_READY)
    yield from job.events.all()


def segments() -> Iterator[TranscriptSegment]:
    yield TranscriptSegment(start_ms=0, end_ms=2**31 - 1, text='"Ünïcode"\t\x7f')


def screen_events() -> Iterator[ScreenEvent]:
    yield from make_screen(make_job(JobStatus.DRAFT_READY)).screen_events.all()


def versions() -> Iterator[InstructionVersion]:
    version = InstructionVersion.objects.get(instruction__job=make_job(JobStatus.EDITING))
    yield version
    version.validation_errors = [{"code": "NO_STEPS", "message": "There is no step.", "path": "document"}]
    version.model_profile_id, version.prompt_template_id, version.prompt_params_ref = "m", "p", "r"
    yield version


def documents() -> Iterator[Any]:
    yield from versions()
    version = InstructionVersion.objects.latest("created_at")
    yield read.read_version(version.instruction.job.owner, str(version.instruction_id), None)


def steps() -> Iterator[read.Step]:
    version = InstructionVersion.objects.get(instruction__job=make_job(JobStatus.EDITING))
    yield from read.read_steps(version.instruction.job.owner, str(version.instruction_id), 1)
    block = Block(str(uuid4()), "step", "", 0, 9, None, None)
    shown = Evidence(EvidenceKind.SHOWN, frames=(Frame(9, "ab"),), needs_review=True)
    yield read.Step(block, 1, "## Step 1:", shown, (str(uuid4()),))


def diffs() -> Iterator[Comparison]:
    blocks = [BlockChange(str(uuid4()), change) for change in Change]
    yield Comparison(1, 2**31 - 1, "--- version 1\n+++ version 2\n@@ -0,0 +1,1 @@\n+Ünïcode\n", blocks)


def assets() -> Iterator[Any]:
    job = make_job(JobStatus.EDITING)
    base = make_asset(job, anchor=make_anchor(job))
    yield from (base, make_asset(job), make_asset(job, rendered_from=base))
    base.extraction_key, base.is_deleted = "a" * 64, True
    yield base


def tasks() -> Iterator[Any]:
    job = make_job(JobStatus.EDITING)
    yield make_screenshot_task(job)
    failed = make_screenshot_task(job, status="FAILED", failure_code="TIMESTAMP_OUT_OF_RANGE")
    failed.failure_message = "There is no frame at this time."
    yield failed
    anchor = make_anchor(job)
    asset = make_asset(job, anchor=anchor)
    yield make_screenshot_task(job, status="SUCCEEDED", anchor=anchor, asset=asset, extracted_at_ms=0)


def regenerations() -> Iterator[Any]:
    job = make_job(JobStatus.EDITING)
    yield make_regenerate_task(job)
    names = {"model_profile": "m", "prompt_template_id": "p", "prompt_params_ref": "r"}
    place = {"char_range": {"start_offset": 0, "end_offset": 5}}
    over = {"status": RegenerateTask.SUCCEEDED, "progress_pct": 100, "instruction_version": 2}
    yield make_regenerate_task(job, selection=place, context="Shorter.", **names, **over)
    failed = make_regenerate_task(job, status=RegenerateTask.FAILED, failure_code="MODEL_OUTPUT_INVALID")
    failed.failure_message, failed.failed_stage = "It is of no use.", "REGENERATING"
    yield failed


def step_changes() -> Iterator[StepChange]:
    region = Region(0.25, 0.5, 0.125, 0.0625)
    yield StepChange(str(uuid4()), str(uuid4()), "both", [region])
    yield StepChange(str(uuid4()), str(uuid4()), "picture", [])


def exports() -> Iterator[Any]:
    for status in ("REQUESTED", "RUNNING", "FAILED", "SUCCEEDED"):
        export = make_export(make_job(JobStatus.EDITING), status=status)
        yield export
        export.snapshot["provenance"].pop("prompt_params_ref", None)
        export.snapshot["provenance"]["model_profile_id"] = ""
        export.generated_at = export.provenance_frozen_at = datetime(2026, 1, 2, 3, 4, 5, 600, UTC)
        export.failure_code, export.failure_message = "ASSET_MISSING", "A picture is missing."
        yield export


ROWS: dict[type[serializers.Serializer[Any]], Callable[[], Iterator[Any]]] = {
    of_jobs.ProjectSerializer: lambda: iter([make_project(name="Ünïcode")]),
    of_jobs.JobSerializer: jobs,
    of_jobs.AuditEventSerializer: events,
    TranscriptSegmentSerializer: segments,
    ScreenEventSerializer: screen_events,
    of_instructions.InstructionSerializer: documents,
    of_instructions.InstructionVersionSerializer: versions,
    of_instructions.StepSerializer: steps,
    of_instructions.RegenerateTaskSerializer: regenerations,
    of_instructions.InstructionDiffSerializer: diffs,
    ScreenshotAssetSerializer: assets,
    ScreenshotTaskSerializer: tasks,
    of_exports.ExportSerializer: exports,
    of_exports.StepChangeSerializer: step_changes,
}


def declared(serializer: serializers.Serializer[Any], row: Any) -> dict[str, Any]:
    """Return what DRF makes of a row, field by field; what is no attribute of the row is added first."""
    sources = {str(field.source).split(".")[0] for field in serializer.fields.values()} - {"*"}
    values = {name: getattr(row, name) for name in sources if hasattr(row, name)}
    if isinstance(serializer, of_jobs.JobSerializer):
        values |= {"manifest": {"exports": [], **row.manifest}}
        values.setdefault("queue_position", None)
    if isinstance(serializer, of_instructions.InstructionSerializer):
        values.setdefault("validation_status", "FAIL" if row.validation_errors else "PASS")
    if isinstance(serializer, of_instructions.RegenerateTaskSerializer):
        asked = {name: known for name in PROVENANCE_OF_TASK if (known := getattr(row, name)) != ""}
        values |= {"provenance": {"requested_at": row.created_at, **asked}, "replayed": False}
    if isinstance(serializer, of_exports.ExportSerializer):
        own = {name: getattr(row, name) for name in PROVENANCE}
        values |= {"provenance": {"prompt_params_ref": None, **row.snapshot["provenance"], **own}}
        if row.status == "SUCCEEDED":
            url, expires_at = of_exports.download_url("", filename="", mime_type="")
            values |= {"download_url": url, "download_url_expires_at": expires_at}
    if isinstance(serializer, ScreenshotAssetSerializer):
        values |= {"image_uri": f"http://127.0.0.1:8000/api/v1/assets/{row.pk}/content"}
    found: dict[str, Any] = serializers.Serializer.to_representation(serializer, values)
    return found


def known(value: Any) -> Any:
    """Return a JSON value without the fields that are null or empty: rows keep "" for what is not known."""
    if isinstance(value, list):
        return [known(item) for item in value]
    if isinstance(value, dict):
        return {name: known(item) for name, item in value.items() if item not in (None, "")}
    return value


def as_json(shown: Any) -> Any:
    return json.loads(JSONRenderer().render(shown))


@pytest.mark.parametrize("serializer", ROWS, ids=lambda serializer: serializer.__name__)
def test_what_is_written_out_is_what_is_declared(
    serializer: type[serializers.Serializer[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = ("https://files/1", datetime(2026, 1, 2, tzinfo=UTC))  # else it has the time of the call
    monkeypatch.setattr(of_exports, "download_url", lambda uri, **kind: signed)
    promised = set(SCHEMAS[serializer.__name__.removesuffix("Serializer")].get("required", ()))
    number = 0
    for number, row in enumerate(ROWS[serializer](), 1):  # noqa: B007
        shown = as_json(serializer().to_representation(row))
        assert known(shown) == known(as_json(declared(serializer(), row)))
        assert promised <= set(shown) <= set(serializer().fields)
        assert "" not in shown.values()
    assert number


def test_every_serializer_that_is_written_out_is_compared() -> None:
    modules = [
        import_module(f"{app}.api.serializers") for app in ("jobs", "instructions", "anchors", "exports")
    ]
    written_out = {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, serializers.Serializer)
        and found.__module__ == module.__name__
        and "to_representation" in vars(found)
    }
    assert written_out - set(ROWS) <= {import_module("anchors.api.serializers").ScreenshotAnchorSerializer}
