"""A campaign to look at, written by the manager; approved by the officer."""

from typing import Any

import pytest

from campaigns import workflow
from campaigns.models import Campaign
from tests import factories


@pytest.fixture
def draft(manager: Any) -> Campaign:
    return factories.campaign(author=manager, text="Officina: new jobs this week, {first_name}.")


@pytest.fixture
def approved(draft: Campaign, manager: Any, officer: Any) -> Campaign:
    workflow.submit(draft, manager)
    return workflow.approve(draft, officer)
