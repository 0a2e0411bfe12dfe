"""What no list may do: lose a "no", touch a restricted person, bring back what a person ended (P4, P9)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.contacts.models import Suppression
from consent.ledger import transitions
from consent.ledger.models import Consent
from tests import factories
from tests.consent.ledger.importing.conftest import NO_COUNTS, counts, csv_file, only

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "cells", [{"captured_at": ""}, {"captured_at": "31/02/2026"}, {"captured_at": "2031-01-01"}, {"method": "phone"}]
)
def test_a_no_without_date_or_method_counts_from_the_import(load: Any, clock: Any, cells: dict[str, str]) -> None:
    load(csv_file({}))
    batch = load(csv_file({"captured_at": "2026-06-01", "answer": "no", **cells}))
    assert counts(batch) == NO_COUNTS | {"applied": 1}
    consent = Consent.objects.get()
    assert (consent.status, consent.history.count()) == ("withdrawn", 2)
    if "method" in cells:
        assert consent.proof.method == "import"
    else:
        assert consent.effective_at == timezone.now()
        assert "counts from this import" in only(batch)[2]
    assert counts(load(csv_file({"answer": "no", **cells}))) == NO_COUNTS | {"unchanged": 1}


def test_a_restricted_person_is_left_alone(load: Any) -> None:
    person = factories.contact(typed="+39 312 345 6789", restricted_since=timezone.now())
    stands = person.history.count()
    outcome, column, reason = only(load(csv_file({"email": "new@example.org"})))
    assert (outcome, column) == ("rejected", "phone")
    assert "restricted" in reason
    assert not Consent.objects.exists()
    assert person.history.count() == stands


def test_a_return_to_one_purpose_does_not_let_a_list_bring_back_another(load: Any, world: dict[str, Any]) -> None:
    person = factories.contact(typed="+39 312 345 6789")
    one = world["interview-reminders"]
    now = timezone.now()
    with factories.acting():
        transitions.withdraw(person, one, factories.act(one, "no", captured_at=now - timedelta(hours=2)), scope="all")
        transitions.record_answer(person, one, factories.act(one, captured_at=now - timedelta(hours=1)))
    assert not Suppression.objects.filter(lifted_at__isnull=True).exists()
    for when in ("2026-05-01", now.isoformat()):
        outcome, _column, reason = only(load(csv_file({"name": "", "external_id": "", "captured_at": when})))
        assert outcome == "rejected" and "opted out" in reason
    assert [c.purpose for c in Consent.objects.filter(status="given")] == [one]
