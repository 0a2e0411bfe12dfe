"""A gateway that remembers, and a campaign to five people who said yes."""

from typing import Any

import pytest
from django.utils import timezone

from campaigns import gateways, launch, workflow
from campaigns.models import Campaign
from consent.contacts.models import Contact
from tests import factories
from tests.campaigns.stub_gateway import Memory


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Memory:
    stub = Memory()
    monkeypatch.setattr(gateways, "get", lambda name: stub)
    return stub


@pytest.fixture
def people(clock: Any) -> list[Contact]:
    return [factories.consent().contact for _n in range(5)]


@pytest.fixture
def campaign(people: list[Contact], manager: Any, officer: Any) -> Campaign:
    row = factories.campaign(author=manager, approver=officer, state="scheduled", scheduled_at=timezone.now())
    row.approved_content = workflow.content(row)
    row.save()
    return row


@pytest.fixture
def sending(campaign: Campaign) -> Campaign:
    assert launch.launch(campaign) == 5
    campaign.refresh_from_db()
    return campaign
