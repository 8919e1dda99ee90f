"""What our signed URLs let a client do: the bucket's own check, computed apart, as servers for tests make none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from config.storage.s3 import S3Storage
from tests.sigv4 import accepts

KEY = "uploads/01a20000-0000-7000-8000-00000000abcd/ticket"
SENT = {"Content-Length": "11", "Content-Type": "video/mp4"}
# The example of the AWS documentation, whose keys are nobody's.
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE = (
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Storage]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    yield S3Storage("examplebucket", "some/prefix")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def now(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_the_check_is_that_of_the_published_example() -> None:
    begun = datetime(2013, 5, 24, tzinfo=UTC)
    assert accepts("GET", EXAMPLE, {}, secret=SECRET, now=begun)
    assert not accepts("GET", EXAMPLE, {}, secret=SECRET, now=begun + timedelta(days=2))
    assert not accepts("PUT", EXAMPLE, {}, secret=SECRET, now=begun)
    assert not accepts("GET", EXAMPLE.replace("test.txt", "best.txt"), {}, secret=SECRET, now=begun)


def test_an_upload_is_bound_to_its_key_size_type_and_time(storage: S3Storage) -> None:
    url = str(storage.upload(KEY, size=11, mime_type="video/mp4", seconds=60).url)
    assert urlsplit(url).netloc.startswith("examplebucket.s3.")
    assert accepts("PUT", url, SENT, secret=SECRET, now=now(1))
    for other in (
        {"Content-Length": "12", "Content-Type": "video/mp4"},
        {"Content-Length": "11", "Content-Type": "text/html"},
    ):
        assert not accepts("PUT", url, other, secret=SECRET, now=now(1))
    assert not accepts("PUT", url.replace("/ticket?", "/other?"), SENT, secret=SECRET, now=now(1))
    assert not accepts(
        "PUT", url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), SENT, secret=SECRET, now=now(1)
    )
    assert not accepts("GET", url, SENT, secret=SECRET, now=now(1))
    assert not accepts("PUT", url, SENT, secret=SECRET, now=now(61))


def test_an_upload_with_a_checksum_is_bound_to_its_bytes(storage: S3Storage) -> None:
    upload = storage.upload(KEY, size=11, mime_type="image/png", seconds=60, sha256=sha256(b"hello world"))
    sent = {"Content-Length": "11", **upload.headers}
    assert sent["x-amz-checksum-sha256"] == "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="
    assert accepts("PUT", str(upload.url), sent, secret=SECRET, now=now(1))
    other = {**sent, "x-amz-checksum-sha256": "LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564="}
    assert not accepts("PUT", str(upload.url), other, secret=SECRET, now=now(1))
    with pytest.raises(AssertionError, match="x-amz-checksum-sha256"):
        accepts("PUT", str(upload.url), SENT, secret=SECRET, now=now(1))


def test_a_download_is_bound_to_its_file_name_and_time(storage: S3Storage) -> None:
    uri = storage.uri(KEY)
    url = storage.download_url(uri, filename="a guide.pdf", mime_type="application/pdf", seconds=60)
    assert accepts("GET", url, {}, secret=SECRET, now=now(1))
    for old, new in (
        ("/ticket?", "/other?"),
        ("a%20guide.pdf", "a.html"),
        ("application%2Fpdf", "text%2Fhtml"),
    ):
        assert old in url
        assert not accepts("GET", url.replace(old, new), {}, secret=SECRET, now=now(1))
    assert not accepts("GET", url, {}, secret=SECRET, now=now(61))
