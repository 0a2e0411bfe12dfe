"""Keyed digests of numbers: suppression without keeping the number (RULES O8).

HMAC-SHA-256 over the E.164 form. Keys come from the environment (``SUPPRESSION_KEYS``), newest first: the newest
writes, all can be read, so a key can be rotated.
"""

import base64
import binascii
import hashlib
import hmac
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@cache
def _parse(value: str) -> tuple[tuple[str, bytes], ...]:
    keys = []
    for part in filter(None, (p.strip() for p in value.split(","))):
        key_id, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured(f"SUPPRESSION_KEYS: key {key_id!r} is not base64.") from error
        if not key_id or len(key_id) > 16 or len(key) < 32:
            raise ImproperlyConfigured(
                "SUPPRESSION_KEYS: write each key as id:base64, with an id of 1 to 16 characters and 32 bytes or more."
            )
        keys.append((key_id, key))
    if not keys or len({key_id for key_id, _ in keys}) < len(keys):
        raise ImproperlyConfigured("SUPPRESSION_KEYS needs at least one key, and each id once.")
    return tuple(keys)


def _hmac(key: bytes, number: str) -> str:
    return hmac.new(key, number.encode("ascii"), hashlib.sha256).hexdigest()


def newest_key_id() -> str:
    """The id of the key that writes."""
    return _parse(settings.SUPPRESSION_KEYS)[0][0]


def readable_key_ids() -> list[str]:
    """The ids of all keys at hand, newest first."""
    return [key_id for key_id, _ in _parse(settings.SUPPRESSION_KEYS)]


def digest(number: str) -> str:
    """The digest of an E.164 number under the newest key, 64 hexadecimal digits."""
    return _hmac(_parse(settings.SUPPRESSION_KEYS)[0][1], number)


def digests(number: str) -> dict[str, str]:
    """The digests of an E.164 number under every readable key, by key id, newest first."""
    return {key_id: _hmac(key, number) for key_id, key in _parse(settings.SUPPRESSION_KEYS)}
