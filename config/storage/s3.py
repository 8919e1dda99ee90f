"""The storage in a bucket of S3, or of a service that speaks its protocol, by django-storages and boto3.

Endpoint, region and keys come from the usual AWS variables. Clients send their recordings to the bucket themselves, and
take files from it, by URLs that are signed for one file and a while.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import io
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.http import content_disposition_header
from uuid6 import uuid7

from config.locks import place
from config.remote_file import RangedReader, RemoteFile
from config.storage.base import CHUNK, FOLDER, KEY, KINDS, BadUri, Part, Stored, UploadRequest, WrongSize
from config.storage.s3_client import make_backend
from config.storage.s3_errors import StorageUnavailable, meaning

MULTIPART_OVER = 100 * 10**6  # bytes; a larger upload may come in parts
PART_BYTES = 64 * 2**20  # of one part, but for the last; more where there would be over MAX_PARTS
MAX_PARTS = 1000
MAX_PUT_BYTES = 5 * 2**30  # of one request (the limits of S3)
SOURCE_SECONDS = 12 * 3600  # a URL with which a worker reads a recording: longer than any work on one lasts
LOCK_SECONDS = 300.0  # for another writer of the same file


class S3Storage:
    """Files under a prefix of a bucket. An object appears under its name when all of it has come."""

    is_written_by_clients = True

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket, self.prefix = bucket, prefix.strip("/") and f"{prefix.strip('/')}/"
        self.scheme = f"s3://{bucket}/{self.prefix}"

    @cached_property
    def _backend(self) -> Any:
        return make_backend(self.bucket, self.prefix)

    @property
    def _client(self) -> Any:
        return self._backend.connection.meta.client

    def uri(self, key: str) -> str:
        return self.scheme + key

    def key(self, uri: str) -> str:
        key = uri.removeprefix(self.scheme)
        if not uri.startswith(self.scheme) or not KEY.match(key) or ".." in key:
            raise BadUri(uri)
        return key

    def size(self, uri: str) -> int:
        return int(self._head(self.key(uri))["ContentLength"])

    def open(self, uri: str) -> BinaryIO:
        key = self.key(uri)
        head = self._head(key)

        def fetch(first: int, last: int) -> bytes:
            with meaning(key):
                part = self._client.get_object(
                    **self._named(key), Range=f"bytes={first}-{last}", IfMatch=head["ETag"]
                )
                content: bytes = part["Body"].read()
            return content

        return io.BufferedReader(RangedReader(int(head["ContentLength"]), fetch), CHUNK)

    @contextmanager
    def source(self, uri: str) -> Iterator[RemoteFile]:
        """Yield the file to be read by ranges."""
        key = self.key(uri)
        size = int(self._head(key)["ContentLength"])
        yield RemoteFile(self._signed("get_object", SOURCE_SECONDS, **self._named(key)), size)

    @contextmanager
    def local_path(self, uri: str) -> Iterator[Path]:
        """Yield the path of a copy on this machine, for reading only, whose hash is the one in its name."""
        key = self.key(uri)
        with tempfile.TemporaryDirectory(prefix="stepwright-") as folder:
            path = Path(folder) / Path(key).name
            digest = hashlib.sha256()
            with path.open("wb") as file:
                for chunk in self._chunks(key):
                    digest.update(chunk)
                    file.write(chunk)
            if key.startswith("jobs/") and not path.name.startswith(digest.hexdigest()):
                raise StorageUnavailable("the storage has other bytes under this name than were written")
            yield path

    def content_uri(self, folder: str, content: bytes, *, suffix: str) -> str:
        return self.uri(folder + hashlib.sha256(content).hexdigest() + suffix)

    def save_bytes(self, folder: str, content: bytes, *, suffix: str) -> Stored:
        digest = hashlib.sha256(content)
        key = f"{folder}{digest.hexdigest()}{suffix}"
        checksum = base64.b64encode(digest.digest()).decode()
        with self._lock(key), meaning(key):
            self._client.put_object(**self._named(key), Body=content, ChecksumSHA256=checksum)
        return Stored(self.uri(key), digest.hexdigest(), len(content))

    def save_file(self, folder: str, path: Path, *, suffix: str) -> Stored:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(0)
            key = f"{folder}{sha256}{suffix}"
            with self._lock(key), meaning(key):
                self._client.upload_fileobj(
                    file, **self._named(key), ExtraArgs={"ChecksumAlgorithm": "SHA256"}
                )
        return Stored(self.uri(key), sha256, size)

    def upload(self, key: str, *, size: int, mime_type: str, seconds: int, sha256: str = "") -> UploadRequest:
        """Return a PUT that the bucket takes for this key, size and type alone (and the bytes of this `sha256`); beside
        it, for a large file, its parts, which may be sent in any order and again. What has come is put together by
        `keep_upload`."""
        url, headers = None, {"Content-Type": mime_type}
        declared: dict[str, Any] = {"ContentLength": size, "ContentType": mime_type}
        if sha256:
            checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
            declared["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = checksum
        if size <= MAX_PUT_BYTES:
            url = self._signed("put_object", seconds, **self._named(key), **declared)
        parts = self._parts(key, size, mime_type, seconds) if size > MULTIPART_OVER else ()
        return UploadRequest(url, headers, tuple(parts))

    def _parts(self, key: str, size: int, mime_type: str, seconds: int) -> Iterator[Part]:
        with meaning(key):
            begun = self._client.create_multipart_upload(**self._named(key), ContentType=mime_type)
        part_bytes = max(PART_BYTES, math.ceil(size / MAX_PARTS))
        for number, start in enumerate(range(0, size, part_bytes), 1):
            length = min(part_bytes, size - start)
            names = {"UploadId": begun["UploadId"], "PartNumber": number, "ContentLength": length}
            yield Part(number, length, self._signed("upload_part", seconds, **self._named(key), **names))

    def keep_upload(self, uri: str, folder: str, *, size: int) -> Stored:
        """Copy an uploaded file to a key that no ticket writes to, with the hash of what is kept there.

        It is read once. Raise FileNotFoundError while not all of it has come, WrongSize for another size.
        """
        source = self.key(uri)
        try:
            head = self._head(source)
        except FileNotFoundError:
            self._put_together(source, size)
            head = self._head(source)
        if int(head["ContentLength"]) != size:
            raise WrongSize(size, int(head["ContentLength"]))
        digest = hashlib.sha256()
        for chunk in self._chunks(source, IfMatch=head["ETag"]):
            digest.update(chunk)
        key = f"{folder}{digest.hexdigest()}"
        with self._lock(key), meaning(key):
            # The same bytes that were read: a PUT meanwhile gives another tag, and the copy is refused.
            extra = {"CopySourceIfMatch": head["ETag"]}
            self._client.copy(self._named(source), self.bucket, self.prefix + key, ExtraArgs=extra)
        return Stored(self.uri(key), digest.hexdigest(), size, head["ETag"])

    def delete_upload(self, uri: str, kept: Stored) -> None:
        """Delete an uploaded file of which `kept` is a copy; leave another that has come in its place."""
        key = self.key(uri)
        with contextlib.suppress(FileNotFoundError):  # it is deleted already
            if self._head(key)["ETag"] == kept.tag:
                with meaning(key):  # and the bucket looks once more
                    self._client.delete_object(**self._named(key), IfMatch=kept.tag)

    def download_url(self, uri: str, *, filename: str, mime_type: str, seconds: int) -> str:
        """Return a URL to download one file as `filename`."""
        disposition = content_disposition_header(True, filename) or "attachment"
        shown = {"ResponseContentDisposition": disposition, "ResponseContentType": mime_type}
        return self._signed("get_object", seconds, **self._named(self.key(uri)), **shown)

    def delete(self, uri: str) -> None:
        key = self.key(uri)
        with meaning(key):
            self._client.delete_object(**self._named(key))
            if key.startswith("uploads/"):
                self._abort(key, timedelta())

    def delete_folder(self, folder: str) -> None:
        """Remove all files of one job, if there are any."""
        self.key(self.uri(f"{folder}x"))
        with meaning(folder):
            keys = [{"Key": found["Key"]} for found in self._objects(folder)]
            for first in range(0, len(keys), 1000):
                batch = {"Objects": keys[first : first + 1000], "Quiet": True}
                gone = self._client.delete_objects(Bucket=self.bucket, Delete=batch)
                if refused := gone.get("Errors"):
                    raise StorageUnavailable(
                        f"{len(refused)} files were not deleted: {refused[0].get('Code')}"
                    )
            self._abort(folder, timedelta())

    def folders(self, *, after: str, limit: int) -> list[str]:
        """Return the first folders of jobs, in order, that come after this one ("" for the first of all)."""
        found: list[str] = []
        for kind in (f"{kind}/" for kind in KINDS):
            start = {"StartAfter": f"{self.prefix}{after}\x7f"} if after.startswith(kind) else {}
            if after > kind and not start:
                continue
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + kind, Delimiter="/", **start
            )
            with meaning(kind):
                for page in pages:
                    names = [
                        entry["Prefix"].removeprefix(self.prefix) for entry in page.get("CommonPrefixes", ())
                    ]
                    found += [name for name in names if FOLDER.match(name) and name > after]
                    if len(found) >= limit:
                        return found[:limit]
        return found

    def old_files(self, folder: str, age: timedelta) -> list[str]:
        """Return the URIs of the files in a folder that nobody has written, or kept again, for so long."""
        with meaning(folder):
            entries = [entry for entry in self._objects(folder) if _is_older(entry["LastModified"], age)]
        keys = [entry["Key"].removeprefix(self.prefix) for entry in entries]
        return [self.uri(key) for key in keys if KEY.match(key)]

    def delete_old(self, uri: str, age: timedelta) -> bool:
        """Delete a file unless somebody has written or kept it again; return whether it is deleted."""
        key = self.key(uri)
        with self._lock(key):
            try:
                if not _is_older(self._head(key)["LastModified"], age):
                    return False
            except FileNotFoundError:
                return False
            with meaning(key):
                self._client.delete_object(**self._named(key))
        return True

    def delete_drafts(self, folder: str, age: timedelta) -> None:
        """Give up the uploads in parts that nobody has put together for so long."""
        if folder:
            with meaning(folder):
                self._abort(folder, age)

    def check(self) -> None:
        """Write a file, read it by a signed URL, delete it. Raise StorageUnavailable, which says what is wrong."""
        key, content = f"checks/{uuid7()}", b"ok"
        with meaning(key):
            self._client.put_object(**self._named(key), Body=content)
            try:
                url = self._signed("get_object", 60, **self._named(key))
                with RemoteFile(url, len(content)).open() as file:
                    if file.read() != content:
                        raise StorageUnavailable("a file that was written reads otherwise")
            finally:
                self._client.delete_object(**self._named(key))

    def disk(self) -> None:
        return None

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    def _signed(self, operation: str, seconds: int, **parameters: Any) -> str:
        with meaning(""):
            url: str = self._client.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)
        return url

    def _head(self, key: str) -> Any:
        with meaning(key):
            return self._client.head_object(**self._named(key))

    def _chunks(self, key: str, **conditions: str) -> Iterator[bytes]:
        """Yield all bytes of a file; raise StorageUnavailable when fewer or more come than it has."""
        with meaning(key):
            answer = self._client.get_object(**self._named(key), **conditions)
            left = int(answer["ContentLength"])
            for chunk in answer["Body"].iter_chunks(CHUNK):
                left -= len(chunk)
                yield chunk
        if left:
            raise StorageUnavailable("the storage sent another number of bytes than it said")

    def _objects(self, folder: str) -> Iterator[Any]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix + folder
        )
        for page in pages:
            yield from page.get("Contents", ())

    def _unfinished(self, start: str) -> Iterator[Any]:
        """Yield the uploads in parts whose key begins so."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket, Prefix=self.prefix + start
        )
        for page in pages:
            yield from page.get("Uploads", ())

    def _abort(self, start: str, age: timedelta) -> None:
        for upload in list(self._unfinished(start)):
            if _is_older(upload["Initiated"], age):
                self._client.abort_multipart_upload(
                    Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )

    def _put_together(self, key: str, size: int) -> None:
        """Complete an upload in parts of which all have come; raise FileNotFoundError if there is none."""
        with meaning(key):
            for upload in self._unfinished(key):
                names = {**self._named(key), "UploadId": upload["UploadId"]}
                pages = self._client.get_paginator("list_parts").paginate(**names)
                parts = [part for page in pages for part in page.get("Parts", ())]
                if sum(part["Size"] for part in parts) == size:
                    listed = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
                    self._client.complete_multipart_upload(**names, MultipartUpload={"Parts": listed})
                    return
        raise FileNotFoundError(errno.ENOENT, "not all of it has come")

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Let one at a time write a file, or delete it as old, over all machines."""
        with place(f"file {self.scheme}{key}", seconds=LOCK_SECONDS) as is_only:
            if not is_only:
                raise StorageUnavailable("another process is writing the same file")
            yield


def _is_older(moment: datetime, age: timedelta) -> bool:
    return datetime.now(UTC) - moment >= age
