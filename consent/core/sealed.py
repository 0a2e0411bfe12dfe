"""Search terms in addresses as ciphertext: numbers and names never stand in a URL or an access log (P10)."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

_MARK = "~"  # tells a sealed term from one somebody typed into the address bar


def _box() -> Fernet:
    key = hashlib.sha256(b"placet.sealed" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def seal(text: str) -> str:
    """``text`` as a token that only this installation can read."""
    return _MARK + _box().encrypt(text.encode()).decode()


def unseal(token: str) -> str:
    """What was sealed; a text that was never sealed comes back as it is, a broken token as an empty text."""
    if not token.startswith(_MARK):
        return token
    try:
        return _box().decrypt(token[len(_MARK) :].encode()).decode()
    except InvalidToken:
        return ""
