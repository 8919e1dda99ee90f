"""Where anchors stand in another version: looked up, or found and kept, before anything is locked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import IntegrityError

from anchors.models import Anchor, AnchorResolution
from anchors.resolve import Resolver, Text
from config.api import errors
from instructions.models import InstructionVersion


def resolve_anchors(anchors: Sequence[Anchor], target: InstructionVersion) -> dict[UUID, AnchorResolution]:
    """Return by anchor id where each of the anchors stands in a version; what is found for the first time is kept.

    Takes up to some seconds for many lost anchors in long texts: call it outside of locks. Nothing is kept for
    anchors of that very version.
    """
    known = {
        resolution.anchor_id: resolution
        for resolution in AnchorResolution.objects.filter(anchor__in=anchors, target_version=target)
    }
    for anchor in anchors:
        if anchor.instruction_version_id == target.pk:
            known[anchor.pk] = _unmoved(anchor, target)
    found = _find([anchor for anchor in anchors if anchor.pk not in known], target)
    try:
        AnchorResolution.objects.bulk_create(found, ignore_conflicts=True)
    except IntegrityError as error:  # the anchor went meanwhile, with its job
        raise errors.not_found() from error
    return known | {resolution.anchor_id: resolution for resolution in found}


def _find(anchors: Iterable[Anchor], target: InstructionVersion) -> list[AnchorResolution]:
    by_source: dict[UUID, list[Anchor]] = {}
    for anchor in anchors:
        by_source.setdefault(anchor.instruction_version_id, []).append(anchor)
    found = []
    for source_id, group in by_source.items():  # one text at a time: each may have a mebibyte
        resolver = Resolver(_text(InstructionVersion.objects.get(pk=source_id)), _text(target))
        for anchor in group:
            resolution = resolver.resolve(anchor.addressing)
            found.append(
                AnchorResolution(
                    anchor=anchor,
                    target_version=target,
                    state=resolution.state,
                    addressing=resolution.addressing,
                    trace=resolution.trace,
                )
            )
    return found


def _text(version: InstructionVersion) -> Text:
    return Text(version.markdown, version.read_blocks())


def _unmoved(anchor: Anchor, target: InstructionVersion) -> AnchorResolution:
    place = {
        name: anchor.addressing[name] for name in ("block_id", "char_range") if name in anchor.addressing
    }
    return AnchorResolution(
        anchor=anchor,
        target_version=target,
        state=AnchorResolution.State.RETAIN,
        addressing=anchor.addressing,
        trace={"method": "same_version", "score": 1.0, "from": place, "to": place},
    )
