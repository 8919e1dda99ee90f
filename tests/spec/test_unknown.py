"""What is not known is null or absent in every answer, never an empty text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anchors.models import ScreenshotTask
from exports.models import Export
from jobs.media.screen import EventKind, Region, Screen, ScreenEvent
from jobs.states import JobStatus
from tests.factories import (
    Api,
    make_anchor,
    make_asset,
    make_export,
    make_job,
    make_regenerate_task,
    make_screenshot_task,
    work_off,
)
from tests.pictures import make_activity, make_redaction, make_search, make_suggestion
from tests.screens import make_screen
from tests.spec.description import operations

TEXTS = {"markdown", "text", "unified_diff"}  # what is empty here is known to be so
BESIDE = {"getFile", "getAssetContent", "getSubtitles"}  # no JSON
QUERIES = {"diffInstruction": "?from=1&to=1", "compareInstructions": "?with={instruction_id}"}


def _empty(value: Any, path: str = "") -> Iterator[str]:
    """The path of each empty text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in TEXTS:
                yield from _empty(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _empty(inner, f"{path}.{number}")
    elif value == "":
        yield path


def _everything(api: Api) -> dict[str, list[Any]]:
    """Ids by the name of their parameter, of rows about which as little as possible is known."""
    job = make_job(JobStatus.EDITING, owner=api.user)
    version = job.instruction.versions.get()
    anchor = make_anchor(job)
    first = make_asset(job, anchor=anchor)
    make_activity(job)
    make_redaction(job)
    make_screen(job, Screen((ScreenEvent(0, EventKind.CLICK, Region(0.0, 0.0, 1.0, 1.0), 1.0),)))
    make_search(job)
    make_suggestion(job)
    make_asset(job, anchor=anchor, rendered_from=first)
    body = {"format": "MD_ZIP", "instruction_version_id": str(version.pk)}
    export = api.post(f"/jobs/{job.pk}/exports", body).json()["id"]
    work_off()
    assert Export.objects.get(pk=export).status == Export.SUCCEEDED
    tasks = [make_screenshot_task(job, status=status) for status in ("PENDING", ScreenshotTask.FAILED)]
    rewritten = [make_regenerate_task(job, status=status) for status in ("PENDING", ScreenshotTask.FAILED)]
    return {
        "tasks": [task.pk for task in rewritten],
        "project_id": [job.project_id],
        "job_id": [job.pk],
        "instruction_id": [job.instruction_id],
        "anchor_id": [anchor.pk],
        "task_id": [task.pk for task in tasks],
        "export_id": [export],
        "waiting": [make_export(job).pk],
    }


def test_no_answer_has_an_empty_text(owner: Api) -> None:
    ids = _everything(owner)
    seen = 0
    for path, method, operation in operations():
        if method != "get" or operation["operationId"] in BESIDE:
            continue
        parameters = [name for name in ids if f"{{{name}}}" in path]
        found = (
            ids["tasks"] if path.endswith("/tasks/{task_id}") else ids[parameters[0]] if parameters else [""]
        )
        for one in found:
            url = path.replace(f"{{{parameters[0]}}}", str(one)) if parameters else path
            query = QUERIES.get(operation["operationId"], "")
            answer = owner.get(url + query.format(instruction_id=ids["instruction_id"][0]))
            assert answer.status_code == 200, (path, answer.content)
            assert list(_empty(answer.json())) == [], path
            seen += 1
    assert seen > 14
    waiting = owner.get(f"/exports/{ids['waiting'][0]}").json()
    assert list(_empty(waiting)) == []


def test_what_is_not_known_of_a_document_is_null_in_its_export_too(owner: Api) -> None:
    ids = _everything(owner)
    instruction = owner.get(f"/instructions/{ids['instruction_id'][0]}").json()
    export = owner.get(f"/exports/{ids['export_id'][0]}").json()
    for name in ("model_profile_id", "prompt_template_id", "prompt_params_ref"):
        assert instruction[name] is None
        assert export["provenance"][name] is None
