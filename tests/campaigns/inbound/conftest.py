"""A brand with a sender, and a person who said yes."""

from typing import Any

import pytest

from consent.contacts.models import Contact
from tests import factories


@pytest.fixture
def job_alerts(clock: Any) -> Any:
    purpose = factories.purpose("job-alerts")
    factories.sender(purpose.brand)
    factories.notice(purpose)
    return purpose


@pytest.fixture
def person(job_alerts: Any) -> Contact:
    return factories.consent(to=job_alerts).contact
