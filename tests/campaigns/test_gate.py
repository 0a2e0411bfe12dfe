"""The gate is the decision, for every kind of text; what cannot be judged is not sent."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import claims, dispatch, gate, gateways, rules
from campaigns.models import Conversation, InboundMessage, Message, Sender
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.ledger import decision
from consent.ledger.models import Consent, Purpose
from tests import factories
from tests.campaigns.stub_gateway import Memory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting", "clock")]
K = Message.Kind
STATUSES = ["unknown", "requested", "given", "renewed", "refused", "withdrawn", "revoked", "expired", "invalidated"]


def judge(message: Message) -> gate.Verdict:
    row = Message.objects.select_related("contact", "purpose__brand", "sender", "inbound").get(pk=message.pk)
    return gate.judge([row], timezone.now())[message.pk]


def people() -> list[Contact]:
    """Somebody in every state of consent, and with every fault of the person."""
    found = [factories.consent(status=status).contact for status in STATUSES]
    found.append(factories.contact())
    found.append(factories.consent(captured_at=timezone.now() - timedelta(days=60)).contact)  # reconfirmation due
    for field in ("restricted_since", "held_since"):
        found.append(factories.consent(factories.contact(**{field: timezone.now()})).contact)
    stopped = factories.consent().contact
    doors.suppress(stopped.phone.as_e164, reason="stop", since=timezone.now())
    found.append(stopped)
    capped = factories.consent(factories.contact(max_per_week=1)).contact
    factories.message(capped, state="sent", handed_at=timezone.now())
    return [*found, capped]


@pytest.mark.parametrize("kind", gate.TOLERATED)
def test_the_gate_says_what_the_decision_says(kind: str, manager: Any) -> None:
    purpose = factories.purpose()
    persons = people()
    campaign = factories.campaign(purpose, author=manager)
    texts = [factories.message(p, kind=kind, campaign=campaign if kind == K.CAMPAIGN else None) for p in persons]
    context = decision.context_for(purpose, timezone.now(), tolerated=gate.TOLERATED[kind])
    wanted = {row.pk: row for row in decision.decide(context)}
    rows = list(Message.objects.filter(pk__in=[t.pk for t in texts]).select_related("contact", "purpose", "sender"))
    verdicts = gate.judge(rows, timezone.now())
    for text in texts:
        verdict, row = verdicts[text.pk], wanted[text.contact_id]
        assert (verdict.refusal, verdict.consent_id, verdict.proof_id) == (row.refusal, row.consent_id, row.proof_id)
        assert verdict.allowed == (row.refusal == "")
        assert verdict.decision["codes"] == ([row.refusal] if row.refusal else [])
    refusals = {v.refusal for v in verdicts.values()}
    assert {"", "restricted", "held", "suppressed", "no_consent", "revoked", "frequency_cap"} <= refusals
    assert ("requested" in refusals) == (kind != K.DOUBLE_OPT_IN)
    assert ("reconfirmation_due" in refusals) == (kind not in (K.DOUBLE_OPT_IN, K.RECONFIRMATION))


def test_what_passes_waits_and_what_does_not_is_refused() -> None:
    held = factories.consent(factories.contact(held_since=timezone.now())).contact
    verdict = judge(factories.message(held))
    assert (verdict.refusal, verdict.defer_until) == ("held", timezone.now() + timedelta(minutes=15))
    restricted = factories.consent(factories.contact(restricted_since=timezone.now())).contact
    assert judge(factories.message(restricted)).defer_until is None


def test_a_cap_defers_to_the_moment_it_frees() -> None:
    person = factories.consent(factories.contact(max_per_week=1)).contact
    sent = factories.message(person, state="sent", handed_at=timezone.now() - timedelta(days=3))
    assert sent.handed_at is not None
    verdict = judge(factories.message(person))
    assert (verdict.refusal, verdict.defer_until) == ("frequency_cap", sent.handed_at + timedelta(days=7))


@pytest.mark.hours
def test_outside_the_hours_it_waits_for_the_next_opening() -> None:
    verdict = judge(factories.message(factories.consent().contact))  # a Sunday in Italy
    assert verdict.refusal == "outside_window"
    assert verdict.defer_until is not None
    assert verdict.defer_until.isoformat() == "2026-11-23T08:00:00+00:00"


@pytest.mark.hours
def test_where_it_never_opens_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = factories.message(factories.consent().contact)
    Contact.objects.update(zones="", known_zone="")
    verdict = judge(text)
    assert (verdict.refusal, verdict.defer_until) == ("outside_window", None)


def test_a_text_for_another_number_than_the_contacts_is_refused() -> None:
    text = factories.message(factories.consent().contact)
    Message.objects.update(phone=factories.number().e164)
    assert judge(text).refusal == "number_changed"


# --- it fails closed -------------------------------------------------------------------------------------------------


def test_what_cannot_be_judged_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = (factories.message(factories.consent().contact) for _n in range(2))
    rows_of = rules.row_ids
    Contact.objects.filter(pk=bad.contact_id).update(known_zone="Europe/Paris")

    def broken(place: Any, *args: Any) -> Any:
        if place.zones == "Europe/Paris":
            raise KeyError("a number, perhaps")
        return rows_of(place, *args)

    monkeypatch.setattr(rules, "row_ids", broken)
    rows = list(Message.objects.select_related("contact", "purpose", "sender"))
    verdicts = gate.judge(rows, timezone.now())
    assert verdicts[good.pk].allowed
    assert (verdicts[bad.pk].refusal, verdicts[bad.pk].error) == ("error", "KeyError")


def test_a_broken_decision_sends_nothing_and_says_so_in_the_end(monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    stub = Memory()
    monkeypatch.setattr(gateways, "get", lambda name: stub)
    text = factories.message(factories.consent().contact)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(decision, "decide", lambda *args, **kwargs: 1 / 0)
        for attempt in range(1, claims.MOST_ERRORS + 1):
            dispatch.work(text.sender_id)
            text.refresh_from_db()
            assert (text.attempts, text.error, stub.texts) == (attempt, "ZeroDivisionError", [])
            clock.shift(timedelta(hours=2))
    assert (text.state, text.refusal) == ("refused", "error")
    dispatch.work(text.sender_id)
    assert stub.texts == []


def test_an_unknown_kind_is_refused() -> None:
    text = factories.message(factories.consent().contact, kind="surprise")
    assert judge(text).refusal == "error"


# --- answers ---------------------------------------------------------------------------------------------------------


def stop_confirmation(person: Contact, minutes: float) -> Message:
    doors.suppress(person.phone.as_e164, reason="stop", since=timezone.now())
    received = timezone.now() - timedelta(minutes=minutes)
    inbound = InboundMessage.objects.create(gateway="console", gateway_id="i1", received_at=received)
    return factories.message(person, kind=K.OPT_OUT, inbound=inbound, purpose=None)


@pytest.mark.parametrize(("minutes", "refusal"), [(0, ""), (5, ""), (5.01, "late")])
def test_the_confirmation_of_a_stop_passes_for_five_minutes(minutes: float, refusal: str) -> None:
    assert judge(stop_confirmation(factories.consent().contact, minutes)).refusal == refusal


@pytest.mark.hours
@pytest.mark.parametrize("kind", gate.EXEMPT)
def test_answers_know_no_hours(kind: str) -> None:
    text = factories.message(factories.contact(), kind=kind, purpose=None)
    talk(text)
    assert judge(text).allowed


def talk(text: Message, **fields: Any) -> None:
    now = timezone.now()
    moments = {"opened_at": now, "last_inbound_at": now, "closes_at": now + timedelta(hours=1)}
    Conversation.objects.create(contact=text.contact, sender=text.sender, **moments | fields)


@pytest.mark.parametrize("kind", [K.HELP, K.REPLY])
@pytest.mark.parametrize("scope", ["all", "brand", "other brand"])
def test_help_and_replies_do_not_go_to_who_stopped(kind: str, scope: str) -> None:
    text = factories.message(factories.contact(), kind=kind, purpose=None)
    talk(text)
    brand = {"all": None, "brand": text.sender.brand, "other brand": None}[scope]
    if scope == "other brand":
        brand = factories.brand("another")
    doors.suppress(text.phone, reason="stop", since=timezone.now(), brand=brand)
    assert judge(text).refusal == ("" if scope == "other brand" else "suppressed")


@pytest.mark.parametrize("kind", gate.EXEMPT)
def test_nothing_goes_to_who_is_restricted(kind: str) -> None:
    text = factories.message(factories.contact(restricted_since=timezone.now()), kind=kind, purpose=None)
    talk(text)
    assert judge(text).refusal == "restricted"


def test_help_goes_to_a_number_without_a_contact_unless_it_stopped() -> None:
    sender = Sender.objects.first() or factories.sender()
    now = timezone.now()
    text = Message.objects.create(
        kind=K.HELP, state="queued", sender=sender, phone=factories.number().e164, language="en", body="Help",
        created_at=now, not_before=now,
    )  # fmt: skip
    assert judge(text).allowed
    doors.suppress(text.phone, reason="stop", since=now)
    assert judge(text).refusal == "suppressed"


@pytest.mark.parametrize(("hours", "refusal"), [(1, ""), (0, "no_conversation")])
def test_a_reply_only_inside_a_live_conversation(hours: int, refusal: str) -> None:
    text = factories.message(factories.contact(), kind=K.REPLY, purpose=None)
    talk(text, closes_at=timezone.now() + timedelta(hours=hours))
    assert judge(text).refusal == refusal


def test_a_text_says_whether_it_is_the_first() -> None:
    consent = factories.consent()
    text = factories.message(consent.contact, purpose=Purpose.objects.get())
    assert judge(text).first
    Consent.objects.update(last_used_at=timezone.now())
    assert not judge(text).first
