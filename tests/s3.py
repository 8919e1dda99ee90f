"""A service that speaks the protocol of S3, over a real socket, with a bucket for each test."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from config.remote_file import RemoteFile

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@lru_cache(maxsize=1)
def server() -> str:
    """Return the URL of this process's service, which ends with the process."""
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    return f"http://{host}:{port}"


@contextmanager
def environment(endpoint: str) -> Iterator[None]:
    """Let boto3 find this service; children inherit it."""
    before = {name: os.environ.get(name) for name in (*KEYS, "AWS_ENDPOINT_URL")}
    os.environ.update({**KEYS, "AWS_ENDPOINT_URL": endpoint})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@dataclass
class Fault:
    """What becomes of the next `times` requests that `matches`: an error with its code, a silence of some
    seconds, an end before the last byte, an answer that comes byte by byte with so many seconds between two (of its
    head too, or of its body alone), or one about another file."""

    matches: str
    times: int = 1
    status: int = 0
    code: str = ""
    seconds: float = 0.0
    is_cut: bool = False
    head_pace: float = 0.0
    body_pace: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


NONE = Fault("", times=0)


@contextmanager
def faulty() -> Iterator[tuple[str, list[Fault], list[str]]]:
    """Yield the URL of a service that goes wrong as it is told, in front of the real one, its faults, and what it was
    asked."""
    faults, asked = list[Fault](), list[str]()
    target = urlsplit(server()).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            line = f"{self.command} {self.path} {self.headers.get('Range', '')}".strip()
            asked.append(line)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = next((one for one in faults if one.times and one.matches in line), None)
            if fault:
                fault.times -= 1
                time.sleep(fault.seconds)
            if fault and fault.status:
                content = f"<Error><Code>{fault.code}</Code><Message>no</Message></Error>".encode()
                self.answer(fault.status, {"Content-Type": "application/xml"}, content, fault)
                return
            connection = http.client.HTTPConnection(target)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            headers = {name.title(): value for name, value in answer.getheaders()}
            with suppress(ConnectionError):  # it waits no longer
                self.answer(answer.status, headers | (fault or NONE).headers, content, fault or NONE)

        def answer(self, status: int, headers: dict[str, str], content: bytes, fault: Fault) -> None:
            self.send_response_only(status)
            length = headers.pop("Content-Length", str(len(content)))
            for name, value in headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
            self._headers_buffer.append(b"\r\n")
            self.send_slowly(b"".join(self._headers_buffer), fault.head_pace)
            self._headers_buffer.clear()
            if self.command != "HEAD":
                self.send_slowly(content[: len(content) // 2] if fault.is_cut else content, fault.body_pace)
            self.close_connection = fault.is_cut

        def send_slowly(self, content: bytes, pace: float) -> None:
            for start in range(len(content)) if pace else ():
                self.wfile.write(content[start : start + 1])
                time.sleep(pace)
            if not pace:
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", faults, asked
    finally:
        running.shutdown()
        running.server_close()


def client(endpoint: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=KEYS["AWS_DEFAULT_REGION"],
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


@contextmanager
def in_bucket(settings: Any) -> Iterator[None]:
    """Keep files in a new bucket."""
    with environment(server()):
        settings.STEPWRIGHT_STORAGE_URL = f"s3://{new_bucket()}/prefix"
        yield


def new_bucket() -> str:
    """Return the name of a new, empty bucket."""
    name = f"bucket-{uuid4()}"
    client(server()).create_bucket(Bucket=name)
    return name


def backdate(bucket: str, key: str, seconds: float) -> None:
    """Let an object have been written so long ago."""
    from moto.s3.models import s3_backends

    (backends,) = s3_backends.values()
    found = backends["aws"].get_object(bucket, key)
    assert found is not None, key
    found.last_modified = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=seconds)


def remote_copy(path: Path) -> RemoteFile:
    """Return a copy of a file in a bucket of its own, to be read by ranges."""
    service, bucket = client(server()), new_bucket()
    service.put_object(Bucket=bucket, Key=path.name, Body=path.read_bytes())
    named = {"Bucket": bucket, "Key": path.name}
    return RemoteFile(service.generate_presigned_url("get_object", Params=named), path.stat().st_size)
