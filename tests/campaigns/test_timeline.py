"""What the ledger's pages tell of texts: waiting is no refusal, and what went out between a stop and its recording."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from consent.ledger import explanation, transitions
from consent.ledger.recording import standing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]  # a Sunday: nobody in Italy is texted


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def body(response: Any) -> str:
    return response.content.decode()


@pytest.mark.hours
def test_a_text_that_only_waits_is_told_in_amber_everywhere(officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    found = explanation.explain(consent.contact, consent.purpose, timezone.now())
    assert (found.allowed, found.deferred, found.refusal) == (False, True, "outside_window")
    assert found.as_json()["deferred"] is True
    client = sign_in(officer)
    asked = f"{reverse('admin:explain')}?contact={consent.contact_id}&purpose={consent.purpose_id}"
    for address in (page(consent.contact), page(consent), asked):
        shown = body(client.get(address))
        assert "May be texted, but not now" in shown
        assert "badge--stop" not in shown and "notice--stop" not in shown
    listed = body(client.get(reverse("admin:contacts_contact_changelist")))
    assert f'badge--warn">{consent.purpose.name} · waits' in listed
    told = standing.of_contact(consent.contact, [consent.purpose])[consent.purpose_id]
    assert told.tone == "ok" and "waits" in told.sentence


@pytest.mark.hours
def test_what_waits_and_is_refused_too_is_refused(officer: Any, sign_in: Any) -> None:
    contact = factories.contact(held_since=timezone.now())
    consent = factories.consent(contact)
    found = explanation.explain(contact, consent.purpose, timezone.now())
    assert (found.allowed, found.deferred, found.refusal) == (False, False, "held")
    assert "May not be texted" in body(sign_in(officer).get(page(contact)))


@pytest.mark.hours
def test_when_the_hour_comes_it_may_go(clock: Any, officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    clock.move_to("2026-11-23T09:00:00+01:00")
    assert explanation.explain(consent.contact, consent.purpose, timezone.now()).allowed
    assert "but not now" not in body(sign_in(officer).get(page(consent.contact)))


def test_texts_between_a_stop_and_its_recording_are_listed(officer: Any, auditor: Any, sign_in: Any) -> None:
    now = timezone.now()
    consent = factories.consent(captured_at=now - timedelta(days=9))
    said = now - timedelta(days=2)
    sent = {"state": "delivered", "body": "Twelve new jobs"}
    at, after = (factories.message(consent.contact, handed_at=m, **sent) for m in (said, said + timedelta(seconds=1)))
    answer = factories.message(consent.contact, kind="opt_out", handed_at=now, **sent)
    client = sign_in(officer)
    assert "went out in between" not in body(client.get(page(consent)))
    with factories.acting():
        stop = factories.act(consent.purpose, answer="no", method="verbal", captured_at=said)
        transitions.withdraw(consent.contact, consent.purpose, stop, scope="purpose")
    response = client.get(page(consent))
    shown = body(response)
    assert "These texts went out in between" in shown
    assert page(after) in shown
    assert page(at) not in shown and page(answer) not in shown  # one unit before, and what only answers
    assert "Twelve new jobs" not in shown
    assert "These texts went out in between" in body(sign_in(auditor).get(page(consent)))


def test_refused_and_waiting_texts_are_on_the_timeline_without_words_that_never_went(
    officer: Any, sign_in: Any
) -> None:
    consent = factories.consent()
    refused = factories.message(consent.contact, state="refused", refusal="withdrawn", body="Never said")
    told = sign_in(officer).get(page(consent.contact)).context["timeline"]
    event = next(event for event in told if event.url == page(refused))
    assert event.text == "" and "withdrew" in event.reason
