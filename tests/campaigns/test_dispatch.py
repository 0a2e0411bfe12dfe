"""Sending: what goes, in which order, at what pace, and what becomes of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import dispatch, queue, sweeping, workflow
from campaigns.gateways.base import Accepted, OutcomeUnknown, Outgoing, Refused
from campaigns.models import Campaign, Lane, Message
from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.stub_gateway import Memory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting")]
S = Message.State


def states(**which: Any) -> list[str]:
    return list(Message.objects.filter(**which).order_by("pk").values_list("state", flat=True))


def test_everybody_gets_the_text_once_and_the_campaign_is_over(gateway: Memory, sending: Campaign) -> None:
    assert dispatch.work(sending.sender_id) is False
    assert sorted(t.to for t in gateway.texts) == sorted(Message.objects.values_list("phone", flat=True))
    assert {t.reference for t in gateway.texts} == set(Message.objects.values_list("pk", flat=True))
    sending.refresh_from_db()
    assert sending.state == "completed"
    sent = Message.objects.first()
    assert sent is not None
    assert (sent.state, sent.gateway_id, sent.attempts) == ("sent", f"g{sent.pk}", 1)
    assert sent.body == next(t.text for t in gateway.texts if t.reference == sent.pk)
    assert (sent.encoding, sent.parts) == (gateway.texts[0].encoding, gateway.texts[0].parts)
    assert sent.handed_at is not None
    assert sent.decision["codes"] == []
    assert dispatch.work(sending.sender_id) is False
    assert len(gateway.texts) == 5


def test_a_text_notes_on_its_consent_that_it_went_without_history(gateway: Memory, sending: Campaign) -> None:
    rows = Consent.history.count()
    dispatch.work(sending.sender_id)
    assert set(Consent.objects.values_list("last_used_at", flat=True)) == {timezone.now()}
    assert Consent.history.count() == rows


def test_a_reconfirmation_uses_no_consent(gateway: Memory, people: list[Contact]) -> None:
    row = factories.message(people[0], kind="reconfirmation", consent=Consent.objects.get(contact=people[0]))
    dispatch.work(row.sender_id)
    assert len(gateway.texts) == 1
    assert Consent.objects.get(contact=people[0]).last_used_at is None


def test_who_may_no_longer_be_texted_at_the_claim_is_refused_with_the_code(gateway: Memory, sending: Campaign) -> None:
    stopped = Message.objects.order_by("pk")[1]
    doors.suppress(stopped.phone, reason="stop", since=timezone.now())  # past the signals that would block
    dispatch.work(sending.sender_id)
    stopped.refresh_from_db()
    assert (stopped.state, stopped.refusal, stopped.decision["codes"]) == ("refused", "suppressed", ["suppressed"])
    assert stopped.phone not in {t.to for t in gateway.texts}
    assert len(gateway.texts) == 4


def test_answers_to_people_go_before_a_campaign(gateway: Memory, sending: Campaign) -> None:
    late = factories.message(Contact.objects.last(), kind="help", purpose=None)
    dispatch.work(sending.sender_id)
    assert gateway.texts[0].reference == late.pk


def test_one_text_for_each_person_in_a_batch(gateway: Memory, people: list[Contact]) -> None:
    for _n in range(3):
        row = factories.message(people[0])
    tokens: dict[int, int] = {}
    claimed = []

    def answer(text: Outgoing) -> Accepted:
        claimed.append(Message.objects.filter(state=S.CLAIMED).count())
        tokens[text.reference] = 1
        return Accepted()

    gateway.answer = answer
    dispatch.work(row.sender_id)
    assert claimed == [0, 0]  # the third waits: two a week are agreed
    third = Message.objects.get(state=S.QUEUED)
    assert third.decision["codes"] == ["frequency_cap"]
    assert third.not_before == timezone.now() + timedelta(days=7)


def test_a_paused_or_scheduled_campaign_sends_nothing(gateway: Memory, sending: Campaign) -> None:
    Campaign.objects.update(state="paused")
    dispatch.work(sending.sender_id)
    assert gateway.texts == []
    assert set(states()) == {"queued"}


@pytest.mark.parametrize(("move", "left"), [("pause", "queued"), ("cancel", "cancelled")])
def test_a_pause_or_cancel_in_the_middle_of_a_batch_is_heard_at_once(
    gateway: Memory, sending: Campaign, manager: Any, move: str, left: str
) -> None:
    def answer(text: Outgoing) -> Accepted:
        getattr(workflow, move)(sending, manager)
        return Accepted()

    gateway.answer = answer
    dispatch.work(sending.sender_id)
    assert len(gateway.texts) == 1
    assert sorted(states()) == sorted(["sent"] + [left] * 4)


def test_a_pause_nobody_took_anything_back_for_is_heard_too(gateway: Memory, sending: Campaign) -> None:
    def answer(text: Outgoing) -> Accepted:
        Campaign.objects.update(state="paused")
        return Accepted()

    gateway.answer = answer
    dispatch.work(sending.sender_id)
    assert len(gateway.texts) == 1
    assert sorted(states()) == ["queued"] * 4 + ["sent"]


def test_a_stop_in_the_middle_of_a_batch_takes_the_claimed_text_back(gateway: Memory, sending: Campaign) -> None:
    last = Message.objects.order_by("pk").last()
    assert last is not None

    def answer(text: Outgoing) -> Accepted:
        if len(gateway.texts) == 1:
            doors.suppress(last.phone, reason="stop", since=timezone.now())
            assert queue.block(last.contact) == 1
        return Accepted()

    gateway.answer = answer
    dispatch.work(sending.sender_id)
    last.refresh_from_db()
    assert (last.state, last.refusal) == ("blocked", "suppressed")
    assert last.phone not in {t.to for t in gateway.texts}


def test_what_is_held_waits(gateway: Memory, sending: Campaign) -> None:
    held = Message.objects.order_by("pk").first()
    assert held is not None
    assert held.contact is not None
    doors.hold(held.contact, timezone.now())
    dispatch.work(sending.sender_id)
    held.refresh_from_db()
    assert (held.state, held.not_before) == ("queued", timezone.now() + timedelta(minutes=15))
    assert len(gateway.texts) == 4


def test_nothing_goes_after_its_time(gateway: Memory, sending: Campaign, clock: Any) -> None:
    assert sending.ends_at is not None
    clock.move_to(sending.ends_at)
    dispatch.work(sending.sender_id)
    assert gateway.texts == []
    assert queue.late(timezone.now()) == 5
    assert set(states()) == {"late"}


def test_the_validity_ends_with_the_texts_time(gateway: Memory, sending: Campaign, clock: Any) -> None:
    assert sending.ends_at is not None
    clock.move_to(sending.ends_at - timedelta(seconds=1))
    dispatch.work(sending.sender_id)
    assert {t.validity for t in gateway.texts} == {timedelta(seconds=1)}


@pytest.mark.hours
def test_a_window_that_closes_during_a_batch_stops_it(gateway: Memory, people: list[Contact], clock: Any) -> None:
    clock.move_to("2026-11-24T19:59:59+01:00")  # a Tuesday; Italy closes at 20:00
    for person in people:
        row = factories.message(person)

    def answer(text: Outgoing) -> Accepted:
        clock.move_to("2026-11-24T20:00:00+01:00")
        return Accepted()

    gateway.answer = answer
    dispatch.work(row.sender_id)
    assert [t.validity for t in gateway.texts] == [timedelta(seconds=1)]
    assert sorted(states()) == ["queued"] * 4 + ["sent"]
    opening = {m.not_before.isoformat() for m in Message.objects.filter(state="queued")}
    assert opening == {"2026-11-25T08:00:00+00:00"}


def test_a_temporary_refusal_is_tried_again_with_growing_pauses(
    gateway: Memory, people: list[Contact], clock: Any
) -> None:
    row = factories.message(people[0], expires_at=timezone.now() + timedelta(minutes=80))
    gateway.answer = lambda text: Refused("busy", temporary=True)
    waits = []
    for _n in range(5):
        dispatch.work(row.sender_id)
        row.refresh_from_db()
        if row.state != S.QUEUED:
            break
        assert row.handed_at is None
        waits.append((row.not_before - timezone.now()).total_seconds() / 60)
        clock.move_to(row.not_before)
    assert waits == [1, 5, 15]  # one hour later would be after its time
    assert (row.state, row.error) == ("failed", "busy")


def test_a_gateway_that_refuses_us_pauses_the_campaign_and_makes_the_sender_wait(
    gateway: Memory, sending: Campaign, clock: Any
) -> None:
    gateway.answer = lambda text: Refused("401", ours=True, temporary=True)
    dispatch.work(sending.sender_id)
    assert len(gateway.texts) == 1
    sending.refresh_from_db()
    assert (sending.state, sending.paused_by) == ("paused", "gateway")
    assert set(states()) == {"queued"}
    help_text = factories.message(Contact.objects.last(), kind="help", purpose=None)
    gateway.answer = None
    dispatch.work(sending.sender_id)
    assert len(gateway.texts) == 1
    clock.shift(dispatch.BACK_OFF)
    dispatch.work(sending.sender_id)
    assert gateway.texts[1].reference == help_text.pk


@pytest.mark.parametrize("error", [OutcomeUnknown("broken"), RuntimeError("a bug")])
def test_not_knowing_is_never_repeated(gateway: Memory, people: list[Contact], clock: Any, error: Exception) -> None:
    row = factories.message(people[0])

    def answer(text: Outgoing) -> Accepted:
        raise error

    gateway.answer = answer
    dispatch.work(row.sender_id)
    row.refresh_from_db()
    assert row.state == "unknown"
    clock.shift(timedelta(days=1))
    sweeping.sweep(start=lambda pk: None, wake=dispatch.work)
    assert len(gateway.texts) == 1


def test_a_providers_opt_out_is_a_withdrawal(gateway: Memory, people: list[Contact]) -> None:
    first, second = factories.message(people[0]), factories.message(people[0])
    gateway.answer = lambda text: Refused("21610", effect="opt_out")
    dispatch.work(first.sender_id)
    assert Consent.objects.get(contact=people[0]).status == "withdrawn"
    assert Suppression.objects.get().reason == "provider"
    assert [(m.state, m.error, m.refusal) for m in (Message.objects.get(pk=p.pk) for p in (first, second))] == [
        ("failed", "21610", ""),
        ("blocked", "", "suppressed"),
    ]
    assert len(gateway.texts) == 1


def test_a_number_out_of_service_ends_what_was_given_for_it(gateway: Memory, people: list[Contact]) -> None:
    row = factories.message(people[0])
    gateway.answer = lambda text: Refused("30006", effect="no_subscriber")
    dispatch.work(row.sender_id)
    consent = Consent.objects.get(contact=people[0])
    assert consent.status == "revoked"
    assert consent.history.first().actor == "job:gateway"
    assert Message.objects.get().state == "failed"


def test_if_the_withdrawal_cannot_be_written_neither_is_the_refusal(
    gateway: Memory, people: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = factories.message(people[0])
    gateway.answer = lambda text: Refused("21610", effect="opt_out")

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the last write")

    monkeypatch.setattr(queue, "block", broken)
    with pytest.raises(RuntimeError):
        dispatch.work(row.sender_id)
    row.refresh_from_db()
    assert row.state == "handed"  # the sweep will call it unknown
    assert not Suppression.objects.exists()
    assert Consent.objects.get(contact=people[0]).status == "given"
    assert not Lane.objects.exclude(token="").exists()


def test_what_cannot_be_worded_is_refused_in_the_end(gateway: Memory, people: list[Contact], clock: Any) -> None:
    row = factories.message(people[0], body="")
    for _n in range(5):
        dispatch.work(row.sender_id)
        clock.shift(timedelta(hours=2))
    row.refresh_from_db()
    assert (row.state, row.refusal, row.error) == ("refused", "error", "LookupError")
    assert gateway.texts == []
