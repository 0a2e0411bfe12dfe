"""The texts that follow from the ledger: which act is answered with which text, once, and when none is."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from campaigns.models import Message
from consent.contacts import doors
from consent.ledger import jobs, transitions
from consent.ledger.models import Consent, Purpose
from consent.retention import runner
from tests import factories

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


@pytest.fixture
def purpose() -> Purpose:
    made = factories.purpose()
    factories.sender(made.brand)
    return made


def texts() -> list[tuple[str, int | None]]:
    return list(Message.objects.order_by("pk").values_list("kind", "consent"))


# --- answers ------------------------------------------------------------------------------------------------------


def test_a_yes_is_confirmed_once_in_the_persons_language(clock: Any, purpose: Purpose) -> None:
    consent = factories.consent(factories.contact(language="it"), purpose)
    (text,) = Message.objects.all()
    assert (text.kind, text.consent, text.proof, text.language) == ("welcome", consent, consent.proof, "it")
    assert text.phone == consent.contact.phone.as_e164
    assert text.body
    assert text.expires_at == timezone.now() + timedelta(days=django_settings.CAMPAIGN_DAYS)


def test_a_yes_that_waits_is_asked_to_be_confirmed(clock: Any, purpose: Purpose) -> None:
    consent = factories.consent(to=purpose, status="requested")
    (text,) = Message.objects.all()
    assert (text.kind, text.consent, text.expires_at) == ("double_opt_in", consent, consent.expires_at)


@pytest.mark.parametrize("status", ["unknown", "refused"])
def test_what_is_no_yes_gets_no_text(purpose: Purpose, status: str) -> None:
    factories.consent(to=purpose, status=status)
    assert texts() == []


@pytest.mark.parametrize(("late", "kinds"), [(timedelta(0), ["welcome"]), (TICK, [])])
def test_an_old_yes_recorded_late_is_not_confirmed(clock: Any, purpose: Purpose, late: timedelta, kinds: list) -> None:
    said = timezone.now() - timedelta(days=django_settings.WELCOME_DAYS) - late
    factories.consent(to=purpose, captured_at=said)
    assert [kind for kind, _consent in texts()] == kinds


def test_a_relationship_is_no_opt_in_and_a_renewal_changes_nothing(clock: Any) -> None:
    told = factories.purpose("told", kind="informational", accepted_methods=["relationship", "web_form"])
    factories.sender(told.brand)
    factories.consent(to=told, method="relationship")
    assert texts() == []
    factories.consent(to=told, status="renewed")
    assert [kind for kind, _consent in texts()] == ["welcome"]


def test_a_new_yes_after_an_end_is_confirmed_again(clock: Any, purpose: Purpose) -> None:
    consent = factories.consent(to=purpose, status="invalidated")
    clock.shift(1)
    with factories.acting():
        transitions.record_answer(consent.contact, purpose, factories.act(purpose, captured_at=timezone.now()))
    assert [kind for kind, _consent in texts()] == ["welcome", "welcome"]


def test_the_text_stands_or_falls_with_its_cause(purpose: Purpose, monkeypatch: Any) -> None:
    person, act = factories.contact(), factories.act(purpose)
    monkeypatch.setattr("campaigns.waking.wake", lambda senders: 1 / 0)
    with factories.acting(), pytest.raises(ZeroDivisionError):
        transitions.record_answer(person, purpose, act)
    assert not Message.objects.exists()
    assert not Consent.objects.exists()


# --- late first texts -------------------------------------------------------------------------------------------


@pytest.fixture
def asking(purpose: Purpose) -> Purpose:
    with factories.acting():
        purpose.ask_reconfirmation = True
        purpose.save()
    return purpose


def said(purpose: Purpose, ago: timedelta) -> Consent:
    return factories.consent(to=purpose, captured_at=timezone.now() - ago)


def reconfirmations() -> set[int | None]:
    return {consent for kind, consent in texts() if kind == "reconfirmation"}


def test_only_those_whose_first_text_is_late_are_asked_and_once(clock: Any, asking: Purpose) -> None:
    days = timedelta(days=asking.first_message_within_days)
    late, _in_time, used = said(asking, days + TICK), said(asking, days), said(asking, days + TICK)
    Consent.objects.filter(pk=used.pk).update(last_used_at=timezone.now())
    simulated = runner.run("ask_reconfirmation", simulate=True)
    assert texts() == []
    done = runner.run("ask_reconfirmation")
    assert simulated.counts == done.counts == {"asked": 1}
    assert reconfirmations() == {late.pk}
    clock.shift(86400)
    Message.objects.all().delete()
    assert runner.run("ask_reconfirmation").counts == {"asked": 2}
    assert runner.run("ask_reconfirmation").counts == {"asked": 0}


def test_a_purpose_that_does_not_ask_asks_nobody(clock: Any, purpose: Purpose) -> None:
    said(purpose, timedelta(days=60))
    assert runner.run("ask_reconfirmation").counts == {"asked": 0}
    assert texts() == []


def test_whom_something_else_keeps_from_being_texted_is_asked_when_that_is_over(clock: Any, asking: Purpose) -> None:
    held, stopped = said(asking, timedelta(days=60)), said(asking, timedelta(days=60))
    with factories.acting():
        doors.hold(held.contact, timezone.now())
        doors.suppress(stopped.contact.phone.as_e164, reason="stop", since=timezone.now())
    assert runner.run("ask_reconfirmation").counts == {"asked": 0}
    with factories.acting():
        doors.release(held.contact)
    assert runner.run("ask_reconfirmation").counts == {"asked": 1}
    assert reconfirmations() == {held.pk}


def test_asking_goes_on_where_it_stopped(clock: Any, asking: Purpose, monkeypatch: Any) -> None:
    monkeypatch.setattr(jobs, "ASKED_AT_ONCE", 2)
    late = [said(asking, timedelta(days=60)).pk for _person in range(5)]
    assert runner.run("ask_reconfirmation", limit=3).counts == {"asked": 3}
    assert reconfirmations() == set(late[:3])
    assert runner.run("ask_reconfirmation", simulate=True).counts == {"asked": 2}
    assert runner.run("ask_reconfirmation").counts == {"asked": 2}
    assert reconfirmations() == set(late)


# --- ends that come near ----------------------------------------------------------------------------------------


def test_who_is_near_the_end_is_asked_once_at_each_stage(clock: Any, purpose: Purpose) -> None:
    with factories.acting():
        purpose.ask_renewal = True
        purpose.save()
    silent = factories.purpose("silent")
    ends = timezone.now() + timedelta(days=40)
    asked, other = factories.consent(to=purpose), factories.consent(to=silent)
    Consent.objects.filter(pk__in=[asked.pk, other.pk]).update(expires_at=ends)
    Message.objects.all().delete()
    for day in (0, 0, 20, 35, 36):
        clock.move_to(ends - timedelta(days=40 - day))
        runner.run("remind_expiring")
    found = Message.objects.filter(kind="renewal").order_by("pk")
    assert [row.consent_id for row in found] == [asked.pk] * 3
    assert [row.once.rpartition(":")[2] for row in found] == ["60", "30", "7"]
    assert all(row.expires_at <= ends for row in found)
    assert found.last().expires_at == ends
