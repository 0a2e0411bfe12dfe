"""Twilio: requests as its own description wants them, callbacks as its own validator signs them."""

import base64
import hashlib
import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import pytest
from django.http import QueryDict
from twilio.request_validator import HMAC_SHA256, RequestValidator

from campaigns.gateways.base import Accepted, Callback, Inbound, OutcomeUnknown, Outgoing, Receipt, Refused
from campaigns.gateways.twilio import Twilio
from tests.campaigns.gateways import stub as stubs
from tests.campaigns.gateways.conftest import ACCOUNT, TOKEN

PUBLIC = "https://placet.example.org"
SID = "SM" + "a1" * 16
DESCRIPTION = Path(__file__).parents[2] / (
    "node/node_modules/@twilio-alpha/mcp/twilio-oai/spec/json/twilio_api_v2010.json"
)


@pytest.fixture
def twilio(stub: stubs.Stub) -> Twilio:
    stub.answer = (201, json.dumps({"sid": SID, "status": "queued"}).encode())
    return Twilio(url=stub.url, account_sid=ACCOUNT, auth_token=TOKEN, public_url=PUBLIC)


def sent(stub: stubs.Stub) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(stub.calls[-1][3].decode(), strict_parsing=True).items()}


def test_a_text_goes_as_a_form_under_basic_authentication(twilio: Twilio, stub: stubs.Stub, text: Outgoing) -> None:
    assert twilio.send(text) == Accepted(SID)
    method, path, headers, _body = stub.calls[0]
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode() == f"{ACCOUNT}:{TOKEN}"
    assert sent(stub) == {
        "To": "+393120000001",
        "From": "36123",
        "Body": "Officina: perché no?",
        "StatusCallback": "https://placet.example.org/hooks/twilio/receipt/17/",
        "ValidityPeriod": "5430",
    }


@pytest.mark.parametrize(
    ("validity", "period"),
    [(None, None), (0, "1"), (-5, "1"), (1, "1"), (36_000, "36000"), (36_001, "36000"), (10**7, "36000")],
)
def test_its_bounds_of_validity_are_kept(
    twilio: Twilio, stub: stubs.Stub, text: Outgoing, validity: int | None, period: str | None
) -> None:
    twilio.send(replace(text, validity=None if validity is None else timedelta(seconds=validity)))
    assert sent(stub).get("ValidityPeriod") == period


@pytest.mark.skipif(
    not (DESCRIPTION.exists() or "CI_NODE" in os.environ), reason="needs Twilio's own description: npm ci in tests/node"
)
def test_requests_are_what_its_own_description_wants(twilio: Twilio, stub: stubs.Stub, text: Outgoing) -> None:
    described = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    paths = described["paths"]
    twilio.send(text)
    path = stub.calls[-1][1].replace(ACCOUNT, "{AccountSid}")
    schema = paths[path]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    form: dict[str, Any] = sent(stub)
    form["ValidityPeriod"] = int(form["ValidityPeriod"])
    jsonschema.validate(form, {**schema, "additionalProperties": False})
    assert set(schema["required"]) <= set(form)

    twilio.ask(17, SID)
    path = stub.calls[-1][1].replace(ACCOUNT, "{AccountSid}").replace(SID, "{Sid}")
    assert "get" in paths[path]
    states = set(described["components"]["schemas"]["message_enum_status"]["enum"])
    from campaigns.gateways import twilio as module

    assert set(module._STATES) <= states
    under_way = {"queued", "sending", "accepted", "scheduled", "receiving", "received", "partially_delivered"}
    assert states - set(module._STATES) == under_way  # a new word of theirs forces a decision here


