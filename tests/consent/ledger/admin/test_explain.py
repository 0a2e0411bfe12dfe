"""The page that says why."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from consent.contacts import doors
from consent.ledger.models import Consent
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "admin:explain"


def test_a_typed_number_is_explained_without_standing_in_the_address(officer: Any, sign_in: Any) -> None:
    consent = factories.consent(factories.contact(typed="+39 312 345 6789"), status="withdrawn")
    client = sign_in(officer)
    data = {"number": "+39 312 345 6789", "purpose": consent.purpose_id, "at": ""}
    response = client.post(reverse(PAGE), data)
    assert response.status_code == 200
    text = response.content.decode()
    for told in ("May not be texted", "suppressed", "The person withdrew the consent.", "RULES C6", str(consent.uid)):
        assert told in text
    assert "?" not in response.request["QUERY_STRING"]


def test_ids_link_to_an_explanation(auditor: Any, sign_in: Any) -> None:
    consent = factories.consent()
    query = f"?contact={consent.contact_id}&purpose={consent.purpose_id}"
    text = sign_in(auditor).get(reverse(PAGE) + query).content.decode()
    assert "May be texted" in text
    assert "May not be texted" not in text
    assert reverse("admin:ledger_consent_change", args=[consent.pk]) in text


def test_a_moment_can_be_asked_about(officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    data = {"number": consent.contact.number, "purpose": consent.purpose_id, "at": "2040-01-01T10:00"}
    assert "expired" in sign_in(officer).post(reverse(PAGE), data).content.decode()


def test_an_unknown_number_says_so_with_its_suppression(officer: Any, sign_in: Any, acting: None) -> None:
    purpose = factories.purpose()
    doors.suppress("+393123456789", reason="stop", since=timezone.now())
    data = {"number": "+393123456789", "purpose": purpose.pk}
    text = sign_in(officer).post(reverse(PAGE), data).content.decode()
    assert "belongs to no contact" in text
    assert "The person opted out." in text
    assert "The person never said yes to this purpose." in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"number": "06 1234 5678"}, "is a landline"),
        ({"number": ""}, "required"),
        ({"at": "soon"}, "is not a date and time"),
        ({"purpose": "99"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_explained_says_why(fields: dict[str, str], sentence: str, officer: Any, sign_in: Any) -> None:
    purpose = factories.purpose()
    data = {"number": "+39 312 345 6789", "purpose": str(purpose.pk), "at": ""} | fields
    assert sentence in sign_in(officer).post(reverse(PAGE), data).content.decode()


@pytest.mark.parametrize("query", ["?contact=99&purpose=99", "?contact=x", "?contact=999999999999999999999"])
def test_what_does_not_exist_is_not_found(query: str, officer: Any, sign_in: Any) -> None:
    assert sign_in(officer).get(reverse(PAGE) + query).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"), [("officer", 200), ("auditor", 200), ("recruiter", 403), ("manager", 403), ("stranger", 302)]
)
def test_who_may_ask(who: str, status: int, request: Any, sign_in: Any) -> None:
    assert sign_in(request.getfixturevalue(who)).get(reverse(PAGE)).status_code == status


def test_asking_changes_nothing(officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    sign_in(officer).post(reverse(PAGE), {"number": consent.contact.number, "purpose": consent.purpose_id})
    assert Consent.objects.get().history.count() == 1
