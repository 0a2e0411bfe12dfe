"""Ways around a person's own opt-out, and that none of them works (P4); a confirmation by text that does."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core.errors import DomainError, NewActNeeded
from consent.ledger import decision, transitions
from tests import factories

pytestmark = pytest.mark.django_db


def refusal(contact: Contact, purpose: Any) -> str:
    return (
        decision.decide(decision.context_for(purpose, timezone.now()), Contact.objects.filter(pk=contact.pk))
        .get()
        .refusal
    )


def test_a_stop_holds_at_the_new_number_and_when_the_old_one_returns(acting: None, clock: Any) -> None:
    consent = factories.consent()
    person, other = consent.contact, factories.purpose("other")
    first, second = person.phone.as_e164, factories.number()
    transitions.withdraw(person, consent.purpose, factories.act(consent.purpose, "no"), scope="all")
    doors.change_number(person, second)
    person.refresh_from_db()
    claim = transitions.Entry(person, other, factories.act(other))
    (result,) = transitions.record_answers([claim], by_import=True)
    assert isinstance(result.error, NewActNeeded)
    spoken = factories.act(other, method="verbal", captured_at=timezone.now() + timedelta(hours=1))
    clock.shift(7200)
    with pytest.raises(NewActNeeded):
        transitions.record_answer(person, other, spoken)
    transitions.record_answer(person, other, factories.act(other, captured_at=timezone.now()))
    assert refusal(person, other) == ""
    doors.change_number(person, doors.numbers.parse(first))
    assert refusal(Contact.objects.get(pk=person.pk), other) == "suppressed"


def test_a_number_that_changed_hands_takes_no_stop_along(acting: None) -> None:
    person = factories.contact()
    doors.suppress(person.phone.as_e164, reason="reassigned", since=timezone.now())
    doors.change_number(person, factories.number())
    assert not doors.suppressions(Contact.objects.get().phone.as_e164).exists()


def test_a_text_from_the_own_phone_confirms(acting: None, clock: Any) -> None:
    purpose = factories.purpose(double_opt_in=True)
    person = factories.contact()
    assert transitions.record_answer(person, purpose, factories.act(purpose)).move == "request"
    reply = factories.act(purpose, method="keyword", captured_at=timezone.now())
    assert transitions.record_answer(person, purpose, reply).move == "give"
    assert refusal(person, purpose) == ""


def test_a_number_taken_in_the_same_moment_is_a_sentence(acting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    person, faster = factories.contact(), factories.contact()
    monkeypatch.setattr(doors, "locate", lambda number: None)
    with pytest.raises(DomainError, match="Another contact"):
        doors.change_number(person, doors.numbers.parse(faster.phone.as_e164))
    assert str(Contact.objects.get(pk=person.pk).phone.as_e164) != str(faster.phone.as_e164)


def test_a_purpose_not_in_use_permits_nothing(acting: None) -> None:
    consent = factories.consent()
    consent.purpose.active = False
    consent.purpose.save()
    assert refusal(consent.contact, consent.purpose) == "not_in_use"
