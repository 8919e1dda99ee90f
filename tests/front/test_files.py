"""Files over the front: whole, in ranges, for HEAD, and for clients that leave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from config.front.bodies import Message
from config.front.bounds import Bounds, Pool
from config.front.lanes import Lane
from config.front.sending import deliver
from config.front.wsgi import Answer
from config.storage import kept_folder, storage
from config.storage.signed_urls import download_url
from tests.factories import Api, make_job
from tests.front.clients import PICTURE, make_picture
from tests.front.raw import Wire
from tests.front.server import Server

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def client(server: Server, owner: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=owner.headers, timeout=20) as client:
        yield client


@pytest.fixture
def url(client: httpx.Client, owner: Api) -> str:
    job = make_job(owner=owner.user)
    stored = storage().save_bytes(kept_folder(job.pk), CONTENT, suffix="")
    return download_url(stored.uri, filename="guide.pdf", mime_type="application/pdf", seconds=3600)


def test_a_picture_comes_whole(client: httpx.Client, owner: Api) -> None:
    picture = make_picture(make_job(owner=owner.user))
    answer = client.get(f"/api/v1/assets/{picture.pk}/content")
    assert answer.status_code == 200 and answer.content == PICTURE
    assert int(answer.headers["Content-Length"]) == len(PICTURE)


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-99999", 10, 99_999),
        ("bytes=255990-", 255_990, 255_999),
        ("bytes=-5", 255_995, 255_999),
    ],
)
def test_a_range_of_a_download_comes_alone(
    client: httpx.Client, url: str, wanted: str, first: int, last: int
) -> None:
    answer = client.get(url, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == CONTENT[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert int(answer.headers["Content-Length"]) == last - first + 1


def test_a_download_is_whole_an_attachment_and_keeps_the_connection(client: httpx.Client, url: str) -> None:
    for _ in range(2):
        answer = client.get(url)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["Content-Disposition"] == 'attachment; filename="guide.pdf"'
        assert "Connection" not in answer.headers


def test_a_range_outside_of_the_file_is_416(client: httpx.Client, url: str) -> None:
    answer = client.get(url, headers={"Range": "bytes=999999-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")
    assert answer.json()["code"] == "RANGE_NOT_SATISFIABLE"


def test_head_of_a_download_has_its_length_and_no_bytes(
    server: Server, client: httpx.Client, url: str
) -> None:
    answer = client.head(url)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(CONTENT)
    assert client.get("/healthz").status_code == 200, "no byte of the file is left on the connection"
    assert not open_files(server)


def test_a_static_file_comes_over_the_front(client: httpx.Client) -> None:
    answer = client.get("/static/web/pages.css")
    assert answer.status_code == 200 and "text/css" in answer.headers["Content-Type"]
    assert len(answer.content) > 1000


def test_a_client_that_left_is_read_no_more_of_the_file_for() -> None:
    class Endless:
        is_closed = False

        def read(self, size: int) -> bytes:
            return b"x" * 100

        def close(self) -> None:
            self.is_closed = True

    async def run() -> None:
        sent: list[Message] = []
        left = asyncio.Event()

        async def receive() -> Message:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)  # as the server does, which says nothing of a client that left
            if len(sent) > 3:
                left.set()

        reads = Lane("reads", Pool(1, 9))
        sending = deliver(answer, receive, send, is_head=False, bounds=Bounds(), reads=reads)
        await asyncio.wait_for(sending, 10)
        assert sent[-1].get("more_body"), "the answer must not look complete"

    answer = Answer(200, [], file=Endless())
    asyncio.run(run())
    assert answer.file.is_closed


def test_the_file_of_a_client_that_leaves_is_closed_at_once(server: Server, owner: Api) -> None:
    picture = make_picture(make_job(owner=owner.user), PICTURE * 4)
    wire = Wire(server, window=4096)
    wire.ask("GET", f"/api/v1/assets/{picture.pk}/content", authorization=owner.headers["authorization"])
    time.sleep(0.5)
    assert open_files(server)
    wire.close()
    deadline = time.monotonic() + 1.5  # the time for a client that takes nothing is longer
    while open_files(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not open_files(server)


def open_files(server: Server) -> list[str]:
    return [file.path for file in server.worker().open_files() if file.path.startswith(str(server.files))]