@pytest.mark.parametrize(
    ("status", "code", "refused"),
    [
        (400, 21610, Refused("21610", effect="opt_out")),
        (400, 30005, Refused("30005", effect="no_subscriber")),
        (400, 21211, Refused("21211")),
        (400, 21614, Refused("21614")),
        (400, 21606, Refused("21606", ours=True)),
        (401, 20003, Refused("20003", ours=True)),
        (404, 20404, Refused("20404", ours=True)),
        (403, None, Refused("http-403", ours=True)),
        (301, None, Refused("http-301", ours=True)),
        (429, 20429, Refused("20429", temporary=True)),
        (400, 21611, Refused("21611", temporary=True)),
        (500, 20500, Refused("20500", temporary=True)),
        (503, None, Refused("http-503", temporary=True)),
        (400, "+393120000001 is not a number", Refused("http-400")),
    ],
)
def test_an_error_is_a_value(
    twilio: Twilio, stub: stubs.Stub, text: Outgoing, status: int, code: Any, refused: Refused
) -> None:
    stub.answer = (status, json.dumps({"code": code, "message": "To +393120000001"}).encode() if code else b"<html>")
    assert twilio.send(text) == refused


@pytest.mark.parametrize(
    "answer",
    [(500, b""), (502, b"<html>"), (504, b"[]"), (200, b""), (201, b'{"sid": null}'), stubs.HANG, stubs.BREAK],
    ids=str,
)
@pytest.mark.usefixtures("impatient")
def test_what_says_nothing_leaves_it_unknown(twilio: Twilio, stub: stubs.Stub, text: Outgoing, answer: Any) -> None:
    stub.answer = answer
    with pytest.raises(OutcomeUnknown):
        twilio.send(text)
    assert len(stub.calls) == 1


def test_an_empty_text_never_leaves(twilio: Twilio, stub: stubs.Stub, text: Outgoing) -> None:
    assert twilio.send(replace(text, text="")) == Refused("empty")
    assert stub.calls == []


# --- callbacks --------------------------------------------------------------------------------------------------------


def call(path: str, form: str = "", *, signature: str | None = None, **headers: str) -> Callback:
    """As Twilio would call, signed by its own validator."""
    fields = QueryDict(form.encode(), encoding="utf-8")
    if signature is None:
        signature = RequestValidator(TOKEN).compute_signature(PUBLIC + path, fields)
    given = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8", "x-twilio-signature": signature}
    query = QueryDict(path.partition("?")[2].encode(), encoding="utf-8")
    return Callback("POST", path, given | headers, query, fields, form.encode())


INBOUND = "/hooks/twilio/inbound/"
STOP = f"MessageSid={SID}&From=%2B393120000001&To=36123&Body=STOP+%F0%9F%98%80&NumMedia=0"


def test_what_it_signed_is_its(twilio: Twilio) -> None:
    assert twilio.verify(call(INBOUND, STOP))
    assert twilio.verify(call(INBOUND, "A=1&A=2&B="))  # a name twice, and one without a value


def test_the_port_may_be_signed_or_not(twilio: Twilio) -> None:
    signature = RequestValidator(TOKEN).compute_signature(
        PUBLIC + ":443" + INBOUND, QueryDict(STOP.encode(), encoding="utf-8")
    )
    assert twilio.verify(call(INBOUND, STOP, signature=signature))


def test_its_newer_algorithm_is_known(twilio: Twilio) -> None:
    fields = QueryDict(STOP.encode(), encoding="utf-8")
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + INBOUND, fields, HMAC_SHA256)
    named = {"x-twilio-webhooks-signature-settings": "key=k1,algorithm=HMAC_SHA256"}
    assert twilio.verify(call(INBOUND, STOP, signature=signature, **named))
    assert not twilio.verify(call(INBOUND, STOP, signature=signature))


def test_what_is_not_a_form_is_covered_by_its_digest(twilio: Twilio) -> None:
    body = b'{"From": "+393120000001"}'
    path = f"{INBOUND}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + path, {})
    json_call = replace(
        call(path, signature=signature), body=body, form=QueryDict(""),
        headers={"content-type": "application/json", "x-twilio-signature": signature},
    )  # fmt: skip
    assert twilio.verify(json_call)
    assert twilio.parse_inbound(json_call) is None
    assert not twilio.verify(replace(json_call, body=body + b" "))


