"""A STOP: withdrawn, blocked, confirmed once, in one transaction, as far as the brand says."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import conversations, inbound
from campaigns.models import Conversation, InboundMessage, Sender
from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core.errors import DomainError
from consent.ledger import transitions
from consent.ledger.models import Consent, Proof
from tests import factories
from tests.campaigns.hearing import hear, refusal, texts

pytestmark = pytest.mark.django_db
S, M = InboundMessage.State, InboundMessage.Meaning


def test_a_stop_withdraws_blocks_and_is_confirmed_once(person: Contact, job_alerts: Any) -> None:
    waiting = factories.message(person, kind="welcome")
    claimed = factories.message(person, kind="welcome", state="claimed", claim="x", claimed_at=timezone.now())
    row = hear("Stop!", person)
    assert (row.state, row.meaning, row.rule, row.contact) == (S.HANDLED, M.OPT_OUT, "1 opt-out word", person)
    consent = Consent.objects.get()
    assert (consent.status, consent.proof.reference) == ("withdrawn", f"inbound:{row.pk}")
    assert consent.history.latest().actor == "job:inbound"
    assert Suppression.objects.get().reason == "stop"
    for message in (waiting, claimed):
        message.refresh_from_db()
        assert message.state == "blocked"
    confirmation = texts("opt_out").get()
    assert (confirmation.inbound, confirmation.language) == (row, person.language)
    assert confirmation.expires_at == row.received_at + timedelta(minutes=5)
    assert refusal(person, job_alerts) == "suppressed"
    hear("STOP", person)  # said again
    assert texts("opt_out").count() == 1


def test_the_same_text_told_again_changes_nothing(person: Contact) -> None:
    told = [hear("STOP", person, gateway_id="same") for _ in range(3)]
    assert len({row.pk for row in told}) == InboundMessage.objects.count() == 1
    assert (texts("opt_out").count(), Proof.objects.filter(answer="no").count()) == (1, 1)


def test_without_an_id_the_same_words_within_a_minute_are_the_same_text(person: Contact, clock: Any) -> None:
    first = hear("hello", person, gateway_id="")
    clock.shift(timedelta(seconds=59))
    assert hear("hello", person, gateway_id="") == first
    clock.shift(timedelta(seconds=1))
    assert hear("hello", person, gateway_id="") != first
    assert str(person.phone) not in first.gateway_id


@pytest.mark.parametrize(("scope", "left"), [("all", 0), ("brand", 1), ("purpose", 2)])
def test_a_stop_goes_as_far_as_the_brand_says(person: Contact, job_alerts: Any, scope: str, left: int) -> None:
    factories.consent(person, factories.purpose("interviews"))
    factories.consent(person, factories.purpose("offers", of=factories.brand("mercado")))
    factories.message(person, purpose=job_alerts, state="sent", handed_at=timezone.now())
    with factories.acting():
        job_alerts.brand.stop_scope = scope
        job_alerts.brand.save()
    hear("STOP", person)
    assert Consent.objects.filter(status="given").count() == left
    assert refusal(person, job_alerts) == "suppressed"


def test_a_stop_of_the_purpose_ends_the_brand_when_nothing_was_texted(person: Contact, job_alerts: Any) -> None:
    factories.consent(person, factories.purpose("interviews"))
    with factories.acting():
        job_alerts.brand.stop_scope = "purpose"
        job_alerts.brand.save()
    hear("STOP", person)
    assert not Consent.objects.filter(status="given").exists()


def test_a_stop_to_nobody_we_know_ends_everything(person: Contact) -> None:
    row = hear("STOP", person, to="99999")
    assert (row.sender, row.state) == (None, S.HANDLED)
    stop = Suppression.objects.get()
    assert (stop.brand, stop.purpose, Consent.objects.get().status) == (None, None, "withdrawn")
    assert not texts("opt_out").exists()


def test_a_number_without_contact_is_suppressed_and_confirmed(job_alerts: Any, clock: Any) -> None:
    number = factories.number("GB").e164
    row = hear("STOP", number)
    assert (row.contact, Contact.objects.count()) == (None, 0)
    assert doors.suppressions(number).count() == 1
    assert (texts("opt_out").get().phone, texts("opt_out").get().language) == (number, "it")
    hear("STOP", number)
    assert texts("opt_out").count() == 1
    person = factories.contact(typed=number, country="GB")
    assert refusal(person, job_alerts) == "suppressed"  # on record later all the same
    clock.shift(timedelta(minutes=1))
    factories.consent(person, captured_at=timezone.now())
    assert refusal(person, job_alerts) == ""  # said yes since


def test_a_landline_and_a_name_can_say_stop(job_alerts: Any) -> None:
    hear("STOP", "+390612345678")
    assert doors.suppressions("+390612345678").exists()
    assert hear("STOP", "OFFICINA").state == S.HANDLED
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize(("age", "confirmed"), [(300, True), (301, False)])
def test_after_five_minutes_a_stop_is_not_confirmed(person: Contact, age: int, confirmed: bool) -> None:
    with factories.acting():
        Consent.objects.update(effective_at=timezone.now() - timedelta(days=2))
    row = hear("STOP", person, at=timezone.now() - timedelta(seconds=age))
    # Five minutes are within what clocks differ: ours counts.
    assert row.received_at == timezone.now() - timedelta(seconds=0 if confirmed else age)
    assert texts("opt_out").exists() is confirmed
    assert Consent.objects.get().status == "withdrawn"


@pytest.mark.parametrize("decision", ["not_stop", "stop"])
def test_an_old_stop_does_not_end_a_newer_yes_but_what_is_older(
    person: Contact, job_alerts: Any, officer: Any, clock: Any, decision: str
) -> None:
    later = factories.purpose("interviews")
    said = timezone.now() - timedelta(hours=3)
    factories.consent(person, later, captured_at=said + timedelta(hours=1))
    factories.purpose("never asked")
    row = hear("STOP", person, at=said)
    status = dict(Consent.objects.values_list("purpose__slug", "status"))
    assert status == {"job-alerts": "withdrawn", "interviews": "given"}
    assert (row.state, row.meaning) == (S.REVIEW, M.OPT_OUT)  # clocks differ: whether the yes is newer, a person says
    assert (refusal(person, later), refusal(person, job_alerts)) == ("held", "held")
    assert not texts("opt_out").exists()
    if decision == "not_stop":
        inbound.resolve(row, decision, officer)
        assert (refusal(person, later), refusal(person, job_alerts)) == ("", "suppressed")
        clock.shift(timedelta(minutes=1))
        assert hear("START", person).rule == "5 undoes a stop"
        assert (refusal(person, later), refusal(person, job_alerts)) == ("", "")
    else:
        inbound.resolve(row, decision, officer)
        assert (refusal(person, later), refusal(person, job_alerts)) == ("suppressed", "suppressed")


def test_a_clock_that_runs_ahead_does_not_keep_a_stop_from_holding(person: Contact) -> None:
    assert hear("STOP", person, at=timezone.now() + timedelta(hours=2)).received_at == timezone.now()
    assert Consent.objects.get().status == "withdrawn"


@pytest.mark.parametrize(("age", "belongs"), [(timedelta(days=7), True), (timedelta(days=7, seconds=1), False)])
def test_a_stop_belongs_to_the_newest_campaign_of_a_week(
    person: Contact, job_alerts: Any, officer: Any, manager: Any, age: timedelta, belongs: bool
) -> None:
    campaign = factories.campaign(job_alerts, author=manager, approver=officer, state="sending")
    factories.message(person, campaign=campaign, state="sent", handed_at=timezone.now() - age)
    assert (hear("STOP", person).campaign == campaign) is belongs


def test_too_many_stops_pause_the_campaign(
    person: Contact, job_alerts: Any, officer: Any, manager: Any, settings: Any
) -> None:
    settings.BRAKE_AFTER = 1
    campaign = factories.campaign(job_alerts, author=manager, approver=officer, state="sending")
    factories.message(person, campaign=campaign, state="sent", handed_at=timezone.now())
    hear("STOP", person)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.paused_by) == ("paused", "brake")


@pytest.mark.parametrize("scope", ["all", "brand"])
def test_no_import_undoes_an_old_stop_that_met_a_newer_yes(
    person: Contact, job_alerts: Any, clock: Any, scope: str
) -> None:
    with factories.acting():
        job_alerts.brand.stop_scope = scope
        job_alerts.brand.save()
    later, never = factories.purpose("interviews"), factories.purpose("news")
    said = timezone.now()
    clock.shift(timedelta(minutes=10))
    factories.consent(person, later, captured_at=said + timedelta(minutes=5))
    hear("STOP", person, at=said)
    entry = transitions.Entry(person, never, factories.act(never, captured_at=said - timedelta(days=2)))
    with factories.acting():
        assert transitions.record_answers([entry], by_import=True)[0].move is None
    assert doors.suppressions(person.phone.as_e164).filter(purpose=never, since=said).exists()


@pytest.mark.parametrize("behind", [timedelta(minutes=5), timedelta(minutes=5, seconds=1)])
def test_a_gateway_whose_clock_is_behind_does_not_keep_a_stop_from_holding(
    job_alerts: Any, clock: Any, behind: timedelta
) -> None:
    person = factories.consent(to=job_alerts, captured_at=timezone.now() - timedelta(seconds=1)).contact
    row = hear("STOP", person, at=timezone.now() - behind)
    believed = behind > timedelta(minutes=5)
    assert (row.received_at == timezone.now()) is not believed
    assert refusal(person, job_alerts) == ("held" if believed else "suppressed")


def of_the_purpose(job_alerts: Any, person: Contact) -> tuple[Any, Any]:
    """STOP ends a purpose here; another purpose and its sender."""
    with factories.acting():
        job_alerts.brand.stop_scope = "purpose"
        job_alerts.brand.save()
    other = factories.purpose("interviews")
    factories.consent(person, other)
    return other, factories.sender(job_alerts.brand, address="48000")


def test_a_stop_is_about_what_the_sender_written_to_texted(person: Contact, job_alerts: Any) -> None:
    other, their = of_the_purpose(job_alerts, person)
    first, now = Sender.objects.get(address="36123"), timezone.now()
    factories.message(person, sender=first, purpose=job_alerts, state="sent", handed_at=now - timedelta(hours=2))
    factories.message(person, sender=their, purpose=other, state="sent", handed_at=now - timedelta(hours=1))
    hear("STOP", person)
    assert (refusal(person, job_alerts), refusal(person, other)) == ("suppressed", "")


def test_a_stop_is_about_what_a_name_texted_that_it_stands_for(person: Contact, job_alerts: Any) -> None:
    other, their = of_the_purpose(job_alerts, person)
    name = factories.sender(job_alerts.brand, address="OFFICINA", type="alphanumeric", two_way=False, stop_sender=their)
    factories.message(person, sender=name, purpose=other, state="sent", handed_at=timezone.now())
    hear("STOP", person, to="48000")
    assert (refusal(person, job_alerts), refusal(person, other)) == ("", "suppressed")


@pytest.mark.parametrize("state", ["failed", "undelivered"])
def test_a_stop_is_not_about_what_never_arrived(person: Contact, job_alerts: Any, state: str) -> None:
    other, _their = of_the_purpose(job_alerts, person)
    factories.message(person, purpose=other, state=state, handed_at=timezone.now())
    hear("STOP", person)
    assert (refusal(person, job_alerts), refusal(person, other)) == ("suppressed", "suppressed")


def test_nobody_answers_after_a_stop(person: Contact, job_alerts: Any, officer: Any, clock: Any) -> None:
    of_the_purpose(job_alerts, person)
    factories.message(person, purpose=job_alerts, state="sent", handed_at=timezone.now())
    hear("how much do you pay?", person)
    clock.shift(timedelta(minutes=10))
    row = hear("STOP", person)
    talk = Conversation.objects.get()
    assert talk.closes_at == row.received_at
    with pytest.raises(DomainError, match="closed"):
        conversations.reply(talk, "but wait", officer)
    clock.shift(timedelta(minutes=10))
    assert hear("and in Torino?", person).conversation != talk
