"""Receipts in any order, a person's word, and what the carrier's word does to consent."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import gateways, outcomes
from campaigns.gateways.base import Accepted, Receipt
from campaigns.models import Message
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.stub_gateway import Memory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting", "clock")]
S = Message.State


def text(state: str, **fields: Any) -> Message:
    at = timezone.now()
    consent = factories.consent()
    return factories.message(consent.contact, **{"state": state, "handed_at": at, "claimed_at": at} | fields)


def state_of(message: Message) -> str:
    return Message.objects.get(pk=message.pk).state


@pytest.mark.parametrize("state", S.values)
@pytest.mark.parametrize("word", ["sent", "delivered", "undelivered", "failed"])
def test_a_receipt_only_moves_forward(state: str, word: str) -> None:
    message = text(state, **({"refusal": "withdrawn"} if state == "refused" else {}))
    moves = state in {"sent": {"handed", "unknown"}}.get(word, {"handed", "unknown", "sent", "silent"})
    assert outcomes.receive("console", Receipt(word, reference=message.pk, code="7")) is moves
    message.refresh_from_db()
    assert message.state == (word if moves else state)
    if moves:
        assert message.error == "7"
        assert (message.finished_at is not None) == (word != "sent")


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["sent", "delivered", "sent"]))))
def test_receipts_in_any_order_end_the_same(order: tuple[str, ...]) -> None:
    message = text("handed")
    for word in order:
        outcomes.receive("console", Receipt(word, reference=message.pk))
    assert state_of(message) == "delivered"


@pytest.mark.parametrize("order", [("delivered", "undelivered"), ("undelivered", "delivered")])
def test_the_first_final_word_counts(order: tuple[str, ...]) -> None:
    message = text("sent")
    for word in order:
        outcomes.receive("console", Receipt(word, reference=message.pk))
    assert state_of(message) == order[0]


def test_a_text_is_found_by_our_id_or_the_gateways_and_only_at_its_gateway() -> None:
    message = text("sent", gateway_id="SM1")
    assert not outcomes.receive("twilio", Receipt("delivered", reference=message.pk))
    assert not outcomes.receive("twilio", Receipt("delivered", gateway_id="SM1"))
    assert not outcomes.receive("console", Receipt("delivered", gateway_id="SM2"))
    assert not outcomes.receive("console", Receipt("delivered", reference=message.pk + 1))
    assert not outcomes.receive("console", Receipt("delivered"))
    assert state_of(message) == "sent"
    assert outcomes.receive("console", Receipt("delivered", gateway_id="SM1"))
    assert state_of(message) == "delivered"


def test_a_receipt_faster_than_the_answer_keeps_the_gateways_id() -> None:
    message = text("handed", claim="mine")
    outcomes.receive("console", Receipt("delivered", reference=message.pk))
    assert not outcomes.accepted(message, Accepted("SM1"), timezone.now())
    message.refresh_from_db()
    assert (message.state, message.gateway_id) == ("delivered", "SM1")


def test_an_answer_after_the_sweep_gave_up_still_counts() -> None:
    message = text("unknown", claim="mine")
    assert outcomes.accepted(message, Accepted("SM1"), timezone.now())
    assert state_of(message) == "sent"


@pytest.mark.parametrize(("effect", "status"), [("opt_out", "withdrawn"), ("no_subscriber", "revoked"), ("", "given")])
def test_what_a_receipt_says_of_the_number_changes_consent(effect: str, status: str) -> None:
    message = text("sent")
    waiting = factories.message(message.contact)
    outcomes.receive("console", Receipt("undelivered", reference=message.pk, effect=effect))
    assert Consent.objects.get(contact=message.contact).status == status
    assert state_of(waiting) == ("blocked" if effect else "queued")


def test_effect_and_state_stand_or_fall_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from campaigns import effects

    message = text("sent")
    monkeypatch.setattr(effects.queue, "block", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        outcomes.receive("console", Receipt("undelivered", reference=message.pk, effect="opt_out"))
    assert state_of(message) == "sent"
    assert Consent.objects.get(contact=message.contact).status == "given"


@pytest.mark.parametrize(("late", "state"), [(timedelta(), "silent"), (timedelta(microseconds=-1), "sent")])
def test_without_a_receipt_it_is_silent_after_a_while(settings: Any, clock: Any, late: timedelta, state: str) -> None:
    message = text("sent")
    clock.shift(timedelta(hours=settings.RECEIPT_HOURS) + late)
    assert outcomes.silent(timezone.now()) == (state == "silent")
    assert state_of(message) == state
    outcomes.receive("console", Receipt("delivered", reference=message.pk))
    assert state_of(message) == "delivered"


# --- a person's word -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "state"), [("sent", "sent"), ("not_sent", "failed")])
def test_a_person_settles_what_nobody_knew_and_nothing_is_sent_again(officer: Any, how: str, state: str) -> None:
    message = text("unknown")
    outcomes.settle(message, how, officer, "asked the carrier")
    assert message.state == state
    settled = message.decision["settled"]
    assert (settled["how"], settled["by"], message.note) == (how, "officer", "asked the carrier")


@pytest.mark.parametrize("state", [s for s in S.values if s not in ("unknown", "refused")])
def test_only_what_is_unknown_is_settled(officer: Any, state: str) -> None:
    with pytest.raises(outcomes.NotUnknown):
        outcomes.settle(text(state), "sent", officer, "")


def test_the_gateway_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Memory()
    monkeypatch.setattr(gateways, "get", lambda name: stub)
    message = text("unknown")
    assert outcomes.ask(message) is False
    assert message.state == "unknown"
    stub.asked = Receipt("delivered", reference=message.pk)
    assert outcomes.ask(message) is True
    assert message.state == "delivered"
    with pytest.raises(outcomes.NotUnknown):
        outcomes.ask(message)
