"""A fetch over TLS."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jobs.media.remote_video import Limits
from tests.jobs.media.fetching import VIDEO, Cancelled, Fetch
from tests.jobs.media.media_server import Server

pytestmark = pytest.mark.slow


def tls_server(server: Server, folder: Path, name: str, seen: list[str | None]) -> Path:
    """Let the server speak TLS as `name`; answers the file of its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(pem, folder / "key.pem")
    server.tls.sni_callback = lambda connection, asked, context: seen.append(asked)
    return pem


def test_the_name_of_the_uri_is_what_tls_checks(
    fetch: Fetch, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server(server, tmp_path, "media.test", seen)))
    assert fetch(scheme="https") == VIDEO
    assert seen == ["media.test"]
    fetch.target.unlink()
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server(server, tmp_path, "evil.test", seen)))
    fetch.fails("VIDEO_NOT_REACHABLE", scheme="https")
    assert len(server.requests) == 1


def test_a_cancelled_fetch_stops_under_tls_too(
    fetch: Fetch, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server(server, tmp_path, "media.test", [])))
    server.answers = [lambda connection: time.sleep(20)]
    began = time.monotonic()
    calls = []

    def on_progress(share: float) -> None:
        calls.append(share)
        if len(calls) > 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(scheme="https", on_progress=on_progress, limits=Limits())
    assert time.monotonic() - began < 10
