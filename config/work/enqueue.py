"""Tell the workers of a lane that a row waits. After a lost message, the sweep tells them again."""

from __future__ import annotations

import logging
from uuid import UUID

import dramatiq
from django.db import models, transaction

from config.work.sender import SENDER

log = logging.getLogger(__name__)


def actor_name(model: type[models.Model], lane: str) -> str:
    return f"perform_{model._meta.model_name}_{lane}"


def enqueue_on_commit(model: type[models.Model], row_id: UUID, lane: str) -> None:
    """Tell the row's lane of it after the commit. Errors of the broker are logged: the sweep enqueues again.

    The message is a doorbell: who hears it performs the next row of this kind and lane, which may be another one.
    """
    enqueue_message_on_commit(lane, actor_name(model, lane), str(row_id))


def enqueue_message_on_commit(lane: str, actor: str, *arguments: str) -> None:
    """Send a message after the commit. It is sent once, and lost if the broker is down.

    It names its actor, which only workers load (`registry.load_kinds`).
    """
    message: dramatiq.Message[None] = dramatiq.Message(lane, actor, arguments, kwargs={}, options={})
    transaction.on_commit(lambda: _send(message))


def _send(message: dramatiq.Message[None]) -> None:
    try:
        SENDER.call(lambda: dramatiq.get_broker().enqueue(message))
    except TimeoutError:
        log.warning("the broker is slow or hangs; the message goes when it can, or the sweep enqueues again")
    except Exception:
        log.warning("the broker took no message; the sweep will enqueue again", exc_info=True)
