"""The contact pages, through the admin."""

from typing import Any

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_smoke(officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    client = sign_in(officer)
    for name, args in (
        ("changelist", []),
        ("change", [consent.contact_id]),
        ("history", [consent.contact_id]),
        ("change_number", [consent.contact_id]),
        ("add", []),
        ("export", []),
    ):
        response = client.get(reverse(f"admin:contacts_contact_{name}", args=args))
        assert response.status_code == 200, name
