"""Pictures for the steps of a version that have none, at the moments that are suggested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from anchors.models import Anchor, ScreenshotTask
from anchors.services.anchors import MAX_ANCHORS, add_anchor, get_version
from anchors.services.extraction import add_task, extraction_key
from anchors.services.resolutions import resolve_anchors
from anchors.services.suggestions import steps_of, suggest_moments
from anchors.services.tasks import require_task_room, start_again
from config.accounts.models import User
from config.api import errors
from instructions.models import Instruction, InstructionVersion
from instructions.queries import Step
from instructions.services.versions import open_document, require_document
from jobs.models import Job
from jobs.services.audit import Attribution, by_editor
from jobs.services.transitions import lock_job


def auto_screenshots(
    *, job: Job, user: User, instruction_version_id: object
) -> tuple[list[ScreenshotTask], bool]:
    """Ask for a picture of each step of a version that has none; return (tasks, replayed).

    The tasks are those of all steps whose pictures were asked for here, or by the pipeline. It is a replay when no
    step needed one. Raises a 400 for a version of another document, the 409s of `suggest_moments` and
    `open_document`, 429 and 507.
    """
    instruction = Instruction.objects.filter(job=job).first()
    if instruction is None:
        raise errors.invalid("instruction_version_id", "The job has no document.", code="not_found")
    version = get_version(instruction, instruction_version_id)
    require_document(job)
    at_ms = {moment.block_id: moment.timestamp_ms for moment in suggest_moments(job, version)}
    resolve_anchors(list(instruction.anchors.all()), version)
    with transaction.atomic():
        job = lock_job(job.pk)
        open_document(job, by=by_editor(user))
        making = PictureMaking(job, instruction, version, at_ms, by_editor(user))
        if making.needs_room():
            require_task_room(job.owner_id)
        return making.make(), not making.is_new


class PictureMaking:
    """The tasks for the steps of a version, whose job is locked; `at_ms` are moments by block id: a step without one
    gets no picture. With `skips_when_full` nor does one for whose anchor the document has no room; else that is a 400.
    """

    def __init__(
        self,
        job: Job,
        instruction: Instruction,
        version: InstructionVersion,
        at_ms: Mapping[str, int],
        by: Attribution,
        *,
        skips_when_full: bool = False,
    ) -> None:
        self.job, self.instruction, self.version, self.at_ms, self.by = job, instruction, version, at_ms, by
        self.is_new = False
        self._skips_when_full = skips_when_full
        self._steps = [step for step in steps_of(job, version) if step.block.block_id in at_ms]
        self._anchors = {anchor.pk: anchor for anchor in instruction.anchors.all()}
        self._auto: dict[UUID | None, ScreenshotTask] = {}
        self._awaited: set[UUID | None] = set()
        tasks = job.screenshot_tasks.select_for_update(of=("self",)).select_related("asset")
        for task in tasks.defer("operations", "asset__operations"):
            if task.is_auto:
                self._auto[task.anchor_id] = task
            if task.status in (ScreenshotTask.WAITING, ScreenshotTask.RUNNING):
                self._awaited.add(task.anchor_id)

    def needs_room(self) -> bool:
        """Return whether a step has no picture, and none is awaited."""
        return any(not self._has_picture(step) for step in self._steps)

    def make(self) -> list[ScreenshotTask]:
        """Ask for what is missing, and return the tasks of all steps that have one, in the order of the steps."""
        tasks = []
        for step in self._steps:
            known = [self._auto[pk] for pk in self._anchor_ids(step) if pk in self._auto]
            if not self._has_picture(step):
                if self._skips_when_full and not self._anchor_ids(step) and self._is_full():
                    continue
                self.is_new = True
                known = [start_again(known[0], is_allowed=True)[0]] if known else [self._ask(step)]
            tasks += known
        return tasks

    def _has_picture(self, step: Step) -> bool:
        ids = self._anchor_ids(step)
        return any(self._anchors[pk].active_asset_id or pk in self._awaited for pk in ids)

    def _anchor_ids(self, step: Step) -> list[UUID]:
        return [UUID(anchor_id) for anchor_id in step.anchor_ids]

    def _is_full(self) -> bool:
        return self.instruction.anchors.count() >= MAX_ANCHORS

    def _ask(self, step: Step) -> ScreenshotTask:
        body: dict[str, Any] = {
            "timestamp_ms": self.at_ms[step.block.block_id],
            "offset_ms": 0,
            "strategy": "precise",
            "format": "png",
        }
        anchor = self._anchor(step)
        key = extraction_key(self.job, self.version, {"anchor_id": anchor.pk}, body)
        if known := ScreenshotTask.objects.select_for_update().filter(request_key=key).first():
            return start_again(known, is_allowed=True)[0]
        operation = ScreenshotTask.Operation.EXTRACT
        return add_task(
            self.job, self.version, anchor, body, by=self.by, key=key, operation=operation, is_auto=True
        )

    def _anchor(self, step: Step) -> Anchor:
        """Return the first anchor that stands in the step, or else one for it."""
        if ids := self._anchor_ids(step):
            return self._anchors[ids[0]]
        fields = {"address_type": Anchor.AddressType.BLOCK_ID, "block_id": step.block.block_id}
        return add_anchor(self.instruction, self.version, "instruction_version_id", **fields)
