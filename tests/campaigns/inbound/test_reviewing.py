"""Doubtful replies: held at once, decided by a person on a clock of business days."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import inbound
from campaigns.models import InboundMessage
from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core.errors import DomainError
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.hearing import hear, refusal, texts

pytestmark = pytest.mark.django_db
S, M = InboundMessage.State, InboundMessage.Meaning


def test_a_doubtful_text_holds_everything_until_a_person_decides(person: Contact, job_alerts: Any) -> None:
    claimed = factories.message(person, state="claimed", claim="x", claimed_at=timezone.now())
    row = hear("please don't text me again", person)
    assert (row.state, row.meaning, row.handled_at) == (S.REVIEW, M.REVIEW, None)
    assert refusal(person, job_alerts) == "held"
    claimed.refresh_from_db()
    assert claimed.state == "queued"
    assert Consent.objects.get().status == "given"


def test_a_doubtful_text_of_an_unknown_number_holds_it_too(job_alerts: Any) -> None:
    row = hear("numero sbagliato", factories.number("IT").e164)
    who = Contact.objects.get()
    assert (row.contact, who.source, who.held_since) == (who, "text message", row.received_at)


@pytest.mark.parametrize(
    ("received", "by"),
    [
        ("2026-11-18T09:00", "2026-11-19"),  # Wednesday
        ("2026-11-20T23:59", "2026-11-23"),  # Friday → Monday
        ("2026-11-21T00:00", "2026-11-23"),
        ("2026-11-22T12:00", "2026-11-23"),
        ("2026-04-03T10:00", "2026-04-07"),  # Good Friday → Easter Monday is a holiday in Italy
        ("2026-12-24T10:00", "2026-12-28"),  # Christmas, St Stephen, Sunday
        ("2026-12-31T10:00", "2027-01-04"),
    ],
)
def test_the_clock_of_a_review_counts_business_days_at_the_seat(
    person: Contact, clock: Any, received: str, by: str
) -> None:
    clock.move_to(datetime.fromisoformat(f"{received}:00+0{'2' if '-04-' in received else '1'}:00"))
    with factories.acting():
        Consent.objects.update(effective_at=timezone.now() - timedelta(days=2))
    row = hear("wrong number", person)
    local = row.review_by.astimezone(timezone.get_default_timezone())
    assert local.strftime("%Y-%m-%d %H:%M:%S") == f"{by} 23:59:59"


def test_a_review_can_end_in_a_stop_once(person: Contact, officer: Any, clock: Any) -> None:
    row = hear("please don't text me again", person)
    clock.shift(timedelta(minutes=6))
    done = inbound.resolve(row, "stop", officer, "clear enough")
    assert (done.state, done.handled_by, done.meaning) == (S.RESOLVED, officer, M.OPT_OUT)
    assert done.resolution == "It means stop: clear enough"
    consent = Consent.objects.get()
    assert (consent.status, consent.effective_at) == ("withdrawn", row.received_at)
    assert consent.history.latest().actor == "officer"
    person.refresh_from_db()
    assert (person.held_since, texts("opt_out").count()) == (None, 0)
    with pytest.raises(DomainError):
        inbound.resolve(row, "not_stop", officer)


def test_a_stop_decided_within_five_minutes_is_confirmed(person: Contact, officer: Any, clock: Any) -> None:
    row = hear("please don't text me again", person)
    clock.shift(timedelta(minutes=5))
    inbound.resolve(row, "stop", officer)
    assert texts("opt_out").count() == 1


def test_a_review_can_end_in_nothing_when_no_other_is_open(person: Contact, job_alerts: Any, officer: Any) -> None:
    first, second = hear("wrong number", person), hear("remove me", person)
    assert inbound.resolve(first, "not_stop", officer).conversation is not None
    assert refusal(person, job_alerts) == "held"
    inbound.resolve(second, "not_stop", officer)
    assert refusal(person, job_alerts) == ""


def test_a_wrong_number_ends_what_it_consented_to(person: Contact, job_alerts: Any, officer: Any) -> None:
    row = hear("wrong number", person)
    inbound.resolve(row, "wrong_number", officer)
    assert (Consent.objects.get().status, Suppression.objects.get().reason) == ("revoked", "reassigned")
    assert refusal(person, job_alerts) == "suppressed"


def test_a_wrong_number_spares_what_its_new_holder_said_since(person: Contact, officer: Any, clock: Any) -> None:
    row = hear("wrong number", person)
    clock.shift(timedelta(hours=1))
    later = factories.purpose("interviews")
    factories.consent(person, later, captured_at=timezone.now())
    inbound.resolve(row, "wrong_number", officer)
    assert dict(Consent.objects.values_list("purpose__slug", "status")) == {
        "job-alerts": "revoked",
        "interviews": "given",
    }
    assert refusal(person, later) == ""


@pytest.mark.parametrize("decision", ["stop", "wrong_number"])
def test_a_decision_holds_for_the_number_that_wrote(
    person: Contact, job_alerts: Any, officer: Any, clock: Any, decision: str
) -> None:
    wrote = str(person.phone.as_e164)
    row = hear("wrong number", person)
    with factories.acting():
        doors.change_number(Contact.objects.get(pk=person.pk), factories.number())
    person.refresh_from_db()
    clock.shift(timedelta(minutes=5))
    factories.consent(person, job_alerts, captured_at=timezone.now())
    heir = factories.contact(typed=wrote)
    inbound.resolve(row, decision, officer)
    assert doors.suppressions(wrote).exists()
    assert refusal(person, job_alerts) == ""  # said yes since, for another number
    assert refusal(heir, job_alerts) == "suppressed"


def test_a_wrong_number_spares_its_new_holder_who_said_yes(person: Contact, job_alerts: Any, officer: Any) -> None:
    wrote = str(person.phone.as_e164)
    row = hear("wrong number", person, at=timezone.now() - timedelta(minutes=10))
    with factories.acting():
        doors.change_number(Contact.objects.get(pk=person.pk), factories.number())
    heir = factories.consent(factories.contact(typed=wrote), job_alerts, captured_at=timezone.now()).contact
    inbound.resolve(row, "wrong_number", officer)
    assert refusal(heir, job_alerts) == ""
