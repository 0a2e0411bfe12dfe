"""A text is kept whatever happens; what cannot be done holds the person and is tried again."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError
from django.utils import timezone

from campaigns import inbound
from campaigns.models import InboundMessage
from consent.contacts.models import Contact, Suppression
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.hearing import hear, refusal, texts

pytestmark = pytest.mark.django_db
S, M = InboundMessage.State, InboundMessage.Meaning


def test_a_stop_whose_last_write_fails_changes_nothing_is_kept_held_and_tried_again(
    person: Contact, job_alerts: Any, caplog: Any
) -> None:
    with mock.patch.object(InboundMessage, "save", autospec=True, side_effect=_fails_to_update):
        row = hear("STOP", person)
    assert (InboundMessage.objects.get(pk=row.pk).state, row.state) == (S.NEW, S.NEW)
    assert (Consent.objects.get().status, Suppression.objects.count(), texts("opt_out").count()) == ("given", 0, 0)
    assert refusal(person, job_alerts) == "held"
    assert "DatabaseError" in caplog.text
    assert str(person.phone.as_e164) not in caplog.text and "private" not in caplog.text
    assert inbound.retry_new() == 1
    assert InboundMessage.objects.get().state == S.HANDLED
    person.refresh_from_db()
    assert (Consent.objects.get().status, person.held_since) == ("withdrawn", None)
    assert inbound.retry_new() == 0


def _fails_to_update(row: InboundMessage, *args: Any, **kwargs: Any) -> None:
    if not kwargs.get("force_insert"):
        raise DatabaseError("something private")
    super(InboundMessage, row).save(*args, **kwargs)


def test_what_cannot_be_understood_for_an_hour_goes_to_a_person(person: Contact, clock: Any) -> None:
    with mock.patch("campaigns.keywords.classify", side_effect=ValueError):
        row = hear("hello", person)
        clock.shift(timedelta(hours=1))
        assert inbound.retry_new() == 0
        assert InboundMessage.objects.get().state == S.NEW
        clock.shift(timedelta(seconds=1))
        inbound.retry_new()
    row.refresh_from_db()
    assert (row.state, row.contact) == (S.REVIEW, person)


@pytest.mark.parametrize("broken", ["campaigns.outbox.queue", "campaigns.brake.check"])
def test_a_stop_holds_when_its_confirmation_or_the_brake_fails(
    person: Contact, job_alerts: Any, officer: Any, manager: Any, broken: str
) -> None:
    campaign = factories.campaign(job_alerts, author=manager, approver=officer, state="sending")
    factories.message(person, campaign=campaign, state="sent", handed_at=timezone.now())
    with mock.patch(broken, side_effect=DatabaseError):
        assert hear("STOP", person).state == S.HANDLED
    assert Consent.objects.get().status == "withdrawn"


def test_a_stop_takes_few_queries(person: Contact, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(45):
        hear("STOP", person)


def test_what_no_database_takes_is_left_out(person: Contact) -> None:
    row = hear("ST\x00OP", person, to="36\x00123", gateway_id="a\x00\ud800" + "b" * 100)
    assert (row.body, row.meaning, row.gateway_id) == ("STOP", M.OPT_OUT, "a?" + "b" * 78)
    assert hear("hi \ud83d", "x" * 60, to="y" * 60).state == S.HANDLED


def test_another_text_under_a_known_id_is_kept_once(person: Contact, job_alerts: Any, clock: Any) -> None:
    other = factories.consent(to=job_alerts).contact
    first = hear("hello", other, gateway_id="17")
    stop = hear("STOP", person, gateway_id="17")
    assert refusal(person, job_alerts) == "suppressed"
    clock.shift(timedelta(minutes=2))
    assert (hear("STOP", person, gateway_id="17"), hear("hello", other, gateway_id="17")) == (stop, first)
    assert hear("STOP", other, gateway_id="17" + "0" * 78).pk != hear("STOP", person, gateway_id="17" + "0" * 78).pk
    assert max(len(row.gateway_id) for row in InboundMessage.objects.all()) == 80
