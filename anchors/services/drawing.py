"""Draw on a picture of the storage, in a child process, and keep what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anchors.drawing import Drawn, draw_on_file
from anchors.models import Asset
from anchors.render import ImageUnreadable
from config import sandbox
from config.storage import Stored, kept_folder, storage


def draw_on_asset(
    base: Asset, operations: list[dict[str, Any]], *, check: Callable[[], object] = lambda: None
) -> tuple[Stored, tuple[int, int]]:
    """Keep a copy of a picture with the operations drawn, as PNG; return it with its width and height (pixels).

    Takes up to some seconds: call it outside of locks. Raises ImageUnreadable, SandboxError, OSError of the storage,
    and whatever `check` raises.
    """
    with storage().local_path(base.uri) as path:
        drawn = sandbox.call(
            draw_on_file,
            path,
            operations,
            limits=sandbox.limits.ANNOTATION,
            returns=(Drawn,),
            raises=(ImageUnreadable,),
            check=check,
        )
    stored = storage().save_bytes(kept_folder(base.job_id), drawn.content, suffix=".png")
    return stored, (drawn.width, drawn.height)
