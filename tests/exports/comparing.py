"""Two guides over HTTP whose steps and pictures a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from anchors.models import Anchor, Asset
from config.storage import kept_folder, storage
from jobs.models import Job
from jobs.states import JobStatus
from tests.exports.documents import encoded
from tests.factories import Api, make_job, report

Pictures = Sequence[Image.Image]


class RecordedGuide:
    """A guide of the owner's: `steps` are titles, bodies and the pictures that stand in them."""

    def __init__(self, api: Api, *steps: tuple[str, str, Pictures], title: str = "Send an invoice") -> None:
        self.job = make_job(JobStatus.GENERATING, owner=api.user)
        texts = [f"## Step {n}: {title}\n\n{body}\n" for n, (title, body, _) in enumerate(steps, start=1)]
        report(self.job, JobStatus.DRAFT_READY, draft={"markdown": "\n".join([f"# {title}\n", *texts])})
        self.job = Job.objects.get(pk=self.job.pk)
        self.id = str(self.job.instruction_id)
        version = self.job.instruction.versions.get()
        self.steps = [block.block_id for block in version.read_blocks() if block.kind == "step"]
        self.assets = [
            self.add_picture(block_id, picture)
            for block_id, (_, _, pictures) in zip(self.steps, steps, strict=True)
            for picture in pictures
        ]

    def add_picture(self, block_id: str, picture: Image.Image, **fields: Any) -> Asset:
        """Put an anchor with this picture on a step."""
        anchor = Anchor.objects.create(
            instruction=self.job.instruction,
            instruction_version=self.job.instruction.versions.get(),
            address_type="block_id",
            block_id=block_id,
        )
        return self.show(anchor, picture, **fields)

    def show(self, anchor: Anchor, picture: Image.Image, **fields: Any) -> Asset:
        """Make this the active picture of an anchor."""
        stored = storage().save_bytes(
            kept_folder(self.job.pk), encoded(picture, compress_level=1), suffix=".png"
        )
        fields = {"kind": Asset.Kind.UPLOADED, "version": 1, **fields}
        asset = Asset.objects.create(
            job=self.job,
            anchor=anchor,
            uri=stored.uri,
            checksum_sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            mime_type="image/png",
            width=picture.width,
            height=picture.height,
            **fields,
        )
        Anchor.objects.filter(pk=anchor.pk).update(active_asset=asset)
        return asset


def compare(api: Api, old: RecordedGuide, new: RecordedGuide, **headers: str) -> Any:
    return api.get(f"/instructions/{old.id}/compare?with={new.id}", **headers)


def changes(api: Api, old: RecordedGuide, new: RecordedGuide) -> list[tuple[int | None, int | None, str]]:
    """Return for each step its number in the older and the newer guide, from 1, and what became of it."""
    answer = compare(api, old, new)
    assert answer.status_code == 200, answer.content
    return [
        (_number(old, step.get("block_id")), _number(new, step.get("other_block_id")), step["change"])
        for step in answer.json()["steps"]
    ]


def _number(guide: RecordedGuide, block_id: str | None) -> int | None:
    return None if block_id is None else guide.steps.index(block_id) + 1
