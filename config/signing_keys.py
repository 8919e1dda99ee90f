"""The Ed25519 keys of manifests, as the environment has them: made and checked without the library that uses them."""

from __future__ import annotations

import base64
import secrets

# What stands before the 32 bytes of an Ed25519 key in its two DER forms (RFC 8410, sections 4 and 7).
PRIVATE_KEY_HEAD = bytes.fromhex("302e020100300506032b657004220420")
PUBLIC_KEY_HEAD = bytes.fromhex("302a300506032b6570032100")
KEY_BYTES = 32


def new_signing_key() -> str:
    """Return a random Ed25519 key: PKCS #8 in DER, in base64."""
    return base64.b64encode(PRIVATE_KEY_HEAD + secrets.token_bytes(KEY_BYTES)).decode()


def check_key(text: str, head: bytes) -> None:
    """Raise ValueError, which does not quote it, unless this is an Ed25519 key of that form in base64."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("it is not base64") from error
    if not key.startswith(head) or len(key) != len(head) + KEY_BYTES:
        raise ValueError("it is not an Ed25519 key in DER")
