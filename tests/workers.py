"""A real Dramatiq worker in this process, with the service's own middleware, over any broker."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dramatiq

from config.work.broker import make_broker
from config.work.workers import Workers


def use_broker(broker: dramatiq.Broker) -> None:
    """Make it this process's, with every actor that the apps have."""
    actors = dramatiq.get_broker().actors.values()
    dramatiq.set_broker(broker)
    for actor in actors:
        actor.broker = broker
        broker.declare_actor(actor)


@contextmanager
def running_worker(url: str, threads: Mapping[str, int] | None = None) -> Iterator[Workers]:
    """Messages go over the broker of this URL, and a worker performs them, until the block ends.

    The queues have names of their own, so that neither a test that runs beside nor anything else on that server
    is met. Each lane has one thread, but those of `threads`.
    """
    before, broker = dramatiq.get_broker(), make_broker(url)
    actors: list[dramatiq.Actor[Any, Any]] = list(before.actors.values())
    names = {actor.queue_name: f"test-{os.getpid()}-{actor.queue_name}" for actor in actors}
    originals = {name: queue for queue, name in names.items()}
    enqueue = broker.enqueue

    def enqueue_here(message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        queue = names.get(message.queue_name, message.queue_name)
        return enqueue(message.copy(queue_name=queue), delay=delay)

    broker.enqueue = enqueue_here  # type: ignore[method-assign]
    for actor in actors:
        actor.queue_name = names[actor.queue_name]
    use_broker(broker)
    wanted = threads or {}
    workers = Workers(broker, {name: wanted.get(queue, 1) for queue, name in names.items()})
    workers.start()
    try:
        yield workers
    finally:
        workers.stop()
        if url.startswith("amqp"):
            for name in names.values():
                for queue in (name, f"{name}.DQ", f"{name}.XQ"):
                    broker.channel.queue_delete(queue)  # type: ignore[attr-defined]
        broker.close()
        for actor in actors:
            actor.queue_name = originals[actor.queue_name]
        use_broker(before)
