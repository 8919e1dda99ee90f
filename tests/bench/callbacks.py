"""The callback, beside the same SQL by hand: over many jobs, and all on one."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime

from django.conf import settings

from tests.bench.load import Side, compare, ratio
from tests.bench.profiles import why
from tests.bench.reads import perform
from tests.bench.results import Result, at_least
from tests.bench.service import make_jobs, serving

OURS, PLAIN = "/api/v1/internal/jobs/{}/status", "/api/bench/callback/{}"
STARTED = datetime.now(UTC).isoformat()  # equal is in order
BY_HAND = "× the same SQL by hand"


def measure(rows: Collection[str]) -> Iterator[Result]:
    jobs = make_jobs()
    with serving() as server:
        many, plain, hot = (
            Side(server, reports(OURS, jobs), 204),
            Side(server, reports(PLAIN, jobs), 204),
            Side(server, reports(OURS, jobs[:1]), 204),
        )
        compare(many, plain, *([hot] if "hot-job" in rows else []))
    # The throughput of one row's lock is set beside what the statements themselves allow over many rows.
    goals = {"callback": ("Callback", many, 0.85), "hot-job": ("Callbacks of one hot job", hot, 0.5)}
    for row in rows:
        name, side, goal = goals[row]
        value = ratio(side.rates, plain.rates)
        details = {
            "ours": side.facts(),
            "by_hand": plain.facts(),
            "cpu_ratio": ratio(side.costs, plain.costs),
        }
        profile = why(value >= goal, lambda: perform(reports(OURS, jobs)()))
        yield at_least(f"{name}: answers a second", value, goal, BY_HAND, **details, **profile)


def reports(path: str, jobs: Sequence[str]) -> Callable[[], bytes]:
    """Return what makes the next report for one of the jobs: the same step again, with another file."""
    secret = settings.CALLBACK_SECRETS[0]

    def report() -> bytes:
        body = json.dumps(
            {
                "event_id": str(uuid.uuid4()),
                "status": "AUDIO_EXTRACTING",
                "occurred_at": STARTED,
                "correlation_id": "bench",
                "artifact_updates": {"audio_uri": f"gs://bench/{uuid.uuid4()}"},
            }
        )
        lines = [
            f"POST {path.format(random.choice(jobs))} HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"X-Callback-Secret: {secret}",
        ]
        return "\r\n".join([*lines, "", body]).encode()

    return report
