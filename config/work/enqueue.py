"""Send the id of a waiting row to the workers. After a lost message, the sweep sends the id again."""

from __future__ import annotations

import logging
from uuid import UUID

import dramatiq
from django.db import models, transaction

log = logging.getLogger(__name__)


def actor_name(model: type[models.Model]) -> str:
    return f"perform_{model._meta.model_name}"


def enqueue_on_commit(model: type[models.Model], row_id: UUID, *, delay_seconds: int = 0) -> None:
    """Send the row's id to its queue after the commit. Errors of the broker are logged: the sweep enqueues again."""
    actor = dramatiq.get_broker().get_actor(actor_name(model))
    transaction.on_commit(lambda: _send(actor, str(row_id), delay_seconds=delay_seconds))


def enqueue_message_on_commit(name: str, *arguments: str) -> None:
    """Send a message without a row after the commit. It is sent once, and lost if the broker is down."""
    actor = dramatiq.get_broker().get_actor(name)
    transaction.on_commit(lambda: _send(actor, *arguments))


def _send(to: dramatiq.Actor[..., None], *arguments: str, delay_seconds: int = 0) -> None:
    try:
        to.send_with_options(args=arguments, delay=delay_seconds * 1000 or None)
    except Exception:
        log.warning("the broker took no message; the sweep will enqueue again", exc_info=True)
