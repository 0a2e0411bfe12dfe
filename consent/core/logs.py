"""Log lines without personal data (P10)."""

import logging
import traceback
from types import TracebackType


class PrivateFormatter(logging.Formatter):
    """Formats exceptions as type and places, never with their message: database errors quote the row."""

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        kind, _, trace = ei
        if kind is None:
            return ""
        frames = traceback.extract_tb(trace)
        return "\n".join([f"  {f.filename}:{f.lineno} in {f.name}" for f in frames] + [f"  {kind.__qualname__}"])