@pytest.mark.parametrize(
    "bad",
    [
        call(INBOUND, STOP, signature=""),
        call(INBOUND, STOP, signature="é" * 28),
        call(INBOUND, STOP, signature="A" * 28),
        replace(call(INBOUND, STOP), method="GET"),
        replace(call(INBOUND, STOP), path="/hooks/twilio/inbound"),
        replace(call(INBOUND, STOP), path="/hooks/twilio/receipt/17/"),
        replace(call(INBOUND, STOP), form=QueryDict(STOP.replace("STOP", "GO").encode(), encoding="utf-8")),
        replace(call(INBOUND, STOP), form=QueryDict("")),
        call(INBOUND, STOP, **{"content-type": "application/json"}),
        call(INBOUND, STOP, **{"content-type": "multipart/form-data"}),
        call(INBOUND, STOP, **{"x-twilio-webhooks-signature-settings": "algorithm=NONE"}),
        Callback("POST", INBOUND, {"x-twilio-signature": "x"}, {}, {}, b"\xff"),
        Callback("POST", "\ud800", {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": "x"}),
    ],
    ids=lambda bad: str(bad.headers)[:60],
)
def test_everything_else_is_refused(twilio: Twilio, bad: Callback) -> None:
    assert not twilio.verify(bad)


def test_the_address_is_ours_not_the_requests(twilio: Twilio) -> None:
    elsewhere = replace(twilio, public_url="https://elsewhere.example.org")
    assert not elsewhere.verify(call(INBOUND, STOP))


def test_an_inbound_text_is_read(twilio: Twilio) -> None:
    assert twilio.parse_inbound(call(INBOUND, STOP)) == Inbound(SID, "+393120000001", "36123", "STOP 😀")


@pytest.mark.parametrize(
    ("form", "receipt"),
    [
        ("MessageStatus=queued", None),
        ("MessageStatus=sending", None),
        ("MessageStatus=sent", Receipt("sent", 17, SID)),
        ("MessageStatus=delivered", Receipt("delivered", 17, SID)),
        ("MessageStatus=undelivered&ErrorCode=30003", Receipt("undelivered", 17, SID, "30003")),
        ("MessageStatus=undelivered&ErrorCode=30005", Receipt("undelivered", 17, SID, "30005", "no_subscriber")),
        ("MessageStatus=failed&ErrorCode=21610", Receipt("failed", 17, SID, "21610", "opt_out")),
        ("MessageStatus=failed&ErrorCode=", Receipt("failed", 17, SID)),
        ("MessageStatus=flying", None),
        ("", None),
    ],
)
def test_a_status_is_read(twilio: Twilio, form: str, receipt: Receipt | None) -> None:
    given = replace(call("/hooks/twilio/receipt/17/", f"MessageSid={SID}&{form}"), reference=17)
    assert twilio.parse_status(given) == receipt


def test_it_can_be_asked(twilio: Twilio, stub: stubs.Stub) -> None:
    stub.answer = (200, json.dumps({"sid": SID, "status": "undelivered", "error_code": 30005}).encode())
    assert twilio.ask(17, SID) == Receipt("undelivered", 17, SID, "30005", "no_subscriber")
    assert stub.calls[-1][:2] == ("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json")


@pytest.mark.parametrize("answer", [(200, b'{"status": "sending"}'), (200, b"[1]"), (404, b"{}"), stubs.BREAK], ids=str)
def test_an_answer_without_news_is_none(twilio: Twilio, stub: stubs.Stub, answer: Any) -> None:
    stub.answer = answer
    assert twilio.ask(17, SID) is None


def test_without_its_id_it_is_not_asked(twilio: Twilio, stub: stubs.Stub) -> None:
    assert twilio.ask(17, "") is None
    assert twilio.ask(17, "../../Messages") is None
    assert stub.calls == []
