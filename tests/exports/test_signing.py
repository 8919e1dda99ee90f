"""Signed manifests: in the artifact, over HTTP, and the keys."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pypdf import PdfReader
from rest_framework.test import APIClient

from config.sandbox.pool import pool
from config.sandbox.wire import Request, write_request
from config.signing_keys import new_signing_key
from exports.identity import renderer_version
from exports.renderers import RENDERERS
from exports.renderers.rendered import RenderFailed
from exports.renderers.sealing import SEALS, seal, seal_pdf
from exports.services.signing import published_keys
from exports.signing import ATTACHMENT_NAME, PublicKey, SigningKey, pre_authentication_encoding
from tests.desk import Desk
from tests.exports.asking import done, request_export
from tests.exports.documents import sample
from tests.exports.pdf_reading import is_ua
from tests.factories import work_off

SIGNED = "application/vnd.in-toto+json"
KEY = SigningKey.read(
    base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + b"k" * 32).decode()
)


def checked(envelope: bytes, key: dict[str, Any]) -> dict[str, Any]:
    """The statement of an envelope, whose signature holds."""
    signed = json.loads(envelope)
    (signature,) = signed["signatures"]
    assert (signed["payloadType"], signature["keyid"]) == (SIGNED, key["kid"])
    raw = base64.urlsafe_b64decode(key["x"] + "=")
    payload = base64.b64decode(signed["payload"])
    message = pre_authentication_encoding(SIGNED, payload)
    Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature["sig"]), message)
    statement: dict[str, Any] = json.loads(payload)
    return statement


def taken_out(format: str, artifact: bytes) -> bytes:
    if format == "PDF":
        (found,) = PdfReader(io.BytesIO(artifact), strict=True).attachments["manifest.dsse.json"]
        return bytes(found)
    with zipfile.ZipFile(io.BytesIO(artifact)) as bundle:
        return bundle.read("manifest.dsse.json")


def sealed(format: str) -> tuple[Any, bytes]:
    rendered = RENDERERS[format].render(*sample())
    return rendered, seal(rendered, KEY, format=format)


def test_what_is_signed_is_as_the_standard_has_it() -> None:
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == expected


def test_the_signature_is_of_the_canonical_bytes_of_the_payload() -> None:
    signed = json.loads(KEY.envelope({"b": 1, "a": "é"}))
    payload = base64.b64decode(signed["payload"])
    assert payload == b'{"a":"\xc3\xa9","b":1}'
    signature = base64.b64decode(signed["signatures"][0]["sig"])
    public = Ed25519PublicKey.from_public_bytes(KEY.public.raw)
    public.verify(signature, b"DSSEv1 28 application/vnd.in-toto+json 16 " + payload)
    for other in (payload.replace(b":", b": "), payload + b"\n", payload[:-1], b'{"b":1,"a":"\xc3\xa9"}'):
        with pytest.raises(InvalidSignature):
            public.verify(signature, pre_authentication_encoding(SIGNED, other))
    with pytest.raises(InvalidSignature):
        public.verify(signature, pre_authentication_encoding("text/plain", payload))


def test_a_key_has_the_id_and_the_forms_of_the_standards() -> None:
    # RFC 8037, appendix A.
    raw = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    key = PublicKey(raw)
    assert key.as_jwk()["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.key_id == hashlib.sha256(raw).hexdigest()
    assert PublicKey.read("".join(key.pem.splitlines()[1:-1])) == key
    assert "k" * 32 not in repr(KEY)


@pytest.mark.parametrize("format", SEALS)
def test_the_artifact_begins_as_it_was_rendered_and_has_the_envelope(format: str) -> None:
    rendered, artifact = sealed(format)
    statement = checked(taken_out(format, artifact), KEY.public.as_jwk())
    assert statement["predicate"] == rendered.manifest
    assert artifact == sealed(format)[1]
    if format == "PDF":
        subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
        assert artifact.startswith(rendered.content) and is_ua(artifact)
        assert subjects["instruction.pdf"] == hashlib.sha256(rendered.content).hexdigest()
        around = artifact[len(rendered.content) :].replace(taken_out(format, artifact), b"")
        assert subjects[ATTACHMENT_NAME] == hashlib.sha256(around).hexdigest()


@pytest.mark.parametrize("broken", [b"", b"%PDF-1.7\ntrailer\n<</Size 3>>\nstartxref\n9\n%%EOF\n"])
def test_what_is_no_pdf_of_typst_gets_no_attachment(broken: bytes) -> None:
    with pytest.raises(RenderFailed):
        seal_pdf(broken, b"{}")


def test_the_key_is_part_of_the_renderer_version() -> None:
    assert renderer_version("PDF", KEY.public.key_id).endswith(f"+key-{KEY.public.key_id[:16]}")


def fetch(desk: Desk, url: str) -> bytes:
    if url.startswith("http://127.0.0.1:8000/"):
        answer: Any = desk.api.client.get(url.removeprefix("http://127.0.0.1:8000"))
        return b"".join(answer.streaming_content)
    return httpx.get(url).content


@pytest.mark.slow
def test_the_manifest_is_signed_on_demand_and_in_the_artifact(desk: Desk, settings: Any) -> None:
    desk.picture()
    export = done(desk, "PDF")
    path = f"/exports/{export['id']}/manifest"
    keys = APIClient().get("/api/v1/keys")
    assert (keys.status_code, keys.headers["Cache-Control"]) == (200, "public, max-age=300")
    (key,) = keys.json()["keys"]
    assert PublicKey.read("".join(key["pem"].splitlines()[1:-1])).key_id == key["kid"]
    assert f"key-{key['kid'][:16]}" in export["provenance"]["renderer_version"]
    plain, signed = desk.api.get(path), desk.api.get(path, accept=SIGNED)
    assert (signed.headers["Content-Type"], signed.content) == (
        SIGNED,
        desk.api.get(path, accept=SIGNED).content,
    )
    assert "Accept" in signed.headers["Vary"] and "Accept" in plain.headers["Vary"]
    statement = checked(signed.content, key)
    assert statement["predicate"] == plain.json()
    assert statement["subject"][0]["digest"]["sha256"] == export["artifact_sha256"]
    inner = checked(taken_out("PDF", fetch(desk, export["download_url"])), key)
    assert inner["predicate"].items() <= plain.json().items()
    assert desk.api.get(path, accept="text/csv").status_code == 406
    missing = desk.api.get("/exports/none/manifest", accept=SIGNED)
    assert (missing.status_code, missing.headers["Content-Type"]) == (404, "application/json")


@pytest.mark.slow
def test_the_process_that_renders_is_not_given_the_key(
    desk: Desk, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGNING_KEY = new_signing_key()
    raw = SigningKey.read(settings.SIGNING_KEY).private.private_bytes_raw()
    monkeypatch.setenv("STEPWRIGHT_SIGNING_KEY", settings.SIGNING_KEY)
    given: list[bytes] = []

    def note(request: Request) -> bytes:
        given.append(write_request(request))
        return given[-1]

    monkeypatch.setattr("config.sandbox.calls.write_request", note)
    pool().clear()
    export = done(desk, "PDF")
    assert checked(taken_out("PDF", fetch(desk, export["download_url"])), published_keys()[0])
    assert [b"render_files" in request for request in given] == [True]
    (pid,) = pool().idle_pids()
    held = given[0] + Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    for secret in (settings.SIGNING_KEY.encode(), raw, raw.hex().encode()):
        assert secret not in held


@pytest.mark.slow
def test_a_new_key_makes_a_new_export_and_the_former_stays_listed(desk: Desk, settings: Any) -> None:
    first = done(desk)
    former = APIClient().get("/api/v1/keys").json()["keys"][0]
    waiting = request_export(desk, "PDF").json()
    settings.FORMER_SIGNING_KEYS = ["".join(former["pem"].splitlines()[1:-1])]
    settings.SIGNING_KEY = new_signing_key()
    work_off()
    failed = desk.api.get(f"/exports/{waiting['id']}").json()
    assert (failed["status"], failed["failure_code"]) == ("FAILED", "RENDER_FAILED")
    assert done(desk)["id"] != first["id"]
    current, listed = APIClient().get("/api/v1/keys").json()["keys"]
    assert (current["is_current"], listed) == (True, {**former, "is_current": False})
    envelope = taken_out("MD_ZIP", fetch(desk, first["download_url"]))
    assert checked(envelope, listed)["predicate"]["manifest_version"] == 2
    with pytest.raises(InvalidSignature):
        checked(envelope, {**current, "kid": listed["kid"]})
