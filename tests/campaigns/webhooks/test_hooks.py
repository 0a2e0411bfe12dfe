"""What gateways get when they call, and what a call changes."""

import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from twilio.request_validator import RequestValidator

import campaigns
from campaigns import outcomes
from campaigns.gateways import webhook
from campaigns.gateways.base import Inbound, Receipt
from campaigns.webhooks import views
from tests import factories
from tests.campaigns.gateways.conftest import SECRET, TOKEN, WEBHOOK_SECRET

pytestmark = pytest.mark.usefixtures("all_configured")
SID = "SM" + "0" * 32


class Kept:
    """What the hooks hand on instead of keeping it; ``fails`` is raised."""

    def __init__(self) -> None:
        self.inbound: list[tuple[str, Inbound]] = []
        self.receipts: list[tuple[str, Receipt]] = []
        self.fails: Exception | None = None

    def take_inbound(self, gateway: str, text: Inbound) -> None:
        if self.fails:
            raise self.fails
        self.inbound.append((gateway, text))

    def take_receipt(self, gateway: str, receipt: Receipt) -> None:
        if self.fails:
            raise self.fails
        self.receipts.append((gateway, receipt))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    hands = Kept()
    monkeypatch.setattr(campaigns, "inbound", SimpleNamespace(receive=hands.take_inbound), raising=False)
    monkeypatch.setattr(outcomes, "receive", hands.take_receipt)
    return hands


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as the configured handler would write it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    formatter = configured.LOGGING["formatters"]["private"]
    from consent.core.logs import PrivateFormatter

    handler.setFormatter(PrivateFormatter(formatter["format"], style="{"))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def by_kannel(client: Client, what: str, secret: str = SECRET, **fields: Any) -> Any:
    args = [secret] if what == "kannel_inbound" else [secret, 17]
    return client.get(reverse(f"hooks:{what}", args=args), **fields)


def by_twilio(client: Client, path: str, fields: dict[str, str], signature: str | None = None) -> Any:
    if signature is None:
        signature = RequestValidator(TOKEN).compute_signature("https://placet.example.org" + path, fields)
    body = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in fields.items())
    kind = "application/x-www-form-urlencoded"
    return client.post(path, body, content_type=kind, headers={"X-Twilio-Signature": signature})


def by_webhook(client: Client, path: str, said: Any, secret: str = WEBHOOK_SECRET) -> Any:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    timestamp = str(int(timezone.now().timestamp()))
    signed = {"X-Placet-Timestamp": timestamp, "X-Placet-Signature": webhook.sign(secret, timestamp, body)}
    return client.post(path, body, content_type="application/json", headers=signed)


