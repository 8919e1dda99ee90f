"""Requests made up from the API description: whatever comes in, the answer is one that the description knows.

Each case starts from the same rows, the owner's, in states where much is allowed; two of three cases name them.
Half of the cases break a rule of the description, and must be refused.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as budget
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.storage import storage
from config.storage.signed_urls import download_url, upload_url
from config.wsgi import application
from jobs.states import JobStatus
from tests.factories import (
    force,
    make_anchor,
    make_asset,
    make_export,
    make_job,
    make_regenerate_task,
    make_screenshot_task,
    make_token,
    make_user,
)
from tests.pictures import make_activity, make_image_upload, make_redaction, make_search, make_suggestion
from tests.spec.description import document, operations
from tests.uploads import make_upload_ticket

pytestmark = pytest.mark.slow
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NAMES = [operation["operationId"] for _, _, operation in operations()]
JOB_STATES = [
    JobStatus.CREATED,
    JobStatus.UPLOADING,
    JobStatus.UPLOADED,
    JobStatus.AUDIO_EXTRACTING,
    JobStatus.DRAFT_READY,
    JobStatus.EDITING,
    JobStatus.FAILED,
    JobStatus.DONE,
]
Known = dict[str, Any]

# Every request is signed in: who is not, is refused before anything else is looked at.
signed_in = copy.deepcopy(document())
for path in signed_in["paths"].values():
    for operation in path.values():
        del operation["security"]
schema = schemathesis.openapi.from_dict(signed_in)
schema.app = application


def _url_token(url: str) -> str:
    return url.rsplit("/", 1)[1]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The server's requests run within the test's transaction, as those of Django's own test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def known(one_connection: None, db: None, settings: Any) -> Known:
    """Values that lead somewhere, by the name of the parameter or field that takes them; under the name of an
    operation those that it has in place of these."""
    settings.THROTTLE_RATE = None
    settings.ACTIVE_JOBS_PER_OWNER = 100
    owner = make_user("owner")
    jobs = {status: make_job(status, owner=owner) for status in JOB_STATES}
    job = force(jobs[JobStatus.DRAFT_READY], JobStatus.EDITING)
    version = job.instruction.versions.get()
    anchor = make_anchor(job)
    asset = make_asset(job, anchor=anchor)
    make_activity(job)
    make_search(job)
    exports = [make_export(job, status=status) for status in ("REQUESTED", "SUCCEEDED", "FAILED")]
    uploading = jobs[JobStatus.UPLOADING]
    tickets = [make_upload_ticket(uploading, closed_at=closed_at).key for closed_at in (None, timezone.now())]
    installed = {
        "model_profile": "MODEL_PROFILES",
        "stt_profile": "STT_PROFILES",
        "prompt_template_id": "PROMPT_TEMPLATES",
    }
    return {
        "project_id": [str(job.project_id)],
        "job_id": [*[str(job.pk)] * 4, *(str(one.pk) for one in jobs.values())],
        "dispatch_id": [str(one.dispatch_id) for one in jobs.values() if one.dispatch_id],
        "instruction_id": [str(job.instruction_id)],
        "instruction_version_id": [str(version.pk)],
        "target_instruction_version_id": [str(version.pk)],
        "base_version": [version.version],
        "version": [version.version],
        "from": [version.version],
        "to": [version.version],
        "operations": [[{"op_type": "blur", "geometry": {"x": 0.1, "y": 0.1, "width": 0.5, "height": 0.5}}]],
        "anchor_id": [str(anchor.pk)],
        "block_id": [str(anchor.block_id)],
        "char_range": [{"start_offset": 0, "end_offset": 5}],
        "timestamp_ms": [1000],
        "offset_ms": [0],
        "asset_id": [str(asset.pk)],
        "base_asset_id": [str(asset.pk)],
        **{name: list(getattr(settings, setting)) for name, setting in installed.items()},
        "task_id": [str(make_screenshot_task(job).pk)],
        "export_id": [str(export.pk) for export in exports],
        "redaction_id": [str(make_redaction(job).pk)],
        "suggestion_ids": [[str(make_suggestion(job).pk)]],
        "upload_id": [str(make_image_upload(job, asset=made).pk) for made in (None, make_asset(job))],
        "video_uri": [
            storage().uri(tickets[0]),
            *(one.manifest.get("video_uri", "") for one in jobs.values()),
        ],
        "selection": [
            {"block_id": str(anchor.block_id)},
            {"char_range": {"start_offset": 0, "end_offset": 80}},
        ],
        "getTask": {"task_id": [str(make_regenerate_task(jobs[JobStatus.DONE]).pk)]},
        "editInstruction": {
            "operations": [
                [{"op": "insert_step", "after": None, "title": "Open it"}],
                [{"op": "set_title", "block_id": str(anchor.block_id), "title": "Guide"}],
            ]
        },
        # Of others it is not known yet what their screens show, or when their screens change.
        "listScreenshotSuggestions": {"job_id": [str(job.pk)]},
        "autoScreenshots": {"job_id": [str(job.pk)]},
        "createRedaction": {"region": [{"x": 0.1, "y": 0.1, "width": 0.5, "height": 0.5}], "start_ms": [0]},
        "listRedactionSuggestions": {"job_id": [str(job.pk)]},
        "acceptRedactionSuggestions": {"job_id": [str(job.pk)]},
        "compareInstructions": {"with": [str(job.instruction_id)]},
        "runJob": {"job_id": [str(jobs[JobStatus.UPLOADED].pk), str(jobs[JobStatus.AUDIO_EXTRACTING].pk)]},
        "deleteJob": {"job_id": [str(jobs[JobStatus.DONE].pk), str(jobs[JobStatus.CREATED].pk)]},
        "retryJob": {"job_id": [str(jobs[JobStatus.FAILED].pk)]},
        "reportStatus": {
            "job_id": [str(jobs[JobStatus.AUDIO_EXTRACTING].pk)],
            "dispatch_id": [str(jobs[JobStatus.AUDIO_EXTRACTING].dispatch_id)],
            "occurred_at": [timezone.now().isoformat()],
            "status": ["AUDIO_EXTRACTING", "AUDIO_READY"],
            "artifact_updates": [{}, {"metrics": {"seconds": 1.5}}],
        },
        "token": [
            *(_url_token(upload_url(key)) for key in tickets),
            _url_token(download_url(asset.uri, filename="a.png", mime_type="image/png", seconds=3600)),
        ],
    }


def _aim(draw: Any, values: Any, known: Known) -> Any:
    """The values with known ones wherever there are such."""
    if not isinstance(values, dict):
        return values
    return {
        name: draw(st.sampled_from(known[name])) if name in known else _aim(draw, value, known)
        for name, value in values.items()
    }


def _walk(name: str, known: Known, *, examples: int, derandomize: bool) -> None:
    operation = schema.find_operation_by_id(name)
    known = {**known, **known.get(name, {})}
    # Where only the path can be broken, it stays so: a good id in its place would leave nothing to refuse.
    takes_json = "application/json" in operation.definition.raw.get("requestBody", {}).get("content", {})
    # The signed files take whatever bytes come: there is no rule that a request could break.
    modes = [GenerationMode.POSITIVE] if name in {"putUpload", "getFile"} else list(GenerationMode)
    headers = {
        "Authorization": f"Bearer {make_token('owner')}",
        "X-Callback-Secret": settings.CALLBACK_SECRETS[0],
    }

    def walk(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(modes))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.sampled_from([True, True, False])) and (
            mode == GenerationMode.POSITIVE or takes_json
        ):
            case.path_parameters = _aim(data.draw, dict(case.path_parameters), known)
            if mode == GenerationMode.POSITIVE:
                case.query = _aim(data.draw, dict(case.query or {}), known)
                case.body = _aim(data.draw, case.body, known)
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        if mode == GenerationMode.POSITIVE:
            seen.add(response.status_code)
        extra = [negative_data_rejection] if mode == GenerationMode.NEGATIVE else []
        case.validate_response(response, checks=CHECKS + extra)

    seen: set[int] = set()
    for more in (
        1,
        4,
    ):  # which values are made up depends on every module that is loaded: now and then none fits
        limits = budget(
            max_examples=more * examples,
            derandomize=derandomize,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        limits(given(data=st.data())(walk))()
        if seen - {404, 400}:
            break
    assert seen - {404, 400}, "no case got past the door: give the ids of its path a value in `known`"


@pytest.mark.parametrize("name", NAMES)
def test_made_up_requests_get_only_answers_that_the_description_knows(name: str, known: Known) -> None:
    _walk(name, known, examples=24, derandomize=True)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_many_more_made_up_requests_too(name: str, known: Known) -> None:
    _walk(name, known, examples=300, derandomize=False)
