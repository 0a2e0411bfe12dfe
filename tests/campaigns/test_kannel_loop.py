"""The whole way: a campaign, our gateway, the real Kannel, a carrier with its phones, and everything back again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import segments, workflow
from campaigns.models import Campaign, InboundMessage, Message
from consent.contacts.models import Contact, Suppression
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.gateways import kannel as boxes
from tests.campaigns.gateways.carrier import Carrier

# SQLite has one connection for the test and the server's threads, which write at the same time here.
pytestmark = [boxes.needed, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
SECRET = "a-secret-in-the-path"
S = Message.State
FATES = {0: S.DELIVERED, 5: S.UNDELIVERED, 6: S.UNDELIVERED, 7: S.FAILED, 8: S.DELIVERED, 9: S.SENT}


@pytest.fixture
def carrier(live_server: Any, settings: Any, tmp_path: Any) -> Iterator[Carrier]:
    """A carrier behind Kannel, which is configured as docs/gateways.md says and calls the live server."""
    here = live_server.url.replace("localhost", "127.0.0.1")
    (port,) = boxes.free_ports(1)
    inbound = f"{here}/hooks/kannel/{SECRET}/inbound/"
    with Carrier(port) as carrier, boxes.Boxes(tmp_path, port, boxes.service("post-url", inbound)) as running:
        settings.KANNEL_URL = running.url
        settings.KANNEL_USERNAME, settings.KANNEL_PASSWORD = boxes.USER, boxes.PASSWORD
        settings.KANNEL_SECRET, settings.KANNEL_CALLBACK_URL = SECRET, here
        settings.KANNEL_DEAD_NUMBERS = ["1"]
        boxes.wait_until(carrier.bound.is_set, "Kannel is bound to the carrier")
        yield carrier


def sent_by(author: Any, approver: Any, text: str) -> Campaign:
    """A campaign from its approval to its last hand-over; tasks run at once."""
    row = factories.campaign(author=author, approver=approver, text=text)
    with factories.acting():
        row.approved_content = workflow.content(row)
        row.save()
    workflow.schedule(row, approver)
    row.refresh_from_db()
    return row


def state_of(person: Contact, campaign: Campaign) -> str:
    return Message.objects.get(contact=person, campaign=campaign).state


def test_a_campaign_goes_out_words_come_back_and_stop_ends_it(carrier: Carrier, manager: Any, officer: Any) -> None:
    purpose = factories.purpose()
    factories.policy(purpose.brand)
    factories.sender(purpose.brand, gateway="kannel")
    said_at = timezone.now() - timedelta(days=10)  # too long ago for a welcome
    people = {digit: factories.contact(typed=f"+39 312 000200{digit}") for digit in FATES}
    for person in people.values():
        factories.consent(person, purpose, captured_at=said_at)
    long = "{brand}: new jobs, {first_name}! Ora è già a 10 € l'ora [Milano]. " + "Ciao. " * 30
    first = sent_by(manager, officer, long)
    boxes.wait_until(
        lambda: {digit: state_of(person, first) for digit, person in people.items()} == FATES, "every fate is known"
    )
    texts = {message.contact_id: message for message in Message.objects.filter(campaign=first)}
    for digit, person in people.items():
        text = texts[person.pk]
        arrived = carrier.texts(person.phone.as_e164)
        assert arrived == ([] if digit == 7 else [text.body])
        assert (text.encoding, text.parts) == ("GSM-7", segments.measure(text.body).parts)
        assert text.parts > 1
    assert texts[people[5].pk].error == "1"
    assert Consent.objects.get(contact=people[5]).status == "revoked"  # the carrier: out of service (RULES C15)
    assert Consent.objects.get(contact=people[7]).status == "given"

    stopped, typed_at = people[0], timezone.now()
    carrier.type("Stop!", of=stopped.phone.as_e164, to="36123")
    boxes.wait_until(lambda: InboundMessage.objects.filter(state="handled").exists(), "the STOP was understood")
    reply = InboundMessage.objects.get()
    assert (reply.contact, reply.meaning, reply.body, reply.campaign) == (stopped, "opt_out", "Stop!", first)
    assert reply.received_at >= typed_at.replace(microsecond=0)
    assert Consent.objects.get(contact=stopped).status == "withdrawn"
    assert Suppression.objects.count() == 1
    boxes.wait_until(
        lambda: Message.objects.filter(kind="opt_out", state=S.DELIVERED).exists(), "the opt-out was confirmed"
    )
    confirmed = carrier.texts(stopped.phone.as_e164)
    assert len(confirmed) == 2

    second = sent_by(manager, officer, "{brand}: oggi cerchiamo “çedilha” 😀, {first_name}.")
    boxes.wait_until(lambda: state_of(people[8], second) == S.DELIVERED, "the second campaign arrived")
    assert state_of(stopped, second) == S.REFUSED
    assert state_of(people[5], second) == S.REFUSED
    assert carrier.texts(stopped.phone.as_e164) == confirmed  # nothing more arrives
    ucs2 = Message.objects.get(contact=people[8], campaign=second)
    assert ucs2.encoding == "UCS-2"
    assert carrier.texts(people[8].phone.as_e164)[-1] == ucs2.body

    carrier.type("STOP", of="+393120002999", to="36123")  # nobody we know
    boxes.wait_until(lambda: Suppression.objects.count() == 2, "a stop of somebody without a contact counts")
