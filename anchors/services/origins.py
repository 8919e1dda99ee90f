"""What may be published of where a picture comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from anchors.models import Asset
from anchors.redacting import commitment


def published_origins(assets: Iterable[Asset]) -> dict[UUID, dict[str, Any]]:
    """Return by id what is said of each picture: `kind`; the `frame` of the video that it is or was drawn on; and for
    what was drawn the `ops_hash`, the `base_sha256` of the picture below, and all `bases` below, the nearest first.

    Of one of which something was hidden there is a `commitment` to its `ops_hash` instead: any hash of what is under it
    would let everybody test guesses.
    """
    asked = list(assets)
    known = {asset.pk: asset for asset in asked}
    while missing := {
        base for asset in known.values() if (base := asset.rendered_from_id) and base not in known
    }:
        below = Asset.objects.filter(pk__in=missing).defer("operations")
        known |= {asset.pk: asset for asset in below}
    return {asset.pk: _origin(asset, known) for asset in asked}


def _origin(asset: Asset, known: dict[UUID, Asset]) -> dict[str, Any]:
    unknown = dict.fromkeys(("commitment", "ops_hash", "base_sha256", "frame"))
    said: dict[str, Any] = {"kind": asset.kind, **unknown, "bases": []}
    if asset.is_redacted:
        return {**said, "commitment": commitment(bytes(asset.commitment_salt), asset.ops_hash)}
    bases = []
    lowest = asset
    while lowest.rendered_from_id:
        lowest = known[lowest.rendered_from_id]
        bases.append(_base(lowest))
    if asset.rendered_from_id:
        said |= {"ops_hash": asset.ops_hash, "base_sha256": bases[0]["sha256"], "bases": bases}
    if lowest.frame:
        said["frame"] = {"extracted_at_ms": lowest.extracted_at_ms, **lowest.frame}
    return said


def _base(asset: Asset) -> dict[str, Any]:
    return {
        "asset_id": str(asset.pk),
        "kind": asset.kind,
        "sha256": asset.checksum_sha256,
        "ops_hash": asset.ops_hash or None,
    }
