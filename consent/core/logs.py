"""Log lines without personal data (P10)."""

import copy
import logging
import traceback
from types import TracebackType
from typing import Any


class PrivateFormatter(logging.Formatter):
    """Formats exceptions as type and places, never with their message: database errors quote the row."""

    def format(self, record: logging.LogRecord) -> str:
        # A copy, because a record keeps the text of its exception once any formatter has written it.
        private = copy.copy(record)
        private.exc_text = None
        private.args = _without_messages(record)
        return super().format(private)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        kind, _, trace = ei
        if kind is None:
            return ""
        places = [f"  {f.f_code.co_filename}:{line} in {f.f_code.co_name}" for f, line in traceback.walk_tb(trace)]
        return "\n".join([*places, f"  {kind.__qualname__}"])


def _without_messages(record: logging.LogRecord) -> Any:
    """The arguments of a log line with every exception reduced to its kind."""
    if isinstance(record.args, dict):
        args = {key: _kind(value) for key, value in record.args.items()}
        if "exc" in args and record.exc_info:  # Celery hands exceptions over as text
            args |= {"exc": getattr(record.exc_info[0], "__qualname__", "exception"), "traceback": ""}
        return args
    return tuple(_kind(value) for value in record.args) if isinstance(record.args, tuple) else record.args


def _kind(value: object) -> object:
    return type(value).__qualname__ if isinstance(value, BaseException) else value
