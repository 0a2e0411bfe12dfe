"""The signed webhook, both ways."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import inbound
from campaigns.gateways import webhook
from campaigns.gateways.base import Accepted, Callback, Inbound, OutcomeUnknown, Outgoing, Receipt, Refused
from tests.campaigns.gateways import stub as stubs

SECRET = "both sides know it"


@pytest.fixture
def gateway(stub: stubs.Stub) -> webhook.Webhook:
    stub.answer = (200, b'{"id": "their-1"}')
    return webhook.Webhook(url=stub.url + "/take", secret=SECRET)


@pytest.mark.usefixtures("clock")
def test_a_text_goes_as_signed_json(gateway: webhook.Webhook, stub: stubs.Stub, text: Outgoing) -> None:
    assert gateway.send(text) == Accepted("their-1")
    method, path, headers, body = stub.calls[0]
    assert (method, path) == ("POST", "/take")
    assert json.loads(body) == {
        "reference": 17,
        "from": "36123",
        "to": "+393120000001",
        "text": "Officina: perché no?",
        "encoding": "GSM-7",
        "parts": 1,
        "validity_seconds": 5430,
    }
    assert headers["x-placet-timestamp"] == str(int(timezone.now().timestamp()))
    # The example of docs/gateways.md, so that both sides agree on it.
    assert webhook.sign("secret", "1795338000", b'{"id":"1"}') == (
        "e900c92f3f4f0fa23e2f923da414c8f73c020d9024fc21cc30dbe9d1be1d699a"
    )
    assert headers["x-placet-signature"] == webhook.sign(SECRET, headers["x-placet-timestamp"], body)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ((201, b'{"id": 5}'), Accepted("5")),
        ((204, b""), Accepted("")),
        ((202, b'["id"]'), Accepted("")),
        ((410, b'{"code": "gone-1", "effect": "no_subscriber"}'), Refused("gone-1", effect="no_subscriber")),
        ((409, b'{"code": "listed", "effect": "opt_out"}'), Refused("listed", effect="opt_out")),
        ((422, b'{"code": "+393120000001 is bad", "effect": "shoot"}'), Refused("http-422")),
        ((400, b"[]"), Refused("http-400")),
        ((429, b""), Refused("http-429", temporary=True)),
        ((500, b'{"code": "busy"}'), Refused("busy", temporary=True)),
        ((503, b""), Refused("http-503", temporary=True)),
        ((401, b""), Refused("http-401", ours=True)),
        ((404, b""), Refused("http-404", ours=True)),
        ((307, b""), Refused("http-307", ours=True)),
    ],
    ids=str,
)
def test_its_answer_is_a_value(
    gateway: webhook.Webhook, stub: stubs.Stub, text: Outgoing, answer: Any, result: Any
) -> None:
    stub.answer = answer
    assert gateway.send(text) == result


@pytest.mark.parametrize("answer", [(502, b""), (504, b""), stubs.HANG, stubs.BREAK], ids=str)
@pytest.mark.usefixtures("impatient")
def test_no_answer_leaves_it_unknown(gateway: webhook.Webhook, stub: stubs.Stub, text: Outgoing, answer: Any) -> None:
    stub.answer = answer
    with pytest.raises(OutcomeUnknown):
        gateway.send(text)


def call(said: Any, *, at: float = 0, secret: str = SECRET) -> Callback:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    timestamp = str(int(timezone.now().timestamp() + at))
    headers = {"x-placet-timestamp": timestamp, "x-placet-signature": webhook.sign(secret, timestamp, body)}
    return Callback("POST", "/hooks/webhook/inbound/", headers, body=body)


@pytest.mark.usefixtures("clock")
def test_what_it_signed_is_its_for_five_minutes(gateway: webhook.Webhook) -> None:
    for at, known in [(0, True), (-300, True), (300, True), (-301, False), (301, False)]:
        assert gateway.verify(call({"id": "1"}, at=at)) is known, at


def test_everything_else_is_refused(gateway: webhook.Webhook) -> None:
    good = call({"id": "1"})
    assert gateway.verify(good)
    for bad in (
        call({"id": "1"}, secret="another"),
        replace(good, method="GET"),
        replace(good, body=good.body + b" "),
        replace(good, headers={}),
        *(replace(good, headers={**good.headers, "x-placet-signature": given}) for given in ("", "é", "\ud800", "0")),
        *(replace(good, headers={**good.headers, "x-placet-timestamp": given}) for given in ("", "-1", "1e9", "١" * 9)),
    ):
        assert not gateway.verify(bad)
    assert not replace(gateway, secret="").verify(call({"id": "1"}, secret=""))


@pytest.mark.usefixtures("clock")
def test_an_inbound_text_is_read(gateway: webhook.Webhook) -> None:
    said = {
        "id": "in-1",
        "from": "+393120000001",
        "to": "36123",
        "text": "STOP \0😀",
        "at": "2026-11-22T09:59:00+01:00",
    }
    at = datetime(2026, 11, 22, 8, 59, tzinfo=UTC)
    assert gateway.parse_inbound(call(said)) == Inbound("in-1", "+393120000001", "36123", "STOP 😀", at)


@pytest.mark.parametrize(
    ("said", "receipt"),
    [
        ({"reference": 17, "state": "delivered"}, Receipt("delivered", 17)),
        ({"reference": "17", "state": "sent"}, Receipt("sent", 17)),
        ({"id": "their-1", "state": "undelivered", "code": "42"}, Receipt("undelivered", None, "their-1", "42")),
        ({"reference": 17, "state": "failed", "effect": "opt_out"}, Receipt("failed", 17, effect="opt_out")),
        ({"reference": 17, "state": "flown"}, None),
        ({"reference": 17, "state": ["sent"]}, None),
        ({"reference": -1, "state": "sent"}, None),
        ({"state": "sent"}, None),
        ([1], None),
        (b"{", None),
        (b"[" * 5000, None),
        (b"\xff\xfe", None),
        (b'{"reference": ' + b"9" * 5000 + b', "state": "sent"}', None),
    ],
    ids=lambda given: str(given)[:40],
)
def test_a_receipt_is_read(gateway: webhook.Webhook, said: Any, receipt: Receipt | None) -> None:
    assert gateway.parse_status(call(said)) == receipt


@pytest.mark.parametrize("said", [{}, {"from": 5}, {"from": None, "text": "STOP"}, [], b"null", b"1"], ids=str)
def test_what_holds_no_text_is_none(gateway: webhook.Webhook, said: Any) -> None:
    assert gateway.parse_inbound(call(said)) is None


def test_our_own_text_sent_back_is_no_inbound(gateway: webhook.Webhook, stub: stubs.Stub, text: Outgoing) -> None:
    gateway.send(text)
    _method, _path, headers, body = stub.calls[0]
    echoed = Callback("POST", "/hooks/webhook/inbound/", headers, body=body)
    assert gateway.verify(echoed)  # one secret signs both ways
    assert gateway.parse_inbound(echoed) is None
    assert gateway.parse_status(echoed) is None


@pytest.mark.django_db
@pytest.mark.parametrize("ahead", [0, 200])
def test_a_repeated_call_without_id_and_time_is_the_same_text(gateway: webhook.Webhook, clock: Any, ahead: int) -> None:
    signed = call({"from": "+393120000001", "to": "36123", "text": "START"}, at=ahead)
    found = []
    for _time in range(2):
        told = gateway.parse_inbound(signed)
        assert told is not None
        found.append(inbound.receive("webhook", told))
        assert found[-1].received_at <= timezone.now()
        clock.shift(timedelta(seconds=61))
    assert found[0] == found[1]
