"""Launching: one text for each contact, once, all or nothing."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from campaigns import launch, waking, workflow
from campaigns.models import Campaign, Message
from consent.contacts import doors
from consent.ledger import decision
from tests import factories

pytestmark = [pytest.mark.usefixtures("acting")]


def ready(manager: Any, officer: Any, **fields: Any) -> Campaign:
    row = factories.campaign(
        author=manager, approver=officer, **{"state": "scheduled", "scheduled_at": timezone.now()} | fields
    )
    row.approved_content = workflow.content(row)
    row.save()
    return row


@pytest.mark.django_db
def test_it_freezes_what_the_decision_says(clock: Any, manager: Any, officer: Any, settings: Any) -> None:
    for status in ("given", "renewed", "requested", "withdrawn"):
        factories.consent(status=status)
    factories.contact("Nobody asked")
    stopped = factories.consent().contact
    doors.suppress(stopped.phone.as_e164, reason="stop", since=timezone.now())
    capped = factories.consent(factories.contact(max_per_week=0)).contact
    Message.objects.all().delete()  # the ledger's own texts
    campaign = ready(manager, officer)
    context = decision.context_for(campaign.purpose, timezone.now())
    wanted = {row.pk: row for row in decision.decide(context)}
    woken: list[int] = []
    waking.listen(woken.append)
    assert launch.launch(campaign) == len(wanted) == 7
    waking._listeners.remove(woken.append)
    assert woken == [campaign.sender_id]
    for text in campaign.messages.all():
        row = wanted[text.contact_id]
        waits = row.refusal in ("", "frequency_cap")
        assert (text.state, text.refusal) == (("queued", "") if waits else ("refused", row.refusal))
        assert (text.consent_id, text.proof_id) == (row.consent_id, row.proof_id)
        assert (text.phone, text.language) == (row.phone.as_e164, row.language)
        assert (text.kind, text.purpose_id, text.sender_id) == ("campaign", campaign.purpose_id, campaign.sender_id)
        assert text.created_at == text.not_before == timezone.now()
        assert text.expires_at == timezone.now() + timedelta(days=settings.CAMPAIGN_DAYS)
        assert text.decision["purpose"] == campaign.purpose_id
        assert (text.claim, text.attempts, text.handed_at) == ("", 0, None)
    assert campaign.messages.get(contact=capped).state == "queued"
    campaign.refresh_from_db()
    assert (campaign.state, campaign.launched_at) == ("sending", timezone.now())
    assert campaign.history.first().actor == "job:launch"
    assert launch.launch(campaign) is None
    assert Message.objects.count() == 7


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [{"state": "approved"}, {"state": "cancelled"}, {"state": "paused"}, {"scheduled_at": "later"}],
    ids=lambda fields: "-".join(fields.values()),
)
def test_only_what_is_scheduled_and_due_starts(clock: Any, manager: Any, officer: Any, fields: dict) -> None:
    factories.consent()
    if "scheduled_at" in fields:
        fields = {"scheduled_at": timezone.now() + timedelta(seconds=1)}
    campaign = ready(manager, officer, **fields)
    assert launch.launch(campaign) is None
    assert not campaign.messages.exists()
    assert launch.due(timezone.now()) == []
    clock.shift(timedelta(seconds=1))
    assert launch.due(timezone.now()) == ([campaign.pk] if "scheduled_at" in fields else [])


@pytest.mark.django_db
def test_what_changed_since_the_approval_does_not_start(clock: Any, manager: Any, officer: Any) -> None:
    factories.consent()
    campaign = ready(manager, officer)
    campaign.audience.country = "DE"
    campaign.audience.save()
    assert launch.launch(campaign) is None
    campaign.refresh_from_db()
    assert campaign.state == "draft"
    assert not campaign.messages.exists()


@pytest.mark.django_db(transaction=True)
def test_a_launch_that_dies_at_its_last_write_has_not_happened(
    manager: Any, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.consent()
    campaign = ready(manager, officer)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(waking, "wake", lambda senders: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            launch.launch(campaign)
    assert not campaign.messages.exists()
    assert Campaign.objects.get().state == "scheduled"
    assert launch.due(timezone.now()) == [campaign.pk]
    monkeypatch.setattr(waking, "_listeners", [])
    assert launch.launch(campaign) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_launched_twice_at_the_same_moment_it_starts_once(
    manager: Any, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "_listeners", [])
    for _n in range(3):
        factories.consent()
    campaign = ready(manager, officer)
    together = threading.Barrier(4)
    written: list[int | None] = []

    def start() -> None:
        together.wait(10)
        try:
            written.append(launch.launch(campaign))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(written, key=str) == [3, None, None, None]
    assert campaign.messages.count() == 3
