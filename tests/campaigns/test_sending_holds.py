"""What must hold between an approval, a stop and a receipt, whichever comes late."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from campaigns import claims, dispatch, gateways, launch, outcomes, queue, workflow
from campaigns.gateways.base import Outgoing, Receipt, Refused
from campaigns.models import Campaign, Message, Sender
from consent.contacts.models import Contact
from consent.ledger import transitions
from consent.ledger.models import Consent, Purpose
from tests import factories
from tests.campaigns.hearing import hear, refusal
from tests.campaigns.stub_gateway import Memory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting", "clock")]
S = Message.State


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Memory:
    stub = Memory()
    monkeypatch.setattr(gateways, "get", lambda name: stub)
    return stub


@pytest.fixture
def job() -> Purpose:
    purpose = factories.purpose("job-alerts")
    factories.sender(purpose.brand)
    factories.notice(purpose)
    return purpose


@pytest.fixture
def person(job: Purpose) -> Contact:
    contact = factories.consent(to=job).contact
    Message.objects.all().delete()  # the ledger's own texts
    return contact


@pytest.fixture
def scheduled(person: Contact, manager: Any, officer: Any) -> Campaign:
    row = factories.campaign(author=manager, approver=officer, state="scheduled", scheduled_at=timezone.now())
    row.approved_content = workflow.content(row)
    row.save()
    return row


def change(sender: Sender, what: str) -> None:
    """Something nobody approved."""
    if what == "kinds":
        sender.kinds = ["informational"]
    elif what == "brand":
        sender.brand = factories.brand("altra")
    sender.save()


def status(person: Contact, purpose: Purpose) -> str:
    return Consent.objects.get(contact=person, purpose=purpose).status


def months_ago(person: Contact, **fields: Any) -> Message:
    at = timezone.now() - timedelta(days=60)
    return factories.message(person, state="silent", handed_at=at, claimed_at=at, **fields)


# --- the sender ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["kinds", "brand"])
def test_a_sender_changed_before_the_launch_voids_the_approval(what: str, scheduled: Campaign, gateway: Memory) -> None:
    change(scheduled.sender, what)
    assert launch.launch(scheduled) is None
    dispatch.work(scheduled.sender_id)
    scheduled.refresh_from_db()
    assert (scheduled.state, scheduled.approver, scheduled.messages.count()) == ("draft", None, 0)
    assert gateway.texts == []


@pytest.mark.parametrize("what", ["kinds", "brand"])
def test_a_sender_changed_after_the_launch_sends_nothing(what: str, scheduled: Campaign, gateway: Memory) -> None:
    launch.launch(scheduled)
    change(Sender.objects.get(), what)
    dispatch.work(scheduled.sender_id)
    text = Message.objects.get()
    assert (text.state, text.refusal, text.decision["codes"]) == ("refused", "not_in_use", ["not_in_use"])
    assert gateway.texts == []


def test_stop_is_sent_to_a_sender_of_the_same_brand(job: Purpose, officer: Any, sign_in: Any) -> None:
    name: dict[str, Any] = {"type": "alphanumeric", "address": "ALTRA", "country": "IT", "kinds": ["recruitment"]}
    number = Sender.objects.get()
    one = Sender(brand=factories.brand("altra"), two_way=False, stop_sender=number, **name)
    with pytest.raises(ValidationError, match="belongs to another brand"):
        one.full_clean()
    one.brand = number.brand
    one.full_clean()
    one.save()
    theirs = factories.sender(factories.brand("terza"), address="48000")
    page = sign_in(officer).get(reverse("admin:campaigns_sender_change", args=[one.pk]))
    assert list(page.context["adminform"].form.fields["stop_sender"].queryset) == [number]
    number.brand = theirs.brand  # and the number cannot move away from those who rely on it
    with pytest.raises(ValidationError, match="belongs to another brand"):
        number.full_clean()


# --- late receipts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("effect", "ended"), [("opt_out", "withdrawn"), ("no_subscriber", "revoked")])
def test_an_old_receipt_ends_only_what_was_said_before_its_text(
    effect: str, ended: str, job: Purpose, person: Contact
) -> None:
    older = factories.purpose("events")
    factories.consent(person, older, captured_at=timezone.now() - timedelta(days=90))
    text = months_ago(person, purpose=job)
    waiting = factories.message(person, purpose=job)
    outcomes.receive("console", Receipt("undelivered", reference=text.pk, effect=effect))
    assert (status(person, job), status(person, older)) == ("given", ended)
    assert Consent.objects.get(purpose=older).effective_at == text.handed_at
    assert refusal(person, job) == ""
    waiting.refresh_from_db()
    assert waiting.state == "queued"


def test_a_yes_at_the_moment_of_the_hand_over_is_not_newer(job: Purpose, person: Contact) -> None:
    at = Consent.objects.get().effective_at
    text = factories.message(person, state="sent", handed_at=at, claimed_at=at)
    outcomes.receive("console", Receipt("failed", reference=text.pk, effect="no_subscriber"))
    assert status(person, job) == "revoked"
    assert Consent.objects.get().effective_at == timezone.now()  # nothing later: dated by when it was said


def test_an_opt_out_in_the_gateways_own_answer_ends_everything(job: Purpose, person: Contact) -> None:
    events = factories.purpose("events")
    factories.consent(person, events, captured_at=timezone.now())
    text = factories.message(person, state="handed", claim="mine", handed_at=timezone.now() - timedelta(seconds=5))
    assert outcomes.refused(text, Refused("21610", effect="opt_out"), timezone.now())
    assert (status(person, job), status(person, events)) == ("withdrawn", "withdrawn")


def test_an_old_opt_out_stops_no_number_with_a_newer_yes_of_somebody_else(job: Purpose, person: Contact) -> None:
    text = months_ago(person, purpose=job)
    Message.objects.filter(pk=text.pk).update(contact=None)
    outcomes.receive("console", Receipt("failed", reference=text.pk, effect="opt_out"))
    assert (status(person, job), refusal(person, job)) == ("given", "")


# --- a person's word -------------------------------------------------------------------------------------------------


def test_why_somebody_settled_a_text_stands_beside_the_decision(person: Contact, officer: Any, sign_in: Any) -> None:
    text = factories.message(person, state="unknown")
    outcomes.settle(text, "sent", officer, " rang Ada ")
    assert text.note == "rang Ada"
    assert sorted(text.decision["settled"]) == ["at", "by", "how"]
    page = sign_in(officer).get(reverse("admin:campaigns_message_change", args=[text.pk]))
    assert "officer · rang Ada" in page.content.decode()


# --- what is taken back ----------------------------------------------------------------------------------------------


def test_a_text_given_back_after_the_cancel_is_cancelled(
    scheduled: Campaign, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch.launch(scheduled)

    def cancel(text: Outgoing) -> Refused:
        workflow.cancel(Campaign.objects.get(), officer, "Wrong week")
        return Refused("429", temporary=True)

    monkeypatch.setattr(gateways, "get", lambda name: Memory(cancel))
    dispatch.work(scheduled.sender_id)
    text = Message.objects.get()
    assert (text.state, text.error, text.finished_at) == ("cancelled", "429", timezone.now())


@pytest.mark.parametrize("state", ["cancelled", "completed", "sending", "paused"])
def test_the_sweep_closes_what_waits_of_a_campaign_that_is_over(state: str, scheduled: Campaign) -> None:
    factories.message(campaign=scheduled)
    Campaign.objects.update(state=state)
    over = state in ("cancelled", "completed")
    assert queue.late(timezone.now()) == over
    assert Message.objects.get(campaign=scheduled).state == ("cancelled" if over else "queued")


@pytest.mark.parametrize("move", ["revoke", "invalidate"])
def test_ending_a_consent_takes_back_what_is_claimed(move: str, job: Purpose, person: Contact) -> None:
    text = factories.message(person, state="claimed", claim="x", claimed_at=timezone.now())
    transitions.end(Consent.objects.get(), move, effective_at=timezone.now())
    text.refresh_from_db()
    assert (text.state, text.refusal) == ("blocked", f"{move}d")


def test_a_stop_takes_back_the_answer_to_a_number_nobody_knew_yet(job: Purpose) -> None:
    number = "+393129999999"
    hear("HELP", number)
    answer = Message.objects.get(kind="help")
    assert answer.contact_id is None
    assert len(claims.claim(Sender.objects.get(), "mine", 10, timezone.now()).ready) == 1
    confirmation = factories.message(kind="opt_out")
    Message.objects.filter(pk=confirmation.pk).update(contact=None, phone=number, state="claimed", claim="mine")
    hear("hello there", number)
    hear("STOP", number)
    answer.refresh_from_db()
    confirmation.refresh_from_db()
    assert (answer.state, answer.refusal, confirmation.state) == ("blocked", "suppressed", "claimed")


# --- the brake -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["brake", "person"])
def test_what_the_brake_paused_is_resumed_by_who_may_approve(
    by: str, scheduled: Campaign, manager: Any, officer: Any, sign_in: Any
) -> None:
    Campaign.objects.update(state="paused", paused_by=by)
    page = reverse("admin:campaigns_campaign_change", args=[scheduled.pk])
    resume = reverse("admin:campaigns_campaign_resume", args=[scheduled.pk])
    client = sign_in(manager)
    assert (resume in client.get(page).content.decode()) == (by == "person")
    if by == "brake":
        assert client.get(resume).status_code == 403
        assert client.post(resume, {"reason": "Go on"}).status_code == 403
        assert Campaign.objects.get().state == "paused"
        client = sign_in(officer)
        assert resume in client.get(page).content.decode()
    client.post(resume, {"reason": "Go on"})
    assert Campaign.objects.get().state == "sending"
