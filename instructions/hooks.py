"""What later apps add to what this app shows. Each registers its own in `AppConfig.ready()`."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Expression

from jobs.models import Job

# Each returns an expression for a queryset of InstructionVersion: an array of where the anchors of the document stand
# in that version, ordered by id. Each is `{id, place}` in JSON; `place` is null, or has a `block_id` or
# `{char_range: {start_offset}}`.
ANCHORS: list[Callable[[], Expression]] = []
# Called in the transaction of a callback that brought a draft, with the job locked.
DRAFTED: list[Callable[[Job], None]] = []
