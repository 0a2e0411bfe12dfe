"""Lanes, pace, what the sweep finds, and the brake."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import dispatch, lanes, launch, queue, sweeping
from campaigns.gateways.base import Accepted, Outgoing
from campaigns.models import Campaign, InboundMessage, Lane, Message
from consent.contacts.models import Contact
from consent.ledger.models import Consent
from tests import factories
from tests.campaigns.stub_gateway import Memory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting")]
S = Message.State


def states(**which: Any) -> list[str]:
    return list(Message.objects.filter(**which).order_by("pk").values_list("state", flat=True))


# --- lanes and pace --------------------------------------------------------------------------------------------------


def test_as_many_workers_as_lanes(gateway: Memory, sending: Campaign) -> None:
    held = [lanes.take(sending.sender_id) for _n in range(3)]
    assert [h is not None for h in held] == [True, True, False]
    dispatch.work(sending.sender_id)
    assert gateway.texts == []
    assert held[0] is not None
    held[0].free()
    dispatch.work(sending.sender_id)
    assert len(gateway.texts) == 5


def test_two_workers_together_keep_the_rate(clock: Any) -> None:
    sender = factories.sender(rate_per_second=10)
    one, two = lanes.reserve(sender, 10), lanes.reserve(sender, 10)
    moments = sorted(one + two)
    gaps = {round((b - a).total_seconds(), 6) for a, b in itertools.pairwise(moments)}
    assert gaps == {0.1}
    clock.shift(timedelta(seconds=30))
    assert lanes.reserve(sender, 1) == [timezone.now()]  # what was not used is not made up for


def test_a_worker_that_was_held_up_does_not_make_up_for_it(gateway: Memory, people: list[Contact], clock: Any) -> None:
    sender = factories.sender(rate_per_second=20)
    for person in people:
        factories.message(person, sender=sender)
    went = []

    def answer(text: Outgoing) -> Accepted:
        went.append(timezone.now())
        clock.shift(timedelta(seconds=1 if len(went) == 2 else 0))
        return Accepted()

    gateway.answer = answer
    pauses: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch.time, "sleep", lambda s: (pauses.append(s), clock.shift(timedelta(seconds=s))))
        dispatch.work(sender.pk)
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(went)]
    assert len(gaps) == 4
    assert min(gaps) >= 0.049


def test_a_lane_somebody_took_over_ends_the_work(gateway: Memory, sending: Campaign, clock: Any) -> None:
    def answer(text: Outgoing) -> Accepted:
        Lane.objects.filter(number=0).update(token="somebody else")
        clock.shift(timedelta(seconds=11))
        return Accepted()

    gateway.answer = answer
    dispatch.work(sending.sender_id)
    assert len(gateway.texts) == 1
    assert Lane.objects.get(number=0).token == "somebody else"


# --- the sweep -------------------------------------------------------------------------------------------------------


def test_the_sweep_settles_what_a_dead_worker_left(gateway: Memory, sending: Campaign, clock: Any) -> None:
    class Killed(BaseException):
        """Nothing after it runs."""

    def answer(text: Outgoing) -> Accepted:
        if len(gateway.texts) == 3:
            raise Killed
        return Accepted()

    gateway.answer = answer
    with pytest.MonkeyPatch.context() as patch:
        for name in ("close", "_beat"):
            patch.setattr(dispatch.Worker, name, lambda self: None)
        patch.setattr(queue, "give_back", lambda token: 0)
        with pytest.raises(Killed):
            dispatch.work(sending.sender_id)
    assert sorted(states()) == ["claimed", "claimed", "handed", "sent", "sent"]
    gateway.answer = None
    sweeping.settle_dead(timezone.now())
    assert sorted(states())[:2] == ["claimed", "claimed"]  # its lane lives
    clock.shift(timedelta(seconds=31))
    sweeping.settle_dead(timezone.now())
    assert sorted(states()) == ["handed", "queued", "queued", "sent", "sent"]
    assert Consent.objects.filter(last_used_at__isnull=False).count() == 3
    clock.shift(timedelta(seconds=90))
    sweeping.sweep(start=lambda pk: None, wake=dispatch.work)
    assert sorted(states()) == ["sent"] * 4 + ["unknown"]
    assert len(gateway.texts) == 5
    sending.refresh_from_db()
    assert sending.state == "completed"


def test_the_sweep_starts_what_is_due_and_wakes_a_worker_for_each_lane(campaign: Campaign, clock: Any) -> None:
    started: list[int] = []
    woken: list[int] = []
    campaign.scheduled_at = timezone.now() + timedelta(seconds=1)
    campaign.save()
    sweeping.sweep(start=started.append, wake=woken.append)
    assert (started, woken) == ([], [])
    clock.shift(timedelta(seconds=1))
    sweeping.sweep(start=started.append, wake=woken.append)
    assert (started, woken) == ([campaign.pk], [])
    launch.launch(campaign)
    sweeping.sweep(start=started.append, wake=woken.append)
    assert woken == [campaign.sender_id] * 2
    assert started == [campaign.pk]


def test_a_step_that_fails_leaves_the_others(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(sweeping, "settle_dead", lambda at: 1 / 0)
    monkeypatch.setattr(queue, "late", lambda at: started.append(-1))
    sweeping.sweep(start=started.append, wake=lambda pk: None)
    assert started == [campaign.pk, -1]


# --- the brake -------------------------------------------------------------------------------------------------------


def test_the_brake_pauses_above_the_brands_percentage_and_writes_to_officers(
    gateway: Memory,
    sending: Campaign,
    officer: Any,
    settings: Any,
    mailoutbox: list,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from campaigns import brake

    settings.BRAKE_AFTER = 4
    officer.email = "officer@example.org"
    officer.save()
    sending.purpose.brand.stop_brake_percent = 20
    sending.purpose.brand.save()
    Message.objects.update(handed_at=timezone.now())

    def opt_out(n: int) -> None:
        InboundMessage.objects.create(
            gateway="console", gateway_id=f"i{n}", campaign=sending, meaning="opt_out", received_at=timezone.now(),
            phone=f"+3931200000{n}",
        )  # fmt: skip

    opt_out(1)
    assert not brake.check(sending)  # one of five is 20 %, not more
    opt_out(2)
    settings.BRAKE_AFTER = 6
    assert not brake.check(sending)
    settings.BRAKE_AFTER = 5
    with django_capture_on_commit_callbacks(execute=True):
        assert brake.check(sending)
    sending.refresh_from_db()
    assert (sending.state, sending.paused_by) == ("paused", "brake")
    assert [mail.to for mail in mailoutbox] == [["officer@example.org"]]
    assert "2 of 5 people" in mailoutbox[0].body
    assert "+39" not in mailoutbox[0].body
    assert not brake.check(sending)
