"""Whatever is thrown at the hooks: never a server error, never a change without a valid signature."""

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.test import client as test_client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

import campaigns
from campaigns import outcomes
from campaigns.gateways import webhook
from campaigns.models import InboundMessage, Message
from config.wsgi import Request
from consent.contacts.models import Contact, Suppression
from tests.campaigns.gateways.conftest import SECRET, TOKEN, WEBHOOK_SECRET

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_configured", "served")]
PATHS = st.sampled_from(
    [
        f"/hooks/kannel/{SECRET}/inbound/",
        f"/hooks/kannel/{SECRET}/receipt/1/",
        f"/hooks/kannel/{SECRET}/receipt/{2**64}/",
        "/hooks/kannel/wrong/inbound/",
        "/hooks/twilio/inbound/",
        "/hooks/twilio/receipt/1/",
        "/hooks/webhook/inbound/",
        "/hooks/webhook/receipt/",
        "/hooks/",
        f"/hooks/kannel/{'9' * 5000}/receipt/{'9' * 5000}/",
    ]
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "TRACE", "JUNK"])
KINDS = st.sampled_from(
    [
        "",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=hex",
        "application/x-www-form-urlencoded; charset=utf-7",
        "application/json",
        "application/json; charset=utf-16",
        "text/plain; charset=zlib",
        "text/plain; charset=UTF-16BE",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "\xff",
    ]
)
WORDS = st.text(max_size=30) | st.sampled_from(["STOP", "1", "16", "+393120000001", "9" * 30, "-1", "\0", "%00", "é"])
NAMES = st.sampled_from(
    ["from", "to", "text", "id", "at", "state", "meta", "From", "To", "Body", "MessageSid", "MessageStatus",
     "ErrorCode", "bodySHA256", "reference", "a"]
)  # fmt: skip
HEADERS = st.sampled_from(
    ["X-Twilio-Signature", "X-Twilio-Webhooks-Signature-Settings", "X-Placet-Timestamp", "X-Placet-Signature",
     "X-Kannel-From", "X-Kannel-To", "X-Forwarded-For", "Accept-Language", "Cookie", "Host-Junk"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=6,
)
FIELDS = st.dictionaries(NAMES, WORDS, max_size=5)
# The fixtures of the test stay the same for all its examples, on purpose.
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test client builds requests as our WSGI entry does."""
    monkeypatch.setattr(test_client, "WSGIRequest", Request)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What passed the door; it goes no further."""
    passed: list[Any] = []
    monkeypatch.setattr(campaigns, "inbound", SimpleNamespace(receive=lambda *what: passed.append(what)), raising=False)
    monkeypatch.setattr(outcomes, "receive", lambda *what: passed.append(what))
    return passed


def encoded(fields: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, errors='replace')}" for name, value in fields.items())


def latin(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1").replace("\n", "").replace("\r", "")


@FUZZ
@given(
    path=PATHS,
    method=METHODS,
    kind=KINDS,
    query=st.binary(max_size=60)
    | FIELDS.map(lambda f: "&".join(f"{n}={quote(v, errors='replace')}" for n, v in f.items()).encode()),
    body=st.binary(max_size=60) | JSON.map(lambda j: json.dumps(j).encode()),
    headers=st.dictionaries(HEADERS, WORDS.map(latin), max_size=4),
    address=st.sampled_from(["203.0.113.9", "", "::1", "unix:"]),
)
def test_strangers_get_nowhere(
    client: Client, counted: list[Any], path: str, method: str, kind: str, query: bytes, body: bytes,
    headers: dict[str, str], address: str,
) -> None:  # fmt: skip
    environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    answer = client.generic(
        method, path, body, kind, QUERY_STRING=query.decode("latin-1"), REMOTE_ADDR=address, **environ
    )
    assert answer.status_code in (400, 403, 404)
    assert counted == []


def rows() -> list[int]:
    return [model.objects.count() for model in (InboundMessage, Message, Contact, Suppression)]


@FUZZ
@given(kind=KINDS, fields=FIELDS, body=st.binary(max_size=40), headers=st.dictionaries(HEADERS, WORDS.map(latin)))
def test_kannel_may_say_anything(
    client: Client, kind: str, fields: dict[str, str], body: bytes, headers: dict[str, str]
) -> None:
    headers.pop("X-Forwarded-For", None)
    environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    query = encoded(fields)
    for path in ("inbound/", "receipt/1/", f"receipt/{2**63}/"):
        for method in ("GET", "POST"):
            answer = client.generic(method, f"/hooks/kannel/{SECRET}/{path}", body, kind, QUERY_STRING=query, **environ)
            assert answer.status_code == 200


@FUZZ
@given(fields=FIELDS, kind=st.sampled_from(["", "; charset=hex", "; charset=utf-16"]))
def test_twilio_may_say_anything(client: Client, fields: dict[str, str], kind: str) -> None:
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    body = encoded(clean).encode()
    for path in ("/hooks/twilio/inbound/", "/hooks/twilio/receipt/1/"):
        signature = RequestValidator(TOKEN).compute_signature("https://placet.example.org" + path, clean)
        given = {"HTTP_X_TWILIO_SIGNATURE": signature, "CONTENT_TYPE": f"application/x-www-form-urlencoded{kind}"}
        answer = client.generic("POST", path, body, **given)
        assert answer.status_code == 200


@FUZZ
@given(body=st.binary(max_size=60) | JSON.map(lambda j: json.dumps(j).encode()))
def test_the_webhook_may_say_anything(client: Client, body: bytes) -> None:
    timestamp = str(int(timezone.now().timestamp()))
    signed = {"X-Placet-Timestamp": timestamp, "X-Placet-Signature": webhook.sign(WEBHOOK_SECRET, timestamp, body)}
    for path in ("/hooks/webhook/inbound/", "/hooks/webhook/receipt/"):
        assert client.post(path, body, "application/json", headers=signed).status_code == 200


def test_no_stranger_leaves_a_row(client: Client) -> None:
    before = rows()
    for path in ("kannel/guess/inbound/", "twilio/inbound/", "webhook/inbound/"):
        fields = {"from": "+393120000001", "From": "+393120000001", "text": "STOP", "Body": "STOP"}
        assert client.post(f"/hooks/{path}", fields).status_code == 403
        assert client.get(f"/hooks/{path}", fields).status_code == 403
    assert rows() == before
