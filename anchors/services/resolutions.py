"""Where anchors stand in another version: looked up, or found and kept, before anything is locked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from anchors.models import Anchor, AnchorResolution
from anchors.resolve import Resolution, Resolver, Text
from config.api import errors
from instructions.models import InstructionVersion

MAX_PREPARED = 200_000
"""The number of blocks, or pieces of 200 characters, of the texts that one request prepares: some 3 s. Ten versions of
the largest document, or 300 of a guide of 100 steps."""


@dataclass(frozen=True)
class Source:
    """The place from which an anchor is looked for in later versions: an address in one version."""

    version_id: UUID
    addressing: dict[str, Any]


def sources_of(anchors: Sequence[Anchor], target: InstructionVersion) -> dict[UUID, Source]:
    """Return by anchor id from where the anchors are looked for in a version: where each was placed by hand in the
    nearest version before that, else its own address.

    A version is placed in only while it is the newest, so that the answer for one that exists does not change.
    """
    sources = {anchor.pk: Source(anchor.instruction_version_id, anchor.addressing) for anchor in anchors}
    placed = AnchorResolution.objects.filter(
        anchor__in=anchors,
        trace__method=AnchorResolution.BY_HAND,
        target_version__version__lt=target.version,
    )
    for each in placed.order_by("target_version__version"):
        sources[each.anchor_id] = Source(each.target_version_id, each.addressing or {})
    return sources


def resolve_anchors(anchors: Sequence[Anchor], target: InstructionVersion) -> dict[UUID, AnchorResolution]:
    """Return by anchor id where each of the anchors stands in a version; what is found for the first time is kept.

    Takes up to some seconds for many lost anchors in long texts: call it outside of locks. Raises 503 when it would
    take more; what was found until then is kept. Nothing is kept for anchors of that very version.
    """
    moved = [anchor for anchor in anchors if anchor.instruction_version_id != target.pk]
    kept = AnchorResolution.objects.filter(anchor__in=moved, target_version=target) if moved else ()
    known = {resolution.anchor_id: resolution for resolution in kept}
    for anchor in anchors:
        if anchor.instruction_version_id == target.pk:
            known[anchor.pk] = _unmoved(anchor, target)
    for found in _find([anchor for anchor in anchors if anchor.pk not in known], target):
        try:
            AnchorResolution.objects.bulk_create(found, ignore_conflicts=True)
        except IntegrityError as error:  # the anchor went meanwhile, with its job
            raise errors.not_found() from error
        known |= {resolution.anchor_id: resolution for resolution in found}
    return known


def _find(anchors: Sequence[Anchor], target: InstructionVersion) -> Iterator[list[AnchorResolution]]:
    """Yield what is found for the anchors of one version after another: each of them may have a mebibyte.

    Raises 503 when others are left after `MAX_PREPARED`; they are looked for when the request is sent again.
    """
    by_source: dict[UUID, list[Anchor]] = {}
    sources = sources_of(anchors, target) if anchors else {}
    for anchor in anchors:
        by_source.setdefault(sources[anchor.pk].version_id, []).append(anchor)
    prepared = 0
    for source_id, group in by_source.items():
        if prepared > MAX_PREPARED:
            raise errors.unavailable("The places of pictures of many versions are being looked for.")
        texts = text_of(InstructionVersion.objects.get(pk=source_id)), text_of(target)
        prepared += sum(len(text.blocks) + len(text.markdown) // 200 for text in texts)
        resolver = Resolver(*texts)
        yield [_found(anchor, target, resolver.resolve(sources[anchor.pk].addressing)) for anchor in group]


def _found(anchor: Anchor, target: InstructionVersion, resolution: Resolution) -> AnchorResolution:
    return AnchorResolution(
        anchor=anchor,
        target_version=target,
        state=resolution.state,
        addressing=resolution.addressing,
        trace=resolution.trace,
    )


def text_of(version: InstructionVersion) -> Text:
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
