"""What the front page of the admin shows of workers and their queues, and of work that is stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from config.admin.counts import Counted
from config.admin.front import FRONT_PANELS, STUCK, FrontPanel, Stuck, change_url, list_url, view_permission
from config.work.models import ALIVE_SECONDS, Worker, WorkRow
from config.work.stuck import STUCK_ROWS, count_stuck, read_queues

MAX_WORKERS = 100


def read_workers(user: Any) -> dict[str, Any]:
    """Return the workers that are alive, and each lane with its threads and what waits for them."""
    alive = list(
        Worker.objects.filter(heartbeat_at__gt=Now() - timedelta(seconds=ALIVE_SECONDS)).order_by("name")[
            :MAX_WORKERS
        ]
    )
    threads = Counter(lane for worker in alive for lane in worker.lanes)
    queues = read_queues()
    lanes = [
        {"name": lane, "threads": threads[lane], "queue": queue, "wait": _told(queue.longest)}
        for lane, queue in queues.items()
    ]
    return {"workers": alive, "lanes": lanes, "url": list_url(Worker)}


def _told(wait: timedelta) -> str:
    """Return a time in its largest unit, rounded down."""
    seconds = int(wait.total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:,} {unit}"
    return f"{seconds} s"


def stuck_work(user: Any) -> Iterator[Stuck]:
    """Yield a line for each kind of work that has rows which do not go on."""
    for kind, (lost, waiting) in count_stuck().items():
        if user.has_perm(view_permission(kind)):
            names = str(kind._meta.verbose_name_plural).capitalize()
            if lost:
                yield Stuck(f"{names} whose worker was lost", Counted.of(lost), _page(kind, "lost"))
            if waiting:
                yield Stuck(
                    f"{names} that wait for over 10 minutes", Counted.of(waiting), _page(kind, "waiting")
                )


def _page(kind: type[WorkRow], name: str) -> str:
    """Return the list of the rows; of a kind that has none, the page of the job of one of them."""
    if url := list_url(kind, f"stuck={name}"):
        return url
    row: Any = kind._default_manager.filter(STUCK_ROWS[name](kind)).order_by("pk").first()
    return change_url(row.job) if row else ""


STUCK.append(stuck_work)
FRONT_PANELS.append(
    FrontPanel(
        "Workers and queues", "admin/front/workers.html", view_permission(Worker), read_workers, place=40
    )
)
