"""The limit of requests per user and window, counted over all processes and machines.

Each process counts its own hits and adds them to the user's row in portions, so that only some requests need a
statement. Windows are fixed and aligned to the clock. A process may allow up to a portion more than the limit, as
it does not know the latest hits of the others; small limits are exact.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.accounts.models import User
from config.accounts.rate_limit import RateLimit, note

PORTIONS = 20  # a portion is a twentieth of the limit
MAX_USERS = 10_000  # whose counts a process keeps; beyond this it drops them all


@dataclass
class Count:
    window: int
    known: int = 0  # hits of all processes, as of the last statement
    fresh: int = 0  # hits of this process since then


class UserThrottle(BaseThrottle):
    counts: dict[object, Count] = {}
    lock = threading.Lock()

    def allow_request(self, request: Request, view: Any) -> bool:
        if settings.THROTTLE_RATE is None or request.user is None:
            return True
        limit, seconds = settings.THROTTLE_RATE
        window = int(time.time()) // seconds * seconds
        self.ends = window + seconds
        hits = self._count(request.user.pk, window, limit)
        note(request, RateLimit("user", limit, seconds, limit - hits, self.ends))
        return hits <= limit

    def _count(self, user_id: Any, window: int, limit: int) -> int:
        """Return the hits that are known of, with this one; one that is refused is not added."""
        with self.lock:
            if len(self.counts) > MAX_USERS:
                self.counts.clear()
            count = self.counts.get(user_id)
            if count is None or count.window != window:
                count = self.counts[user_id] = Count(window)
            hits = count.known + count.fresh + 1
            if hits > limit:
                return hits
            count.fresh += 1
            portion = count.fresh if count.fresh >= max(1, limit // PORTIONS) else 0
            count.fresh -= portion
        if portion:
            hits = User.objects.count_requests(user_id, window=window, hits=portion)
            count.known = max(count.known, hits)
        return hits

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return max(1.0, self.ends - time.time())
