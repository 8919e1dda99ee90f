"""Put the signed manifest into what was rendered."""

from __future__ import annotations

from config.work.models import WorkFailed
from exports.renderers import Rendered
from exports.renderers.sealing import SEALS, seal
from exports.services.signing import signing_key


def sealed(rendered: Rendered, *, format: str, key_id: str | None) -> bytes:
    """Return the artifact with the envelope of its manifest, where the format and the snapshot ask for one.

    Raise WorkFailed when the key is another since the export was requested: its id is part of the identity.
    """
    if key_id is None or format not in SEALS:
        return rendered.content
    key = signing_key()
    if key.public.key_id != key_id:
        raise WorkFailed(
            "RENDER_FAILED", "The signing key has changed since this export was requested. Ask for it again."
        )
    return seal(rendered, key, format=format)
