"""Our gateway against the real Kannel and a carrier: texts arrive as they were, words come back, both without numbers
or texts in any address."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict

from campaigns.gateways.base import Accepted, Callback, Inbound, Outgoing, Receipt, Refused
from campaigns.gateways.kannel import Kannel
from tests.campaigns.gateways import kannel as boxes
from tests.campaigns.gateways import stub as stubs
from tests.campaigns.gateways.carrier import Carrier
from tests.campaigns.gateways.conftest import SECRET

pytestmark = boxes.needed


class Loop:
    """A carrier, Kannel, and what Kannel calls."""

    def __init__(self, carrier: Carrier, running: boxes.Boxes, stub: stubs.Stub) -> None:
        self.carrier, self.boxes, self.stub = carrier, running, stub
        self.gateway = Kannel(
            url=running.url,
            username=boxes.USER,
            password=boxes.PASSWORD,
            secret=SECRET,
            addresses=("127.0.0.1",),
            callback_url=stub.url,
            dead_numbers=frozenset({"1"}),
        )

    def calls(self, part: str) -> list[Callback]:
        """What came to addresses with that part, as our web server would hand it on."""
        return [
            Callback(
                method, path, headers, QueryDict(path.partition("?")[2]), body=body, address="127.0.0.1",
                secret=path.split("/")[3], reference=int(path.split("/")[5]) if part == "receipt" else None,
            )
            for method, path, headers, body in list(self.stub.calls)
            if f"/{part}/" in path
        ]  # fmt: skip

    def receipts(self, reference: int) -> list[Receipt]:
        found = [self.gateway.parse_status(call) for call in self.calls("receipt") if call.reference == reference]
        return [receipt for receipt in found if receipt]

    def inbound(self) -> list[Inbound]:
        found = [self.gateway.parse_inbound(call) for call in self.calls("inbound")]
        return [text for text in found if text]


@pytest.fixture(scope="module", params=["post-url", "get-url"])
def loop(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Loop]:
    (port,) = boxes.free_ports(1)
    folder = tmp_path_factory.mktemp("kannel")
    with stubs.serving() as stub, Carrier(port) as carrier:
        service = boxes.service(request.param, f"{stub.url}/hooks/kannel/{SECRET}/inbound/")
        with boxes.Boxes(folder, port, service) as running:
            boxes.wait_until(carrier.bound.is_set, "Kannel is bound to the carrier")
            yield Loop(carrier, running, stub)


def outgoing(reference: int, to: str, text: str, encoding: str = "GSM-7") -> Outgoing:
    return Outgoing(reference, "36123", to, text, encoding, 1, timedelta(minutes=90))


LONG = "a" * 152 + "€" + "b" * 152  # an escape pair where the first part ends


@pytest.mark.parametrize(
    ("reference", "text", "encoding"),
    [
        (1, "Officina: è già là? 10 € [sì] {1+1=2} 100 % & @£$¥ùòÇ\nÄÖÑÜ§¿äöñüà ^\\~|", "GSM-7"),
        (2, LONG, "GSM-7"),
        (3, "Olá! Não há çedilha “sem” – 😀 à l’œil\nTäglich ß", "UCS-2"),
        (4, "ç😀" * 60, "UCS-2"),  # Kannel splits an emoji between two parts; a phone puts it together again
        (5, "?state=%d&text=%b%00+%2B", "GSM-7"),
    ],
)
def test_texts_arrive_as_they_were(loop: Loop, reference: int, text: str, encoding: str) -> None:
    to = f"+3931200000{reference}0"
    assert loop.gateway.send(outgoing(reference, to, text, encoding)) == Accepted("")
    boxes.wait_until(lambda: Receipt("delivered", reference) in loop.receipts(reference), "it was delivered")
    assert loop.carrier.texts(to) == [text]
    assert Receipt("sent", reference) in loop.receipts(reference)
    parts = [submit for submit in loop.carrier.submits if submit.to == to[1:]]
    assert {part.sender for part in parts} == {"36123"}
    assert {part.coding for part in parts} == {0 if encoding == "GSM-7" else 8}


@pytest.mark.parametrize(
    ("digit", "receipts"),
    [
        (5, [Receipt("sent", 15), Receipt("undelivered", 15, code="1", effect="no_subscriber")]),
        (6, [Receipt("sent", 16), Receipt("undelivered", 16)]),
        (7, [Receipt("failed", 17, code="rejected")]),
        (9, [Receipt("sent", 19)]),
    ],
)
def test_every_fate_is_told(loop: Loop, digit: int, receipts: list[Receipt]) -> None:
    reference = 10 + digit
    assert loop.gateway.send(outgoing(reference, f"+39312000110{digit}", "fate")) == Accepted("")
    boxes.wait_until(lambda: len(loop.receipts(reference)) == len(receipts), "all receipts came")
    assert sorted(loop.receipts(reference), key=str) == sorted(receipts, key=str)


def test_it_refuses_us_or_a_text_in_its_own_words(loop: Loop) -> None:
    stranger = replace(loop.gateway, password="wrong")
    assert stranger.send(outgoing(20, "+393120001200", "x")) == Refused("http-403", ours=True)
    assert loop.gateway.send(outgoing(20, " ", "x")).__class__ is Refused


def test_replies_come_as_they_were_typed(loop: Loop) -> None:
    before = len(loop.inbound())
    typed = ["STOP", "  two  words & more+ %41 ", "arrêt 😀", ""]
    for text in typed:
        loop.carrier.type(text, of="+393120000001", to="36123")
    header = [bytes([5, 0, 3, 9, 2, n]) for n in (1, 2)]
    for start, half in zip(header, (b"one part ", b"and another"), strict=True):
        loop.carrier.type("", of="+393120000001", to="36123", raw=start + half, esm=0x40)
    boxes.wait_until(lambda: len(loop.inbound()) == before + 5, "all replies came")
    came = loop.inbound()[before:]
    assert sorted(text.text for text in came) == sorted([*typed, "one part and another"])
    assert {text.sender for text in came} == {"+393120000001"}
    assert {text.to for text in came} == {"36123"}
    assert len({text.gateway_id for text in came}) == 5
    assert all(text.at for text in came)
    assert all(loop.gateway.verify(call) for call in loop.calls("inbound"))


def test_no_address_held_a_number_or_a_text(loop: Loop) -> None:
    posted = [path for method, path, _headers, _body in loop.stub.calls if method == "POST" or "receipt" in path]
    assert posted
    assert not [path for path in posted if "39312" in path or "private" in path or "STOP" in path]
    requests = [line for line in loop.boxes.log("smsbox.log").splitlines() if "Got HTTP request" in line]
    assert requests
    assert all(line.endswith("</cgi-bin/sendsms> from <127.0.0.1>") for line in requests)


def test_a_reply_that_was_refused_is_brought_again(loop: Loop) -> None:
    before = len(loop.calls("inbound"))
    loop.stub.answer = (503, b"")
    loop.carrier.type("STOP", of="+393120000002", to="36123")
    boxes.wait_until(lambda: len(loop.calls("inbound")) > before, "the first try came")
    loop.stub.answer = (200, b"")
    boxes.wait_until(lambda: len(loop.calls("inbound")) > before + 1, "the second try came")
    tries = [text for text in loop.inbound() if text.sender == "+393120000002"]
    assert len({text.gateway_id for text in tries}) == 1  # the same text, so it is kept once
