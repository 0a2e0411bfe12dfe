"""Kannel's side of the gateway without Kannel: what is sent, what answers mean, whose calls count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.gateways.base import Accepted, Callback, Inbound, OutcomeUnknown, Outgoing, Receipt, Refused
from campaigns.gateways.kannel import Kannel
from tests.campaigns.gateways import stub as stubs
from tests.campaigns.gateways.conftest import SECRET


@pytest.fixture
def kannel(stub: stubs.Stub) -> Kannel:
    stub.answer = (202, b"0: Accepted for delivery")
    return Kannel(
        url=stub.url + "/cgi-bin/sendsms",
        username="placet",
        password="with, comma é",
        secret=SECRET,
        addresses=("127.0.0.1", "10.1.0.0/16"),
        callback_url="http://127.0.0.1:8000",
        dead_numbers=frozenset({"1"}),
    )


def test_neither_number_nor_text_is_in_the_address(kannel: Kannel, stub: stubs.Stub, text: Outgoing) -> None:
    assert kannel.send(text) == Accepted("")
    method, path, headers, body = stub.calls[0]
    assert (method, path) == ("POST", "/cgi-bin/sendsms")
    assert body.decode() == text.text
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    assert {name: value for name, value in headers.items() if name.startswith("x-kannel")} == {
        "x-kannel-username": "placet",
        "x-kannel-password": "with, comma é".encode().decode("latin-1"),
        "x-kannel-from": "36123",
        "x-kannel-to": "+393120000001",
        "x-kannel-coding": "0",
        "x-kannel-validity": "90",
        "x-kannel-dlr-mask": "31",
        "x-kannel-dlr-url": f"http://127.0.0.1:8000/hooks/kannel/{SECRET}/receipt/17/?state=%d&meta=%D",
    }


def test_what_is_not_gsm_goes_as_ucs2(kannel: Kannel, stub: stubs.Stub, text: Outgoing) -> None:
    kannel.send(replace(text, text="ça 😀", encoding="UCS-2", validity=None))
    assert stub.calls[0][2]["x-kannel-coding"] == "2"
    assert "x-kannel-validity" not in stub.calls[0][2]


@pytest.mark.parametrize(("seconds", "minutes"), [(-60, "1"), (0, "1"), (59, "1"), (119, "1"), (120, "2")])
def test_validity_is_never_longer_than_asked_and_never_none(
    kannel: Kannel, stub: stubs.Stub, text: Outgoing, seconds: int, minutes: str
) -> None:
    kannel.send(replace(text, validity=timedelta(seconds=seconds)))
    assert stub.calls[0][2]["x-kannel-validity"] == minutes


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ((202, b"3: Queued for later delivery"), Accepted("")),
        ((403, b"Authorization failed for sendsms"), Refused("http-403", ours=True)),
        ((403, b"Number(s) has/have been denied by white- and/or black-lists."), Refused("http-403")),
        ((400, b"Missing receiver(s) number(s), rejected"), Refused("http-400")),
        ((415, b"Unsupported content-type, rejected"), Refused("http-415")),
        ((404, b""), Refused("http-404", ours=True)),
        ((302, b""), Refused("http-302", ours=True)),
        ((503, b"Temporal failure, try again later."), Refused("http-503", temporary=True)),
    ],
    ids=str,
)
def test_its_answer_is_a_value(kannel: Kannel, stub: stubs.Stub, text: Outgoing, answer: Any, result: Any) -> None:
    stub.answer = answer
    assert kannel.send(text) == result


@pytest.mark.parametrize("answer", [(202, b""), (200, b"ok"), (500, b""), (502, b""), stubs.HANG, stubs.BREAK], ids=str)
@pytest.mark.usefixtures("impatient")
def test_what_it_never_says_leaves_it_unknown(kannel: Kannel, stub: stubs.Stub, text: Outgoing, answer: Any) -> None:
    stub.answer = answer
    with pytest.raises(OutcomeUnknown):
        kannel.send(text)


def test_an_empty_text_never_leaves(kannel: Kannel, stub: stubs.Stub, text: Outgoing) -> None:
    assert kannel.send(replace(text, text="")) == Refused("empty")
    assert stub.calls == []


def test_it_cannot_be_asked(kannel: Kannel) -> None:
    assert kannel.ask(17, "") is None


# --- its calls --------------------------------------------------------------------------------------------------------


def call(**fields: Any) -> Callback:
    return Callback(**{"method": "GET", "path": "/", "address": "127.0.0.1", "secret": SECRET} | fields)


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"address": "10.1.255.255"}, True),
        ({"address": "::ffff:127.0.0.1"}, True),
        ({"headers": {"x-forwarded-for": "203.0.113.9, 10.1.0.7"}}, True),
        ({"method": "HEAD"}, False),
        ({"secret": ""}, False),
        ({"secret": SECRET + "x"}, False),
        ({"secret": "é\ud800"}, False),
        ({"address": "10.2.0.0"}, False),
        ({"address": "::1"}, False),
        ({"address": ""}, False),
        ({"address": "unix:"}, False),
        ({"headers": {"x-forwarded-for": "10.1.0.7, 203.0.113.9"}}, False),  # a proxy passed on somebody else's call
        ({"headers": {"x-forwarded-for": "junk"}}, False),
    ],
    ids=str,
)
def test_only_the_secret_from_a_known_address_counts(kannel: Kannel, fields: dict[str, Any], known: bool) -> None:
    assert kannel.verify(call(**fields)) is known


def test_without_a_secret_nothing_counts(kannel: Kannel) -> None:
    assert not replace(kannel, secret="").verify(call(secret=""))
    assert not replace(kannel, addresses=("not-an-address",)).verify(call())


META = "?orig_msg?dlr_mask=31&?smpp?dlr_err=%s&"


@pytest.mark.parametrize(
    ("query", "receipt"),
    [
        ({"state": "1"}, Receipt("delivered", 17)),
        ({"state": "1", "meta": META % "%03%00%00"}, Receipt("delivered", 17)),
        ({"state": "2"}, Receipt("undelivered", 17)),
        ({"state": "2", "meta": META % "%03%00%22"}, Receipt("undelivered", 17, code="34")),
        ({"state": "2", "meta": META % "%03%00A"}, Receipt("undelivered", 17, code="65")),
        ({"state": "2", "meta": META % "%03%00%01"}, Receipt("undelivered", 17, code="1", effect="no_subscriber")),
        ({"state": "2", "meta": META % "%03%00+"}, Receipt("undelivered", 17, code="32")),
        ({"state": "2", "meta": META % "%03"}, Receipt("undelivered", 17)),
        ({"state": "4"}, None),
        ({"state": "8"}, Receipt("sent", 17)),
        ({"state": "16"}, Receipt("failed", 17, code="rejected")),
        ({"state": "32"}, None),
        ({"state": "1" * 400}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_receipt_is_read(kannel: Kannel, query: dict[str, str], receipt: Receipt | None) -> None:
    assert kannel.parse_status(call(query=query, reference=17)) == receipt


def test_a_receipt_of_an_id_that_cannot_be_is_none(kannel: Kannel) -> None:
    assert kannel.parse_status(call(query={"state": "1"}, reference=2**64)) is None
    assert kannel.parse_status(call(query={"state": "1"})) is None


AT = datetime(2026, 11, 22, 8, 59, tzinfo=UTC)


@pytest.mark.usefixtures("clock")
def test_an_inbound_text_is_read_either_way(kannel: Kannel) -> None:
    read = Inbound("in-1", "+393120000001", "36123", "  arrêt  😀", AT)
    headers = {"x-kannel-from": "+393120000001", "x-kannel-to": "36123", "content-type": 'text/plain; charset="UTF-8"'}
    query = {"id": "in-1", "at": "1795337940"}
    posted = call(method="POST", headers=headers, query=query, body="  arrêt  😀".encode())
    assert kannel.parse_inbound(posted) == read
    got = {"from": "+393120000001", "to": "36123", "text": "  arrêt  😀"}
    assert kannel.parse_inbound(call(query=query | got)) == read


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("; charset=UTF-16BE", "ça".encode("utf-16-be"), "ça"),
        ("; charset=ISO-8859-1", "ça".encode("latin-1"), "ça"),
        ("", "ça".encode(), "ça"),
        ("; charset=zlib", b"STOP", "STOP"),
        ("; charset=UTF-8", b"STOP\xff\0", "STOP\ufffd"),
    ],
)
def test_a_text_is_read_in_whatever_it_was_written(kannel: Kannel, charset: str, body: bytes, text: str) -> None:
    headers = {"x-kannel-from": "1", "content-type": f"text/plain{charset}"}
    found = kannel.parse_inbound(call(method="POST", headers=headers, body=body))
    assert found
    assert (found.text, found.to, found.at, found.gateway_id) == (text, "", None, "")


def test_a_call_without_a_sender_holds_no_text(kannel: Kannel) -> None:
    assert kannel.parse_inbound(call(query={"text": "STOP"})) is None
