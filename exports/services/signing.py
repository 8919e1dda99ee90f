"""The keys of this service, and what it signs by them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

from exports.identity import renderer_version
from exports.models import Export
from exports.signing import PublicKey, SigningKey, files_of, make_statement


def signing_key() -> SigningKey:
    """Return the key that is signed by now."""
    return _read_key(settings.SIGNING_KEY)


def current_renderer_version(format: str) -> str:
    """Return the version of the renderer of now, with the key that it signs by."""
    return renderer_version(format, signing_key().public.key_id)


@lru_cache(maxsize=4)
def _read_key(text: str) -> SigningKey:
    return SigningKey.read(text)


def published_keys() -> list[dict[str, Any]]:
    """Return the public keys, the one that is signed by first, as a JSON Web Key Set holds them, each with its PEM."""
    current = signing_key().public
    former = [PublicKey.read(text) for text in settings.FORMER_SIGNING_KEYS]
    keys = dict.fromkeys([current, *former])
    return [{**key.as_jwk(), "pem": key.pem, "is_current": key == current} for key in keys]


def shown_manifest(export: Export) -> dict[str, Any]:
    """Return the manifest of an export that succeeded, with what only the service knows: its id and the artifact."""
    artifact = {
        "name": export.artifact_name,
        "sha256": export.artifact_sha256,
        "size_bytes": export.artifact_size_bytes,
    }
    return {"export_id": str(export.pk), "artifact": artifact, **(export.manifest or {})}


def signed_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Return the envelope of a manifest that is shown: by the key of now, which need not be that of the artifact."""
    artifact = manifest["artifact"]
    subjects = [(artifact["name"], artifact["sha256"]), *files_of(manifest)]
    return signing_key().envelope(make_statement(manifest, subjects))
