"""A job with a video and a document, for the tests that take pictures and draw on them over HTTP."""

from __future__ import annotations

from typing import Any

from jobs.states import JobStatus
from tests.factories import Api, make_job, make_video, work_off

BLUR = {"op_type": "blur", "geometry": {"x": 0.1, "y": 0.1, "width": 0.3, "height": 0.2}}


class Desk:
    """A job with the sample as its video, and its document."""

    def __init__(self, api: Api, status: JobStatus = JobStatus.EDITING) -> None:
        self.api = api
        self.job = make_job(status, owner=api.user)
        make_video(self.job)
        self.document = api.get(f"/instructions/{self.job.instruction_id}").json()
        self.version_id = self.document["instruction_version_id"]
        self.block_id = next(
            block["block_id"] for block in self.document["blocks"] if block["kind"] == "step"
        )

    def extract(self, **changed: Any) -> Any:
        body = {
            "instruction_id": self.document["id"],
            "instruction_version_id": self.version_id,
            "timestamp_ms": 10_000,
            "block_id": self.block_id,
            **changed,
        }
        body = {name: value for name, value in body.items() if value is not None}
        return self.api.post(f"/jobs/{self.job.pk}/screenshots/extract", body)

    def picture(self, **changed: Any) -> dict[str, Any]:
        task = self.extract(**changed).json()
        work_off()
        done: dict[str, Any] = self.api.get(f"/screenshot-tasks/{task['task_id']}").json()
        assert done["status"] == "SUCCEEDED", done
        return done

    def replace(self, anchor_id: str, **changed: Any) -> Any:
        body = {"instruction_version_id": self.version_id, "timestamp_ms": 20_000, **changed}
        return self.api.post(f"/anchors/{anchor_id}/replace", body)

    def annotate(self, task: dict[str, Any], *operations: Any) -> Any:
        body = {"base_asset_id": task["asset_id"], "operations": list(operations)}
        return self.api.post(f"/anchors/{task['anchor_id']}/annotations", body)
