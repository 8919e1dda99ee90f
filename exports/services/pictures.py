"""The pictures of one version of a document, as exports and comparisons show them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from anchors.models import Anchor, Asset
from anchors.queries import is_lost_in, lost_in
from anchors.services.origins import published_origins
from anchors.services.resolutions import resolve_anchors
from config.api import errors
from exports.freeze import ActivePicture
from instructions.models import InstructionVersion


def active_pictures(version: InstructionVersion) -> list[Anchor]:
    """Read the anchors of the version's instruction that have an active picture, by anchor id.

    Raises 503 while one of the pictures is concealed, and what stands in for it is still to be drawn.
    """
    found = pictures_of([version.instruction_id])[version.instruction_id]
    _require_shown(anchor.active_asset.is_concealed for anchor in found if anchor.active_asset)
    return found


def pictures_of(instruction_ids: Collection[UUID]) -> dict[UUID, list[Anchor]]:
    """Return the anchors of `active_pictures` by their instruction, concealed pictures among them."""
    anchors = _with_pictures(instruction_ids)
    found: dict[UUID, list[Anchor]] = {instruction_id: [] for instruction_id in instruction_ids}
    for anchor in anchors.select_related("active_asset").defer("active_asset__operations"):
        found[anchor.instruction_id].append(anchor)
    return found


def shown_now(version: InstructionVersion) -> list[tuple[str, str, bool]]:
    """Return the anchors with their active pictures, by their ids, and whether they have a place in the version: what
    a document is frozen from, for a picture's bytes never change, and a place only when what had none is put on a
    block. Raises the 503 of `active_pictures`."""
    columns = ("pk", "active_asset_id", "active_asset__is_concealed", "has_place")
    anchors = _with_pictures([version.instruction_id]).annotate(has_place=~is_lost_in(version))
    found = list(anchors.values_list(*columns))
    _require_shown(is_concealed for _, _, is_concealed, _ in found)
    return [(str(pk), str(asset_id), has_place) for pk, asset_id, _, has_place in found]


def shown_in(versions: Collection[InstructionVersion]) -> dict[UUID, list[tuple[str, str, bool]] | None]:
    """Return what `shown_now` does by version, None where a picture is concealed."""
    lost = lost_in(versions)
    columns = ("instruction_id", "pk", "active_asset_id", "active_asset__is_concealed")
    anchors: dict[UUID, list[Any]] = {version.instruction_id: [] for version in versions}
    for instruction_id, *shown in _with_pictures(anchors).values_list(*columns):
        anchors[instruction_id].append(shown)
    return {
        version.pk: None
        if any(is_concealed for _, _, is_concealed in anchors[version.instruction_id])
        else [
            (str(pk), str(asset_id), (pk, version.pk) not in lost)
            for pk, asset_id, _ in anchors[version.instruction_id]
        ]
        for version in versions
    }


def frozen_from(pictures: Iterable[ActivePicture]) -> list[tuple[str, str, bool]]:
    """Return what `shown_now` returned when these pictures were read."""
    return [(each.anchor_id, each.asset_id, each.addressing is not None) for each in pictures]


def _with_pictures(instruction_ids: Collection[UUID]) -> QuerySet[Anchor]:
    anchors = Anchor.objects.filter(instruction__in=instruction_ids, active_asset__isnull=False)
    return anchors.order_by("pk")


def _require_shown(concealed: Iterable[bool | None]) -> None:
    if any(concealed):
        raise errors.unavailable(
            "Pictures of this guide are still to be redacted. If GET /jobs/{jobId}/redactions says that this has "
            "failed, delete the picture or change a redaction."
        )


def origins_of(anchors: Iterable[Anchor]) -> dict[UUID, dict[str, Any]]:
    """Return by the asset's id what is published of where the active pictures of anchors come from."""
    return published_origins(anchor.active_asset for anchor in anchors if anchor.active_asset)


def resolved_pictures(
    anchors: list[Anchor], version: InstructionVersion, origins: Mapping[UUID, dict[str, Any]]
) -> list[ActivePicture]:
    """Return the active pictures of anchors with their addresses in a version; call it outside of locks."""
    resolutions = resolve_anchors(anchors, version)
    return [
        _active_picture(anchor, asset, resolutions[anchor.pk].addressing, origins[asset.pk])
        for anchor in anchors
        if (asset := anchor.active_asset)
    ]


def _active_picture(
    anchor: Anchor, asset: Asset, addressing: dict[str, Any] | None, origin: dict[str, Any]
) -> ActivePicture:
    return ActivePicture(
        anchor_id=str(anchor.pk),
        addressing=addressing,
        asset_id=str(asset.pk),
        is_annotated=asset.kind == Asset.Kind.ANNOTATED,
        sha256=asset.checksum_sha256,
        pixels_sha256=asset.pixels_sha256 or None,
        mime_type=asset.mime_type,
        width=asset.width,
        height=asset.height,
        extracted_at_ms=asset.extracted_at_ms,
        origin=origin,
    )
