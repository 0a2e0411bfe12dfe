"""What tests of gateways share: a text, a stub to send it to, and gateways that are configured."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from campaigns.gateways import wire
from campaigns.gateways.base import Outgoing
from tests.campaigns.gateways import stub as stubs

SECRET = "a-secret-in-the-path"
WEBHOOK_SECRET = "a-secret-that-both-sides-know-32"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC" + "0" * 32


@pytest.fixture
def text() -> Outgoing:
    return Outgoing(
        reference=17,
        sender="36123",
        to="+393120000001",
        text="Officina: perché no?",
        encoding="GSM-7",
        parts=1,
        validity=timedelta(minutes=90, seconds=30),
    )


@pytest.fixture
def stub() -> Iterator[stubs.Stub]:
    with stubs.serving() as served:
        yield served


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TIMEOUT", (1, 0.1))


@pytest.fixture
def all_configured(settings: Any) -> Any:
    settings.PUBLIC_URL = "https://placet.example.org"
    settings.KANNEL_URL = "http://127.0.0.1:9/cgi-bin/sendsms"
    settings.KANNEL_USERNAME = "placet"
    settings.KANNEL_PASSWORD = "a password, with a comma é"
    settings.KANNEL_SECRET = SECRET
    settings.KANNEL_ADDRESSES = ["127.0.0.1", "10.1.0.0/16"]
    settings.KANNEL_CALLBACK_URL = "http://127.0.0.1:8000"
    settings.KANNEL_DEAD_NUMBERS = ["1"]
    settings.TWILIO_URL = "http://127.0.0.1:9"
    settings.TWILIO_ACCOUNT_SID = ACCOUNT
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.WEBHOOK_URL = "http://127.0.0.1:9/take"
    settings.WEBHOOK_SECRET = WEBHOOK_SECRET
    return settings
