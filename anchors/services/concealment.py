"""What redactions conceal, and what is shown in its place.

A picture that is no redacted rendering is an *original*: taken out of the video, uploaded, or drawn on another. It is
shown as it is unless a redaction covers the frame below it. Then a rendering is shown instead: of a frame, a copy with
the blurs of the redactions; of a drawing, the same operations on the redacted base. Its other renderings are concealed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from anchors.models import Anchor, Asset, Redaction, ScreenshotTask
from anchors.redacting import HiddenPart, hiding_operations
from anchors.render import ops_hash
from anchors.services.anchors import add_asset
from config.api import errors
from config.storage import Stored
from jobs.models import Job


@dataclass(frozen=True)
class Missing:
    """A redacted rendering of `original` that is still to be drawn on `base`: with the blurs of its frame, or, None,
    the operations of the original, which may be megabytes and are read when it is their turn."""

    original: Asset
    base: Asset
    blurs: list[dict[str, Any]] | None

    def operations(self) -> list[dict[str, Any]]:
        if self.blurs is not None:
            return self.blurs
        return Asset.objects.values_list("operations", flat=True).get(pk=self.original.pk) or []


def hidden_parts(job_id: UUID) -> list[HiddenPart]:
    """Return what the redactions of a job hide."""
    fields = ("start_ms", "end_ms", "x", "y", "width", "height", "mode")
    return [HiddenPart(**row) for row in Redaction.objects.filter(job_id=job_id).values(*fields)]


def awaits_search(job_id: UUID) -> bool:
    """Return whether it is to be found out first what should be hidden in the video: no picture of it is shown then."""
    asked = Job.objects.filter(pk=job_id, options__auto_redact=True)
    return asked.exclude(sensitive_search__is_decided=True).exists()


def shown_in_place_of(asset: Asset) -> Asset:
    """Return what is shown for a picture: itself, if it is not concealed. Raises 503 while it is still to be drawn."""
    if not asset.is_concealed:
        return asset
    original = asset.redacts_id or asset.pk
    shown = Asset.objects.filter(Q(pk=original) | Q(redacts=original), is_concealed=False).first()
    if shown is None:
        raise errors.unavailable("The picture is being redacted.")
    return shown


def settle_pictures(job_id: UUID) -> list[Missing]:
    """Conceal what a job's redactions hide, show what stands in for it, and return what must be drawn for that first.

    The job is locked. Nothing is drawn here. Renderings whose base is missing as well are not returned yet. An anchor
    whose active picture is concealed keeps it until the rendering is there; nobody is given it meanwhile.
    """
    lineage = _Lineage(job_id)
    shown = {pk: lineage.shown_for(asset) for pk, asset in lineage.assets.items()}
    _conceal(lineage.assets.values(), shown)
    _point_to_what_is_shown(job_id, shown)
    return lineage.missing


class _Lineage:
    """The pictures of a job, and what is shown for each original."""

    def __init__(self, job_id: UUID) -> None:
        # A picture was there before another was drawn on it: bases come first.
        ordered = Asset.objects.filter(job_id=job_id).order_by("created_at", "pk")
        self.assets = {asset.pk: asset for asset in ordered.defer("operations", "frame", "commitment_salt")}
        self.missing: list[Missing] = []
        self._parts = hidden_parts(job_id)
        self._awaits_search = awaits_search(job_id)
        self._renderings: dict[UUID, list[Asset]] = {}
        for asset in self.assets.values():
            if asset.redacts_id:
                self._renderings.setdefault(asset.redacts_id, []).append(asset)
        # Of frames alone: there are few operations in each, and drawings may have megabytes of them.
        of_frames = Asset.objects.filter(job_id=job_id, redacts_id=F("rendered_from_id"))
        self._operations = dict(of_frames.values_list("pk", "operations"))
        self._shown: dict[UUID, Asset | None] = {}
        originals = [asset for asset in self.assets.values() if not asset.redacts_id]
        needed = self._needed(originals)
        for original in originals:
            self._find(original, is_needed=original.pk in needed)

    def shown_for(self, asset: Asset) -> Asset | None:
        """Return what is shown for a picture; None when it is still to be drawn."""
        return self._shown[asset.redacts_id or asset.pk]

    def _find(self, original: Asset, *, is_needed: bool) -> None:
        find = self._find_for_drawing if original.rendered_from_id else self._find_for_frame
        found = find(original)
        self._shown[original.pk] = found if isinstance(found, Asset) else None
        if isinstance(found, Missing) and is_needed:
            self.missing.append(found)

    def _needed(self, originals: list[Asset]) -> set[UUID]:
        """Return the ids of those that are not deleted, and of those that these were drawn on."""
        needed = set()
        for original in reversed(originals):
            if not original.is_deleted or original.pk in needed:
                needed.add(original.pk)
                if original.rendered_from_id:
                    base = self.assets[original.rendered_from_id]
                    needed.add(base.redacts_id or base.pk)
        return needed

    def _find_for_frame(self, frame: Asset) -> Asset | Missing | None:
        """None while it is not known what is to be hidden in it."""
        if frame.extracted_at_ms is None:  # it was uploaded
            return frame
        if self._awaits_search:
            return None
        operations = hiding_operations(self._parts, frame.extracted_at_ms, frame.shown_until_ms)
        if not operations:
            return frame
        for rendering in self._renderings.get(frame.pk, ()):
            if self._operations.get(rendering.pk) == operations:
                return rendering
        return Missing(frame, frame, operations)

    def _find_for_drawing(self, drawing: Asset) -> Asset | Missing | None:
        """None while the rendering of its base is missing."""
        base = self.assets[cast(UUID, drawing.rendered_from_id)]
        shown = self.shown_for(base)
        if shown is None:
            return None
        if shown.pk == base.pk:
            return drawing
        for rendering in self._renderings.get(drawing.pk, ()):
            if rendering.rendered_from_id == shown.pk:
                return rendering
        return Missing(drawing, shown, None)


def add_rendering(
    missing: Missing, stored: Stored, *, size: tuple[int, int], is_shown: bool = False
) -> Asset:
    """Add a redacted rendering that was drawn; its job is locked. It is concealed until pictures are settled the next
    time, as redactions may have changed while it was drawn; unless the caller knows that they have not."""
    original = Asset.objects.defer("operations").get(pk=missing.original.pk)
    operations = missing.operations()
    return add_asset(
        original.job_id,
        original.anchor_id,
        stored,
        size=size,
        is_active=is_shown,
        kind=Asset.Kind.ANNOTATED,
        mime_type="image/png",
        ops_hash=ops_hash(base_checksum=missing.base.checksum_sha256, operations=operations),
        operations=operations,
        rendered_from=missing.base,
        redacts=original,
        is_rendering=True,
        extracted_at_ms=original.extracted_at_ms,
        shown_until_ms=original.shown_until_ms,
        is_redacted=True,
        is_concealed=not is_shown,
        is_deleted=original.is_deleted,
    )


def _conceal(assets: Iterable[Asset], shown: dict[UUID, Asset | None]) -> None:
    changed: dict[bool, list[UUID]] = {True: [], False: []}
    for asset in assets:
        found = shown[asset.pk]
        is_concealed = found is None or found.pk != asset.pk
        if asset.is_concealed != is_concealed:
            changed[is_concealed].append(asset.pk)
    for is_concealed, pks in changed.items():
        Asset.objects.filter(pk__in=pks).update(is_concealed=is_concealed)


def _point_to_what_is_shown(job_id: UUID, shown: dict[UUID, Asset | None]) -> None:
    """Let anchors and tasks name what is shown in place of what they name."""
    moved = []
    for anchor in Anchor.objects.filter(instruction__job_id=job_id, active_asset__isnull=False):
        asset = shown[cast(UUID, anchor.active_asset_id)]
        if asset is not None and asset.pk != anchor.active_asset_id:
            anchor.active_asset, anchor.updated_at = asset, timezone.now()
            moved.append(anchor)
    Anchor.objects.bulk_update(moved, ["active_asset", "updated_at"], batch_size=500)
    tasks = ScreenshotTask.objects.filter(job_id=job_id, asset__isnull=False).only("pk", "asset_id")
    renamed = []
    for task in tasks:
        asset = shown[cast(UUID, task.asset_id)]
        if asset is not None and asset.pk != task.asset_id:
            task.asset = asset
            renamed.append(task)
    ScreenshotTask.objects.bulk_update(renamed, ["asset"], batch_size=500)
