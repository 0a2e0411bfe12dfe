"""Many people who said yes, written at once: for tests that send thousands of texts."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign
from consent.contacts.models import Contact
from consent.ledger.models import Consent, Notice, Proof, Purpose
from tests import factories, many


def people(count: int, purpose: Purpose) -> list[Contact]:
    """Contacts with a given consent to the purpose, which allows as many texts a week as anybody likes."""
    Purpose.objects.filter(pk=purpose.pk).update(max_per_week=10_000)
    notice = Notice.objects.filter(purpose=purpose).first() or factories.notice(purpose)
    many.contacts(count)
    found = list(Contact.objects.order_by("pk"))
    said = timezone.now() - timedelta(days=1)
    same: dict[str, Any] = {"purpose": purpose, "method": "web_form", "answer": "yes", "notice": notice}
    proofs = Proof.objects.bulk_create(
        Proof(contact=c, phone=c.phone, captured_at=said, recorded_by="test", reference="form", **same) for c in found
    )
    Consent.objects.bulk_create(
        Consent(
            contact=proof.contact, purpose=purpose, status="given", phone=proof.phone, proof=proof, effective_at=said,
            expires_at=said + timedelta(days=700),
        )
        for proof in proofs
    )  # fmt: skip
    many.analyze()  # as autovacuum does; without it PostgreSQL joins five thousand consents to each contact
    return found


def scheduled(manager: Any, officer: Any, purpose: Purpose, **fields: Any) -> Campaign:
    """An approved campaign to everybody that is due now."""
    from campaigns import workflow

    row = factories.campaign(
        purpose, author=manager, approver=officer, state="scheduled", scheduled_at=timezone.now(), **fields
    )
    row.approved_content = workflow.content(row)
    row.save()
    return row
