"""Queries of this app that are more than a filter."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, F, JSONField, OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.lookups import IsNull

from anchors.models import Anchor, AnchorResolution
from instructions.models import InstructionVersion
from jobs.states import HAS_DOCUMENT

_VERSION, _ANCHOR, _RESOLUTION = (
    model._meta.db_table for model in (InstructionVersion, Anchor, AnchorResolution)
)
# By hand, as the ORM has no join on two columns of which one is of the outer query; subqueries are run for each anchor.
# Our own tables and constants.
_ANCHORS = f"""ARRAY(
    SELECT jsonb_build_object('id', anchor.id, 'place', CASE
        WHEN found.id IS NOT NULL THEN found.addressing
        WHEN placed.addressing IS NOT NULL THEN placed.addressing
        WHEN anchor.address_type = '{Anchor.AddressType.BLOCK_ID}' OR anchor.instruction_version_id = {_VERSION}.id
        THEN jsonb_build_object(
            'block_id', anchor.block_id, 'char_range', jsonb_build_object('start_offset', anchor.char_start)
        ) END)
    FROM {_ANCHOR} AS anchor
    LEFT JOIN {_RESOLUTION} AS found ON found.anchor_id = anchor.id AND found.target_version_id = {_VERSION}.id
    LEFT JOIN LATERAL (
        SELECT by_hand.addressing FROM {_RESOLUTION} AS by_hand
        JOIN {_VERSION} AS earlier ON earlier.id = by_hand.target_version_id
        WHERE found.id IS NULL AND by_hand.anchor_id = anchor.id AND earlier.version < {_VERSION}.version
        AND by_hand.trace ->> 'method' = '{AnchorResolution.BY_HAND}'
        ORDER BY earlier.version DESC LIMIT 1
    ) AS placed ON true
    WHERE anchor.instruction_id = {_VERSION}.instruction_id
    ORDER BY anchor.id
)"""  # nosec B608


def anchors_in_version() -> RawSQL:
    """Return the expression of `instructions.hooks.ANCHORS`.

    An anchor stands where it was found in the version; else where it was placed by hand in the nearest one before; else
    at its own address, if it was made there or names a block.
    A range of another version in which it was not looked for yet has no place.
    """
    return RawSQL(_ANCHORS, (), output_field=ArrayField(JSONField()))  # nosec B611


def is_lost_in(version: InstructionVersion) -> Exists:
    """Return for a queryset of Anchor whether each was looked for in a version and has no place there."""
    lost = AnchorResolution.State.UNRESOLVED
    return Exists(AnchorResolution.objects.filter(anchor=OuterRef("pk"), target_version=version, state=lost))


def lost_in(versions: Collection[InstructionVersion]) -> set[tuple[UUID, UUID]]:
    """Return the anchors of `is_lost_in` for many versions, each with its version, by their ids."""
    lost = AnchorResolution.State.UNRESOLVED
    found = AnchorResolution.objects.filter(
        target_version__in=[version.pk for version in versions], state=lost
    )
    return set(found.values_list("anchor_id", "target_version_id"))


def newest_unresolved(number: int) -> tuple[Q, bool]:
    """Return the condition of the newest resolutions that are unresolved, so many, and whether there are more of them:
    of documents that were rewritten since, any number may stand before one that waits."""
    unresolved = AnchorResolution.objects.filter(state=AnchorResolution.State.UNRESOLVED).order_by("-pk")
    following = unresolved.values_list("pk", flat=True)[number : number + 1].first()
    return (Q(pk__gt=following) if following else Q()), following is not None


def waits_for_place() -> Q:
    """Return the condition of resolutions that somebody should place: in the newest version of a document that is open,
    an anchor with a picture was not found."""
    # A subquery with a limit is looked up for each row: for a join, PostgreSQL may read all anchors.
    picture = Subquery(Anchor.objects.filter(pk=OuterRef("anchor_id")).values("active_asset_id")[:1])
    return Q(
        state=AnchorResolution.State.UNRESOLVED,
        target_version__version=F("target_version__instruction__version"),
        target_version__instruction__job__status__in=HAS_DOCUMENT,
    ) & Q(IsNull(picture, False))
