"""HELP, keywords on posters, START, YES and NO: what a text answers and what it does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import InboundMessage, Keyword, Message
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.hearing import hear, refusal, texts

pytestmark = pytest.mark.django_db
S, M = InboundMessage.State, InboundMessage.Meaning


@pytest.mark.parametrize("known", [True, False])
def test_help_is_answered_once_an_hour_and_changes_nothing(person: Contact, clock: Any, known: bool) -> None:
    who: Any = person if known else factories.number("IT").e164
    before = Contact.objects.count()
    assert hear("Aiuto", who).meaning == M.HELP
    for after, answers in ((timedelta(minutes=59, seconds=59), 1), (timedelta(seconds=1), 2), (timedelta(0), 2)):
        clock.shift(after)
        hear("HELP", who)
        assert texts("help").count() == answers
    assert (Contact.objects.count(), Consent.objects.get().status) == (before, "given")
    assert texts("help").first().once.count(":") == 3
    assert texts("help").first().phone not in texts("help").first().once


@pytest.fixture
def poster(job_alerts: Any) -> Keyword:
    shown = factories.notice(job_alerts, "it")
    factories.policy(job_alerts.brand, "it")
    with factories.acting():
        return Keyword.objects.create(
            sender=job_alerts.brand.senders.get(), word="LAVORO", purpose=job_alerts, notice=shown
        )


def test_a_keyword_of_a_poster_is_a_yes_with_the_text_as_proof(poster: Keyword, job_alerts: Any) -> None:
    row = hear(" lavoro! ", factories.number("IT").e164)
    assert (row.meaning, row.rule) == (M.OPT_IN, "5 published keyword")
    consent = Consent.objects.get()
    proof = consent.proof
    assert (consent.status, proof.method, proof.notice, proof.reference) == (
        "given", "keyword", poster.notice, f"inbound:{row.pk}",
    )  # fmt: skip
    assert (proof.policy.language, proof.captured_at) == ("it", row.received_at)
    assert (consent.contact.language, consent.contact.source) == ("it", "text message")
    assert texts("welcome").count() == 1
    assert refusal(consent.contact, job_alerts) == ""


def test_a_keyword_lifts_the_stop_of_who_texts_it(
    poster: Keyword, person: Contact, job_alerts: Any, clock: Any
) -> None:
    hear("STOP", person)
    clock.shift(timedelta(hours=1))
    hear("LAVORO", person)
    assert refusal(person, job_alerts) == ""


@pytest.mark.parametrize("text", ["lavoro grazie mille a tutti", "LAVOR", "il lavoro"])
def test_a_keyword_is_the_whole_text(poster: Keyword, text: str) -> None:
    assert hear(text, factories.number("IT").e164).meaning == M.CONVERSATION
    assert not Consent.objects.exists()


def test_a_keyword_counts_on_its_sender_only_and_while_in_use(poster: Keyword, job_alerts: Any) -> None:
    factories.sender(job_alerts.brand, address="36999")
    assert hear("LAVORO", factories.number("IT").e164, to="36999").meaning == M.CONVERSATION
    with factories.acting():
        poster.active = False
        poster.save()
    assert hear("LAVORO", factories.number("IT").e164).meaning == M.CONVERSATION


def test_a_keyword_that_proves_nothing_here_goes_to_staff(poster: Keyword, job_alerts: Any) -> None:
    with factories.acting():
        job_alerts.accepted_methods = ["web_form"]
        job_alerts.save()
    row = hear("LAVORO", factories.number("IT").e164)
    assert (row.meaning, row.rule) == (M.CONVERSATION, "none, not recorded (C13)")
    assert row.conversation is not None


def test_start_undoes_the_newest_stop_to_the_brand(person: Contact, job_alerts: Any, clock: Any) -> None:
    elsewhere = factories.consent(person, factories.purpose("offers", of=factories.brand("mercado")))
    words = Consent.objects.get(purpose=job_alerts).proof.notice
    hear("STOP", person)
    clock.shift(timedelta(minutes=1))
    hear("STOP", person)  # the later time counts, what it withdrew stays the same
    clock.shift(timedelta(minutes=1))
    row = hear("Start", person)
    assert (row.meaning, row.rule) == (M.OPT_IN, "5 undoes a stop")
    consent = Consent.objects.get(purpose=job_alerts)
    assert (consent.status, consent.proof.notice, consent.proof.method) == ("given", words, "keyword")
    assert refusal(person, job_alerts) == ""
    elsewhere.refresh_from_db()
    assert elsewhere.status == "withdrawn"  # said to another brand


def test_start_gives_back_only_what_that_stop_ended(person: Contact, job_alerts: Any, clock: Any) -> None:
    before = timezone.now() - timedelta(days=30)
    factories.consent(person, factories.purpose("interviews"), status="withdrawn", captured_at=before)
    hear("STOP", person)
    clock.shift(timedelta(minutes=1))
    hear("ALTA", person)
    status = dict(Consent.objects.values_list("purpose__slug", "status"))
    assert status == {"job-alerts": "given", "interviews": "withdrawn"}


def test_start_with_nothing_to_undo_is_a_conversation(person: Contact) -> None:
    row = hear("START", person)
    assert (row.meaning, row.rule) == (M.CONVERSATION, "5 opt-in word, nothing to answer")
    unknown = factories.number("IT").e164
    hear("STOP", unknown)
    assert hear("START", unknown).meaning == M.CONVERSATION  # never said yes to anything
    assert doors.suppressions(unknown).exists()


def asked(kind: str, person: Contact, purpose: Any, age: timedelta = timedelta(hours=1)) -> Message:
    return factories.message(
        person, kind=kind, purpose=purpose, state="delivered", handed_at=timezone.now() - age
    )  # fmt: skip


@pytest.mark.parametrize(("text", "status"), [("SÌ!", "given"), ("no, grazie", "refused")])
def test_a_double_opt_in_is_answered(job_alerts: Any, text: str, status: str) -> None:
    consent = factories.consent(to=job_alerts, status="requested")
    words = consent.proof.notice
    asked("double_opt_in", consent.contact, job_alerts)
    row = hear(text, consent.contact)
    consent.refresh_from_db()
    assert (row.state, consent.status, consent.proof.method, consent.proof.notice_id) == (
        S.HANDLED, status, "keyword", words.pk,
    )  # fmt: skip
    assert consent.proof.reference == f"inbound:{row.pk}"
    assert hear(text, consent.contact).meaning == M.CONVERSATION  # nothing waits any more


@pytest.mark.parametrize("kind", ["reconfirmation", "renewal"])
@pytest.mark.parametrize(("text", "status"), [("Oui", "renewed"), ("Nein", "withdrawn")])
def test_a_question_about_a_live_consent_is_answered(
    person: Contact, job_alerts: Any, kind: str, text: str, status: str
) -> None:
    asked(kind, person, job_alerts)
    waiting = factories.message(person, kind="welcome", purpose=job_alerts)
    hear(text, person)
    consent = Consent.objects.get()
    assert (consent.status, consent.effective_at) == (status, timezone.now())
    waiting.refresh_from_db()
    assert (waiting.state == "blocked") is (status == "withdrawn")
    assert not texts("opt_out").exists()


@pytest.mark.parametrize(("short_of", "answers"), [(timedelta(seconds=1), True), (timedelta(0), False)])
def test_a_request_waits_seven_days(job_alerts: Any, short_of: timedelta, answers: bool, settings: Any) -> None:
    consent = factories.consent(to=job_alerts, status="requested")
    asked("double_opt_in", consent.contact, job_alerts, timedelta(days=settings.REQUEST_DAYS) - short_of)
    assert (hear("YES", consent.contact).meaning == M.YES) is answers
    consent.refresh_from_db()
    assert consent.status == ("given" if answers else "requested")


@pytest.mark.parametrize("word", ["yes", "no"])
def test_yes_and_no_to_nothing_are_conversation(person: Contact, word: str) -> None:
    row = hear(word, person)
    assert (row.meaning, row.rule) == (M.CONVERSATION, f"6 {word} word, nothing to answer")
    assert Consent.objects.get().status == "given"


def test_a_yes_counts_for_the_brand_it_was_said_to(person: Contact, job_alerts: Any) -> None:
    other = factories.purpose("offers", of=factories.brand("mercado"))
    waits = factories.consent(person, other, status="requested")
    asked("double_opt_in", person, other)
    assert hear("yes", person).meaning == M.CONVERSATION
    factories.sender(other.brand, address="48123")
    assert hear("yes", person, to="48123").meaning == M.YES
    waits.refresh_from_db()
    assert waits.status == "given"


def test_two_requests_take_two_answers(job_alerts: Any) -> None:
    first = factories.consent(to=job_alerts, status="requested")
    second = factories.consent(first.contact, factories.purpose("interviews"), status="requested")
    asked("double_opt_in", first.contact, first.purpose, timedelta(hours=2))
    asked("double_opt_in", first.contact, second.purpose, timedelta(hours=1))
    hear("yes", first.contact)
    assert set(Consent.objects.filter(status="given")) == {second}
    hear("yes", first.contact)
    assert set(Consent.objects.filter(status="given")) == {first, second}


def test_a_number_that_was_never_asked_answers_nothing(job_alerts: Any, clock: Any) -> None:
    consent = factories.consent(to=job_alerts, status="requested")
    asked("double_opt_in", consent.contact, job_alerts)
    with factories.acting():
        doors.change_number(consent.contact, factories.number())
    clock.shift(timedelta(minutes=1))
    person = Contact.objects.get()
    assert factories.consent(person, job_alerts, status="requested", captured_at=timezone.now()) == consent
    assert hear("YES", person).meaning == M.CONVERSATION
    consent.refresh_from_db()
    assert consent.status == "requested"


def test_a_yes_counts_when_the_gateways_clock_is_behind(job_alerts: Any) -> None:
    consent = factories.consent(to=job_alerts, status="requested")
    asked("double_opt_in", consent.contact, job_alerts, timedelta(seconds=30))
    hear("YES", consent.contact, at=timezone.now() - timedelta(minutes=1))
    consent.refresh_from_db()
    assert consent.status == "given"
