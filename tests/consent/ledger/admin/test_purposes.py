"""Brands and purposes in the admin."""

from typing import Any

import pytest
from django.urls import reverse

from consent.ledger.models import Brand, Purpose
from tests import factories

pytestmark = pytest.mark.django_db


def fields(purpose: Purpose, **changes: Any) -> dict[str, Any]:
    names = (
        "name", "kind", "legal_basis", "position", "validity_months", "max_per_week", "first_message_within_days",
        "reminder_every_days", "proof_retention_months", "accepted_methods",
    )  # fmt: skip
    return {name: getattr(purpose, name) for name in names} | {"active": "on"} | changes


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:ledger_{row._meta.model_name}_{name}", args=[row.pk])


def test_accepted_proof_is_a_row_of_checkboxes(officer: Any, sign_in: Any) -> None:
    purpose, client = factories.purpose(), sign_in(officer)
    assert client.get(page(purpose)).content.decode().count('type="checkbox" name="accepted_methods"') == 8
    answer = client.post(page(purpose), fields(purpose, accepted_methods=["paper", "verbal"], _reason="fairs only"))
    assert answer.status_code == 302
    purpose.refresh_from_db()
    assert purpose.accepted_methods == ["paper", "verbal"]
    history = client.get(page(purpose, "history")).content.decode()
    assert "fairs only" in history
    assert "Signed form, Spoken, in person or by phone" in history


def test_brand_and_short_name_stay_and_so_does_the_kind_once_somebody_answered(officer: Any, sign_in: Any) -> None:
    purpose, client = factories.purpose(), sign_in(officer)
    other = factories.brand("altra")
    moved = {"brand": other.pk, "slug": "moved", "kind": "informational"}
    client.post(page(purpose), fields(purpose, **moved))
    purpose.refresh_from_db()
    assert (purpose.path, purpose.kind) == ("officina/job-alerts", "informational")
    factories.consent(to=purpose)
    client.post(page(purpose), fields(purpose, kind="marketing"))
    purpose.refresh_from_db()
    assert purpose.kind == "informational"


def test_rules_are_explained_on_the_form(officer: Any, sign_in: Any) -> None:
    purpose = factories.purpose()
    answer = sign_in(officer).post(page(purpose), fields(purpose, kind="marketing", legal_basis="interest"))
    assert "Marketing texts need consent" in answer.content.decode()
    brand = purpose.brand
    data = {f: getattr(brand, f) for f in ("name", "controller", "controller_address", "contact", "seat_country")}
    data |= {"stop_scope": "all", "opt_in_rate_low": "12", "opt_in_rate_high": "10", "zone": "Rome"}
    text = sign_in(officer).post(page(brand), data).content.decode()
    assert "not a time zone" in text
    assert "below the lower end" not in text or "zone" in text


@pytest.mark.parametrize("who", ["officer", "superuser"])
def test_nobody_deletes_them(who: str, request: Any, sign_in: Any) -> None:
    purpose = factories.purpose()
    client = sign_in(request.getfixturevalue(who))
    for row in (purpose, purpose.brand):
        assert client.post(page(row, "delete"), {"post": "yes"}).status_code == 403
    assert Purpose.objects.exists() and Brand.objects.exists()


@pytest.mark.parametrize("who", ["manager", "auditor"])
def test_managers_and_auditors_read(who: str, request: Any, sign_in: Any) -> None:
    purpose = factories.purpose()
    client = sign_in(request.getfixturevalue(who))
    assert client.get(page(purpose)).status_code == 200
    assert client.post(page(purpose), fields(purpose, name="Other")).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any) -> None:
    for n in range(rows):
        factories.purpose(f"p{n}")
    client = sign_in(officer)
    with django_assert_num_queries(7):
        client.get(reverse("admin:ledger_purpose_changelist"))
