"""A number typed by a recruiter → a decision explained: the whole way, through the doors."""

import pytest
from django.utils import timezone

from consent.contacts import doors
from consent.core import numbers
from consent.ledger import decision, transitions
from consent.ledger.models import Consent
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_typed_number_and_a_yes_lead_to_an_allowed_text_and_a_stop_ends_it(acting: None) -> None:
    purpose = factories.purpose()
    contact, new = doors.register(numbers.parse("312 345 6789", "IT"), name="Zoë Prova")
    context = decision.context_for(purpose, timezone.now())
    assert new
    assert decision.decide(context).get(pk=contact.pk).refusal == "no_consent"

    transitions.record_answer(contact, purpose, factories.act(purpose))
    judged = decision.decide(context).get(pk=contact.pk)
    assert (judged.refusal, judged.proof_id) == ("", Consent.objects.get().proof_id)

    transitions.withdraw(contact, purpose, factories.act(purpose, answer="no", captured_at=timezone.now()), scope="all")
    assert decision.decide(context).get(pk=contact.pk).refusal == "suppressed"
    row = decision.decide(context, every_code=True).values(*decision.asked()).get(pk=contact.pk)
    assert "withdrawn" in [rule.code for rule in decision.applying(row)]


@pytest.mark.parametrize("status", Consent.Status.values)
def test_every_state_can_be_reached_through_the_doors(status: str) -> None:
    assert factories.consent(status=status).status == status
