"""Redis as the broker, with workers that hear of a message at once.

Dramatiq's own ask Redis again and again, and when they have nothing to do after up to half a second only.
"""

from __future__ import annotations

import logging
from typing import Any

import dramatiq
import redis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

log = logging.getLogger(__name__)


class PromptRedisBroker(RedisBroker):
    """Rings a bell for each message, and when a worker has room for the next: PUBLISH, to who waits on the queue."""

    @property
    def consumer_class(self) -> type[Consumer]:
        return PromptConsumer

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        sent = super().enqueue(message, delay=delay)
        self.ring(sent.queue_name)
        return sent

    def ring(self, queue_name: str) -> None:
        """Tell who waits. The message is stored already: one that is not heard of is found within half a second."""
        try:
            self.client.publish(self.bell(queue_name), "")
        except redis.RedisError as error:
            log.warning("no bell for %s: %s", queue_name, type(error).__name__)

    def bell(self, queue_name: str) -> str:
        return f"{self.namespace}:{queue_name}.bell"


class PromptConsumer(_RedisConsumer):
    """Waits for the bell when there is no message. What rings before it waits is in its connection, and counts."""

    def __init__(self, broker: PromptRedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)
        self._bell = broker.client.pubsub(ignore_subscribe_messages=True)
        try:
            self._bell.subscribe(broker.bell(queue_name))
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None

    def __next__(self) -> MessageProxy | None:
        self.misses = 0  # else it sleeps, longer with each; with none for some milliseconds
        message: MessageProxy | None = super().__next__()
        if message is None:
            try:
                self._bell.get_message(timeout=self.timeout / 1000)
            except redis.ConnectionError as error:
                raise ConnectionClosed(error) from None
        return message

    def ack(self, message: MessageProxy) -> None:
        super().ack(message)
        self.broker.ring(self.queue_name)  # there is room for another message

    def close(self) -> None:
        self._bell.close()
        super().close()
