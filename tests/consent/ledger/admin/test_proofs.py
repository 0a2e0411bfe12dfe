"""Proofs in the admin: to read, never to change."""

from typing import Any

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_the_page_tells_the_act_and_the_words(officer: Any, sign_in: Any) -> None:
    consent = factories.consent(factories.contact(typed="+39 312 345 6789"), method="paper")
    proof = consent.proof
    text = sign_in(officer).get(reverse("admin:ledger_proof_change", args=[proof.pk])).content.decode()
    for told in ("Signed form", "+39 312 345 6789", "Job fair Milano", "Reply STOP to end", str(proof.uid)):
        assert told in text


@pytest.mark.parametrize("name", ["change", "delete"])
def test_nobody_changes_or_deletes_a_proof(name: str, superuser: Any, sign_in: Any) -> None:
    proof = factories.consent().proof
    page = reverse(f"admin:ledger_proof_{name}", args=[proof.pk])
    assert sign_in(superuser).post(page, {"post": "yes", "answer": "no"}).status_code == 403
    assert sign_in(superuser).get(reverse("admin:ledger_proof_add")).status_code == 403
    proof.refresh_from_db()
    assert proof.answer == "yes"


@pytest.mark.parametrize(("who", "status"), [("auditor", 200), ("recruiter", 403), ("manager", 403)])
def test_who_reads_proofs(who: str, status: int, request: Any, sign_in: Any) -> None:
    client = sign_in(request.getfixturevalue(who))
    assert client.get(reverse("admin:ledger_proof_changelist")).status_code == status


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        factories.consent()
    client = sign_in(officer)
    with django_assert_num_queries(7):
        client.get(reverse("admin:ledger_proof_changelist"))


def test_search_finds_by_number(officer: Any, sign_in: Any) -> None:
    wanted = factories.consent(factories.contact(typed="+39 312 345 6789")).proof
    factories.consent()
    client = sign_in(officer)
    page = client.post(reverse("admin:ledger_proof_changelist"), {"q": "3123456789"}, follow=True)
    assert [p.pk for p in page.context["cl"].result_list] == [wanted.pk]
