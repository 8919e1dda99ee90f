"""A broker that accepts connections and never answers, or answers late: requests wait 500 ms for it, once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import dramatiq
import pytest
from django.test import Client
from psycopg import OperationalError

from config import health
from config.embedded import POOL
from config.work import broker as brokers
from config.work import enqueue, sender
from config.work.broker import make_broker
from config.work.sender import Sender
from jobs.models import Job, PipelineRun
from tests.factories import Api
from tests.wire import Wire
from tests.workers import use_broker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(
    params=["redis://127.0.0.1:{port}/0", "amqp://guest:guest@127.0.0.1:{port}"], ids=["redis", "amqp"]
)
def hanging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The broker is a server that hangs; the thread that calls it is one of this test's own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = dramatiq.get_broker()
        mine = Sender()
        for module in (enqueue, health):
            monkeypatch.setattr(module, "SENDER", mine)
        use_broker(make_broker(request.param.format(port=server.getsockname()[1])))
        try:
            yield
        finally:
            use_broker(before)


def seconds_of(call) -> float:  # type: ignore[no-untyped-def]
    began = time.monotonic()
    call()
    return time.monotonic() - began


def test_a_run_waits_half_a_second_and_the_next_not_at_all(
    hanging: None, owner: Api, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    first = seconds_of(lambda: owner.post(f"/jobs/{job.pk}/run"))
    run = PipelineRun.objects.get(job=job)
    assert run.status == "PENDING", "accepted all the same; the sweep enqueues it"
    assert "the broker is slow or hangs" in caplog.text
    time.sleep(0.1)
    second = seconds_of(run.enqueue_on_commit)
    assert 0.5 <= first < 2.5 and second < 0.3


def test_health_says_that_the_broker_is_down_and_does_not_wait(hanging: None) -> None:
    assert seconds_of(lambda: Client().get("/readyz")) < 2.5
    assert Client().get("/readyz").json()["parts"]["broker"] == "down (TimeoutError)"


def test_calls_that_waited_are_made_when_the_broker_answers_again() -> None:
    mine, answers, made = Sender(), threading.Event(), list[int]()
    with pytest.raises(TimeoutError):
        mine.call(lambda: answers.wait(20))
    for number in range(3):
        with pytest.raises(TimeoutError):
            mine.call(lambda number=number: made.append(number))  # type: ignore[misc]
    assert made == []
    answers.set()
    while len(made) < 3:
        time.sleep(0.01)
    mine.call(lambda: made.append(3))
    assert made == [0, 1, 2, 3]


def test_no_more_than_so_many_calls_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "MAX_QUEUED", 2)
    mine, answers = Sender(), threading.Event()
    for _ in range(3):  # one is made, two wait
        with pytest.raises(TimeoutError):
            mine.call(lambda: answers.wait(20))
    with pytest.raises(TimeoutError, match="too many calls"):
        mine.call(lambda: None)
    answers.set()


def test_an_error_of_the_broker_is_told_and_costs_the_request_nothing(
    owner: Api, job: Job, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    before = dramatiq.get_broker()
    monkeypatch.setattr(enqueue, "SENDER", Sender())
    use_broker(make_broker(f"redis://127.0.0.1:{port}/0"))
    try:
        assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    finally:
        use_broker(before)
    assert "the sweep" in caplog.text


def test_a_message_goes_as_soon_as_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PostgreSQL as the broker, whose own retries would sleep on for half a minute."""
    monkeypatch.setitem(POOL, "timeout", 0.5)
    own = brokers._own_database()
    wire = Wire(own.get("host", "/var/run/postgresql"), own.get("port", ""))
    wire.join()
    broker = make_broker(
        f"postgresql://{own['user']}:{own.get('password', '')}@127.0.0.1:{wire.port}/{own['dbname']}"
    )
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name="test-away", actor_name="none", args=(), kwargs={}, options={}
    )
    try:
        broker.enqueue(message)
        wire.cut()
        for _ in range(4):
            with pytest.raises(OperationalError):
                broker.enqueue(message)
        wire.join()
        assert seconds_of(lambda: broker.enqueue(message)) < 0.5
    finally:
        broker.close()
        wire.cut()


def test_the_pool_of_the_broker_is_bounded() -> None:
    broker = make_broker("")
    assert isinstance(broker, brokers.DatabaseBroker)
    assert broker.pool.max_size == brokers.MAX_CONNECTIONS
    broker.close()


def test_bounds_in_the_url_of_rabbitmq_win() -> None:
    url = brokers._with("amqp://h/vhost?stack_timeout=9", brokers.AMQP_BOUNDS)
    assert url == "amqp://h/vhost?socket_timeout=5&stack_timeout=9&blocked_connection_timeout=5"
