"""What gateways tell us, made fit for our tables: never too long, never a character a database refuses."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from campaigns.gateways.base import Refused

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"\d{7}")
_LARGEST = 2**63 - 1
_EFFECTS = ("opt_out", "no_subscriber")
_SKEW = timedelta(minutes=1)


def code(value: Any) -> str:
    """An error code that is one; empty when it looks like a text or a number of a person (P10)."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _CODE.fullmatch(text) and not _LIKE_A_NUMBER.search(text) else ""


def effect(value: Any) -> str:
    """An effect we know, or an empty string."""
    return value if isinstance(value, str) and value in _EFFECTS else ""


def text(value: Any) -> str:
    """A text without what PostgreSQL refuses: NUL and halves of characters."""
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def name(value: Any) -> str:
    """A number or a name as it came, at most 40 characters."""
    return text(value).strip()[:40]


def identity(value: Any) -> str:
    """The gateway's id of a text, at most 80 characters; a long one becomes its digest, so that two never meet."""
    given = text(value).strip()
    return given if len(given) <= 80 else hashlib.sha256(given.encode()).hexdigest()


def reference(value: Any) -> int | None:
    """The id of one of our messages, given as a number or as digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST:
        return None
    return value


def moment(value: Any) -> datetime | None:
    """A moment given as seconds since 1970 or in ISO 8601 with its zone; None when it is no moment of this century so
    far."""
    try:
        if isinstance(value, str) and not value.isdigit():
            found = datetime.fromisoformat(value)
        else:
            found = datetime.fromtimestamp(int(value), UTC)
        if found.tzinfo is None:
            return None
        found = found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    now = timezone.now()
    return min(found, now) if found.year >= 2000 and found <= now + _SKEW else None


def refusal(status: int, answer: Mapping[str, Any], *, ours: frozenset[int]) -> Refused:
    """What an HTTP error means where the gateway says no more: ours, for later, or for good.

    Args:
        status: 300 or more.
        answer: ``code`` and ``effect`` in it are kept when they are ones.
        ours: further statuses that mean that it refuses us.
    """
    return Refused(
        code=code(answer.get("code")) or f"http-{status}",
        temporary=status in (408, 425, 429) or status >= 500,
        effect=effect(answer.get("effect")),
        ours=status < 400 or status in ours,
    )