def test_kannels_text_and_receipt(client: Client, kept: Kept) -> None:
    path = reverse("hooks:kannel_inbound", args=[SECRET])
    headers = {"X-Kannel-From": "+393120000001", "X-Kannel-To": "36123"}
    answer = client.post(f"{path}?id=in-1", "arrêt".encode(), content_type="text/plain; charset=UTF-8", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")  # Kannel would text whatever stands in there
    answer = by_kannel(client, "kannel_receipt", query_params={"state": "8"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert kept.inbound == [("kannel", Inbound("in-1", "+393120000001", "36123", "arrêt"))]
    assert kept.receipts == [("kannel", Receipt("sent", 17))]


def test_twilios_text_and_receipt(client: Client, kept: Kept) -> None:
    fields = {"MessageSid": SID, "From": "+393120000001", "To": "36123", "Body": "STOP"}
    answer = by_twilio(client, "/hooks/twilio/inbound/", fields)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert answer.content == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    answer = by_twilio(client, "/hooks/twilio/receipt/17/", {"MessageSid": SID, "MessageStatus": "delivered"})
    assert answer.status_code == 200
    assert kept.inbound == [("twilio", Inbound(SID, "+393120000001", "36123", "STOP"))]
    assert kept.receipts == [("twilio", Receipt("delivered", 17, SID))]


def test_the_webhooks_text_and_receipt(client: Client, kept: Kept, clock: Any) -> None:
    said = {"id": "in-1", "from": "+393120000001", "to": "36123", "text": "STOP"}
    assert by_webhook(client, "/hooks/webhook/inbound/", said).status_code == 200
    assert by_webhook(client, "/hooks/webhook/receipt/", {"reference": 17, "state": "failed"}).status_code == 200
    # Without a time of its own, the time that was signed counts.
    assert kept.inbound == [("webhook", Inbound("in-1", "+393120000001", "36123", "STOP", at=timezone.now()))]
    assert kept.receipts == [("webhook", Receipt("failed", 17))]


def test_nobody_else_changes_anything_or_learns_why(client: Client, kept: Kept) -> None:
    fields = {"MessageSid": SID, "From": "+393120000001", "Body": "STOP"}
    for answer in (
        by_kannel(client, "kannel_inbound", "guessed-secret", query_params={"from": "1", "text": "STOP"}),
        by_kannel(client, "kannel_inbound", query_params={"from": "1"}, REMOTE_ADDR="203.0.113.9"),
        by_kannel(client, "kannel_receipt", "guessed-secret", query_params={"state": "1"}),
        by_twilio(client, "/hooks/twilio/inbound/", fields, signature=""),
        by_twilio(client, "/hooks/twilio/inbound/", fields, signature="guess"),
        client.post("/hooks/twilio/inbound/", fields),
        client.get("/hooks/twilio/inbound/", fields),
        by_twilio(client, "/hooks/twilio/receipt/17/", {"MessageStatus": "delivered"}, signature="guess"),
        by_webhook(client, "/hooks/webhook/inbound/", {"from": "1", "text": "STOP"}, secret="guess"),
        by_webhook(client, "/hooks/webhook/receipt/", {"reference": 17, "state": "delivered"}, secret="guess"),
        client.post("/hooks/webhook/receipt/", {"reference": 17}),
    ):
        assert (answer.status_code, answer.content) == (403, b"")
    assert kept.inbound == kept.receipts == []


def test_a_gateway_that_is_not_configured_is_nobody(client: Client, kept: Kept, settings: Any) -> None:
    settings.WEBHOOK_SECRET = ""
    said = {"from": "1", "text": "STOP"}
    assert by_webhook(client, "/hooks/webhook/inbound/", said, secret="").status_code == 403
    assert kept.inbound == []


def test_an_unknown_id_is_fine(client: Client, db: None) -> None:
    assert by_kannel(client, "kannel_receipt", query_params={"state": "1"}).status_code == 200
    huge = reverse("hooks:kannel_receipt", args=[SECRET, 2**70])
    assert client.get(huge, {"state": "1"}).status_code == 200


@pytest.mark.usefixtures("acting")
def test_a_receipt_moves_its_text(client: Client, db: None) -> None:
    texts = [factories.message(state="sent", sender=factories.sender(address="36124", gateway="kannel"))]
    texts.append(factories.message(state="sent", sender=factories.sender(address="36125", gateway="twilio")))
    for text in texts:  # the same call about a text of another gateway changes nothing
        path = reverse("hooks:kannel_receipt", args=[SECRET, text.pk])
        assert client.get(path, {"state": "1"}).status_code == 200
        text.refresh_from_db()
    assert [text.state for text in texts] == ["delivered", "sent"]


@pytest.mark.parametrize("fault", [OperationalError("+393120000001"), ValueError("+393120000001")], ids=str)
def test_what_could_not_be_kept_is_asked_for_again(
    client: Client, kept: Kept, log: io.StringIO, fault: Exception
) -> None:
    kept.fails = fault
    fields = {"MessageSid": SID, "From": "+393120000001", "Body": "STOP"}
    for answer in (
        by_twilio(client, "/hooks/twilio/inbound/", fields),
        by_kannel(client, "kannel_inbound", query_params={"from": "+393120000001", "text": "STOP"}),
        by_kannel(client, "kannel_receipt", query_params={"state": "1"}),
    ):
        assert (answer.status_code, answer.content) == (503, b"")
    assert type(fault).__name__ in log.getvalue()
    assert "39312" not in log.getvalue()
    assert SECRET not in log.getvalue()


def test_no_log_holds_the_secret(client: Client, kept: Kept, log: io.StringIO) -> None:
    by_kannel(client, "kannel_inbound", query_params={"from": "1"}, REMOTE_ADDR="203.0.113.9")
    assert client.get(f"/hooks/kannel/{SECRET}/inbuond/").status_code == 404
    assert client.get(f"/hooks/kannel/{SECRET}/inbound").status_code == 404  # never a redirect: it loses the text
    assert client.post(f"/hooks/kannel/{SECRET}/inbound").status_code == 404
    assert "kannel was refused" in log.getvalue()
    assert SECRET not in log.getvalue()
    assert "203.0.113" not in log.getvalue()


def test_what_is_too_large_to_be_a_call_is_not_read(client: Client, kept: Kept) -> None:
    path = reverse("hooks:kannel_inbound", args=[SECRET])
    headers = {"X-Kannel-From": "1"}
    for size, status in [(views.LARGEST_BODY, 200), (views.LARGEST_BODY + 1, 413)]:
        answer = client.post(path, b"x" * size, content_type="text/plain", headers=headers)
        assert answer.status_code == status
    assert len(kept.inbound) == 1
    answer = client.post(path, "&".join(f"a{n}=1" for n in range(6000)), content_type=views._FORM)
    assert answer.status_code == 400
    for length in ("-1", "x", "9" * 30):
        assert client.post(path, b"x", content_type="text/plain", CONTENT_LENGTH=length).status_code in (400, 413)


def test_a_redirect_to_tls_would_lose_the_call(client: Client, kept: Kept, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^hooks/"]  # as in production
    client = Client()
    assert by_kannel(client, "kannel_receipt", query_params={"state": "1"}).status_code == 200
    assert client.get("/admin/").status_code == 301
