"""Signed manifests: an in-toto Statement v1 in a DSSE v1 envelope, signed by Ed25519 (RFC 8032).

The payload is canonical JSON (RFC 8785) and Ed25519 takes nothing at random: the same manifest and key give the same
bytes. https://github.com/in-toto/attestation/tree/main/spec/v1, https://github.com/secure-systems-lab/dsse
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.hazmat.primitives.serialization import load_der_public_key as load_public

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
# A name, not an address; the number is that of the manifest's version.
PREDICATE_TYPE = "https://stepwright.example/export-manifest/v{version}"
ENVELOPE_NAME = "manifest.dsse.json"
# What is appended to a PDF to attach the envelope, without the envelope itself.
ATTACHMENT_NAME = "instruction.pdf attachment"


@dataclass(frozen=True)
class PublicKey:
    """A key that signatures are checked by. `key_id` is the SHA-256 (hex) of the 32 bytes of RFC 8032."""

    raw: bytes

    @classmethod
    def read(cls, text: str) -> PublicKey:
        """Read a SubjectPublicKeyInfo (RFC 8410) in base64; raise ValueError."""
        key = load_public(base64.b64decode(text, validate=True))
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("this is not an Ed25519 key")
        return cls(key.public_bytes_raw())

    @property
    def key_id(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def pem(self) -> str:
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def as_jwk(self) -> dict[str, str]:
        """Return the key as RFC 8037, section 2 writes it."""
        x = base64.urlsafe_b64encode(self.raw).decode().rstrip("=")
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.key_id, "use": "sig", "alg": "EdDSA"}


@dataclass(frozen=True)
class SigningKey:
    """The private key. It is not shown by `repr`."""

    private: Ed25519PrivateKey

    @classmethod
    def read(cls, text: str) -> SigningKey:
        """Read a PKCS #8 key (RFC 8410) in base64; raise ValueError, which does not quote it."""
        key = load_der_private_key(base64.b64decode(text, validate=True), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("this is not an Ed25519 key")
        return cls(key)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.private.public_key().public_bytes_raw())

    def envelope(self, statement: Mapping[str, Any]) -> bytes:
        """Return the signed statement as JSON with a line end."""
        return self.envelope_of(payload_of(statement))

    def envelope_of(self, payload: bytes) -> bytes:
        """Return the signed payload as JSON with a line end. Its length depends on that of the payload alone."""
        signature = self.private.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
        signed: Any = {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [
                {"keyid": self.public.key_id, "sig": base64.b64encode(signature).decode()},
            ],
        }
        return rfc8785.dumps(signed) + b"\n"


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the PAE of DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def payload_of(statement: Mapping[str, Any]) -> bytes:
    """Return the canonical JSON (RFC 8785) of a statement, which ends with its subjects."""
    return rfc8785.dumps(dict(statement))


def make_statement(manifest: Mapping[str, Any], subjects: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the statement of a manifest on files by (name, SHA-256 in hex)."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects],
        "predicateType": PREDICATE_TYPE.format(version=manifest["manifest_version"]),
        "predicate": dict(manifest),
    }


def files_of(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the files that a manifest lists by name and SHA-256: the subjects of the envelope inside the artifact."""
    return [(file["name"], file["sha256"]) for file in manifest["files"]]
