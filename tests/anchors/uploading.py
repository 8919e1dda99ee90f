"""Pictures on their way to a ticket's URL, and on to an anchor."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from PIL import Image

from tests.factories import Api, make_anchor
from tests.uploads import put

SIZE = (64, 48)


def picture(kind: str = "PNG", *, size: tuple[int, int] = SIZE, mode: str = "RGB", **options: Any) -> bytes:
    """A picture with other pixels for another size."""
    image = Image.linear_gradient("L").resize(size).convert(mode)
    return encoded(image, kind, **options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def declared(content: bytes, mime_type: str = "image/png", **changed: Any) -> dict[str, Any]:
    """What a client says of a file when it asks for a ticket."""
    sha256 = hashlib.sha256(content).hexdigest()
    about = {"mime_type": mime_type, "size_bytes": len(content), "checksum_sha256": sha256}
    return {"filename": "a picture.png", **about, **changed}


def ask_for(api: Api, job: Any, content: bytes, mime_type: str = "image/png", **changed: Any) -> Any:
    """The ticket, as the API answers it."""
    answer = api.post(f"/jobs/{job.pk}/screenshots/uploads", declared(content, mime_type, **changed))
    assert answer.status_code == 201, answer.content
    return answer.json()


def send(ticket: Any, content: bytes) -> Any:
    headers = {name: value for name, value in ticket["headers"].items() if name != "Content-Type"}
    return put(ticket["upload_url"], content, mime_type=ticket["headers"]["Content-Type"], **headers)


def sent(api: Api, job: Any, content: bytes, mime_type: str = "image/png") -> Any:
    """A ticket whose bytes have come."""
    ticket = ask_for(api, job, content, mime_type)
    assert send(ticket, content).status_code == 204
    return ticket


def confirm(
    api: Api, job: Any, ticket: Any, content: bytes, mime_type: str = "image/png", **changed: Any
) -> Any:
    about = {**declared(content, mime_type), "width": SIZE[0], "height": SIZE[1], **changed}
    del about["filename"]
    return api.post(f"/jobs/{job.pk}/screenshots/uploads/{ticket['upload_id']}/confirm", about)


def confirmed(
    api: Api, job: Any, content: bytes | None = None, mime_type: str = "image/png", **changed: Any
) -> Any:
    """The asset of a picture that was uploaded and confirmed."""
    content = picture() if content is None else content
    answer = confirm(api, job, sent(api, job, content, mime_type), content, mime_type, **changed)
    assert answer.status_code == 200, answer.content
    return answer.json()["asset"]


def attach(api: Api, anchor_id: Any, upload_id: str, version_id: Any, **changed: Any) -> Any:
    body = {"upload_id": upload_id, "instruction_version_id": str(version_id), **changed}
    return api.post(f"/anchors/{anchor_id}/attach-upload", body)


def attached(api: Api, job: Any, content: bytes, mime_type: str = "image/png", **changed: Any) -> Any:
    """The anchor, new and on the first block of the newest version, with a picture that was uploaded."""
    asset = confirmed(api, job, content, mime_type, **changed)
    anchor = make_anchor(job)
    answer = attach(api, anchor.pk, asset["upload_id"], anchor.instruction_version_id)
    assert answer.status_code == 200, answer.content
    return answer.json()
