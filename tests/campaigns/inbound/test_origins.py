"""Who wrote: numbers and our addresses in every form gateways know."""

from typing import Any

import pytest

from campaigns.inbound import origins
from tests import factories
from tests.campaigns.hearing import hear

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("raw", "country", "phone"),
    [
        ("+447700900123", "", "+447700900123"),
        ("447700900123", "IT", "+447700900123"),
        ("00447700900123", "IT", "+447700900123"),
        ("+44 7700 900-123", "", "+447700900123"),
        ("07700900123", "GB", "+447700900123"),
        ("3121234567", "IT", "+393121234567"),
        ("+390612345678", "", "+390612345678"),  # a landline: its STOP holds too
        ("+5215512345678", "", "+525512345678"),  # Mexico's mobile prefix of old
        ("5215512345678", "IT", "+525512345678"),
        ("+525512345678", "", "+525512345678"),
        ("+521551234567", "", "+521551234567"),  # one digit short
        ("+541123456789", "", "+5491123456789"),  # Argentina's mobile numbers without their 9
        ("00542214567890", "IT", "+5492214567890"),
        ("+5491123456789", "", "+5491123456789"),
        ("36123", "IT", ""),
        ("OFFICINA", "IT", ""),
        ("", "", ""),
        ("+", "", ""),
        ("+12345", "", ""),
        ("+39" + "1" * 17, "", ""),
        ("٣٩٣١٢١٢٣٤٥٦٧", "", ""),
        ("12345678901234567890123", "", ""),
    ],
)
def test_numbers_come_in_many_forms(raw: str, country: str, phone: str) -> None:
    assert origins.phone_of(raw, country) == phone


def test_the_sender_is_found_in_every_form_of_its_address(job_alerts: Any) -> None:
    long = factories.sender(job_alerts.brand, address="+393331234567", type="long_number")
    for raw in ("+393331234567", "393331234567", "00393331234567"):
        assert hear("hi", "OTHER", raw).sender == long
    assert hear("hi", "OTHER", "99999").sender is None
