"""The same messages over every kind of broker: a real one, reached over a real connection."""

from __future__ import annotations

import os
import socket
import threading
import time
from urllib.parse import urlparse
from uuid import uuid4

import dramatiq
import pytest
import redis

from config.work.broker import make_broker
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api
from tests.workers import running_worker

pytestmark = pytest.mark.slow

SERVICES = {
    "postgresql": "",
    "redis": os.environ.get("STEPWRIGHT_TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
    "rabbitmq": os.environ.get("STEPWRIGHT_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672"),
}


def require(url: str) -> None:
    """Skip when nothing listens there; with STEPWRIGHT_REQUIRE_SERVICES=1 fail instead."""
    if not url:
        return
    place = urlparse(url)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 0), timeout=2).close()
    except OSError:
        if os.environ.get("STEPWRIGHT_REQUIRE_SERVICES") == "1":
            pytest.fail(f"nothing answers at {place.hostname}:{place.port}")
        pytest.skip(f"nothing answers at {place.hostname}:{place.port}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", SERVICES)
def test_a_run_reaches_a_worker_and_is_performed(owner: Api, job: Job, quick_stages: None, kind: str) -> None:
    require(SERVICES[kind])
    with running_worker(SERVICES[kind]):
        assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
        for _ in range(100):
            if Job.objects.get(pk=job.pk).status == JobStatus.DRAFT_READY:
                break
            time.sleep(0.1)
        assert Job.objects.get(pk=job.pk).status == JobStatus.DRAFT_READY


@pytest.fixture
def queue() -> str:
    return f"test-{os.getpid()}-{uuid4().hex[:8]}"


AT_ONCE = 15  # seconds, on a machine that is busy; without the call it would be 20


def seconds_until_message(broker: dramatiq.Broker, consumer: dramatiq.Consumer) -> float:
    began = time.monotonic()
    message = next(message for message in consumer if message is not None)
    taken = time.monotonic() - began
    consumer.ack(message)
    consumer.close()
    broker.close()
    return taken


def doorbell(queue: str) -> dramatiq.Message[None]:
    return dramatiq.Message(queue_name=queue, actor_name="anything", args=(), kwargs={}, options={})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", SERVICES)
def test_a_worker_that_has_long_been_idle_hears_of_a_message_at_once(kind: str, queue: str) -> None:
    require(SERVICES[kind])
    broker = make_broker(SERVICES[kind])
    broker.declare_queue(queue)
    broker.poll_interval = 20.0  # seconds, where it is PostgreSQL
    consumer = broker.consume(queue, timeout=20_000)
    consumer.misses = 32  # as after an hour, where it is counted
    threading.Timer(1, lambda: broker.enqueue(doorbell(queue))).start()
    assert seconds_until_message(broker, consumer) < AT_ONCE


@pytest.mark.django_db(transaction=True)
def test_a_message_between_the_look_at_the_queue_and_the_wait_is_heard_of(queue: str) -> None:
    broker = make_broker("")
    broker.poll_interval = 20.0
    consumer = broker.consume(queue, timeout=20_000)
    look = consumer.claim

    def look_and_then_comes_one(limit: int) -> None:
        consumer.claim = look
        look(limit)
        broker.enqueue(doorbell(queue))
        while not consumer.wakeup.is_set():
            time.sleep(0.01)

    consumer.claim = look_and_then_comes_one
    assert seconds_until_message(broker, consumer) < AT_ONCE


def test_over_redis_a_worker_with_room_again_asks_for_more_at_once(queue: str) -> None:
    require(SERVICES["redis"])
    broker = make_broker(SERVICES["redis"])
    broker.declare_queue(queue)
    broker.enqueue(doorbell(queue))
    broker.enqueue(doorbell(queue))
    consumer = broker.consume(queue, prefetch=1, timeout=20_000)
    first = next(message for message in consumer if message is not None)
    threading.Timer(1, lambda: consumer.ack(first)).start()
    assert seconds_until_message(broker, consumer) < AT_ONCE


def test_a_redis_user_who_may_not_publish_can_send_all_the_same(queue: str) -> None:
    require(SERVICES["redis"])
    server = redis.Redis.from_url(SERVICES["redis"])
    server.acl_setuser("sender", enabled=True, nopass=True, keys="*", categories=["+@all"], reset=True)
    try:
        address = urlparse(SERVICES["redis"])
        broker = make_broker(f"redis://sender:any@{address.netloc}{address.path}")
        broker.declare_queue(queue)
        broker.enqueue(doorbell(queue))
        assert server.llen(f"stepwright:{queue}") == 1
        broker.flush(queue)
        broker.close()
    finally:
        server.acl_deluser("sender")
        server.close()
