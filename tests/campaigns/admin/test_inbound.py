"""The pages of inbound texts: the queue by deadline, one text with everything about it, and the decision."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.admin import inbound as pages
from campaigns.models import InboundMessage
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import numbers
from consent.ledger.models import Consent
from tests import factories

pytestmark = pytest.mark.django_db
LIST = reverse("admin:campaigns_inboundmessage_changelist")
DECISIONS = sorted(pages.DECISIONS)


def came_in(contact: Contact | None = None, **fields: Any) -> InboundMessage:
    """A doubtful reply as the rules leave it: waiting for a decision, sending held."""
    sender = factories.Sender.objects.first() or factories.sender()
    now = timezone.now()
    phone = contact.phone.as_e164 if contact else factories.number().e164
    row = InboundMessage.objects.create(
        contact=contact,
        **{
            "gateway": "console",
            "gateway_id": f"in-{InboundMessage.objects.count()}",
            "raw_from": phone,
            "raw_to": sender.address,
            "phone": phone,
            "sender": sender,
            "body": "Please don't text me again",
            "received_at": now,
            "state": "review",
            "meaning": "review",
            "rule": "3 phrase (en)",
            "review_by": now + timedelta(days=1),
        }
        | fields,
    )
    if contact and row.state == "review":
        with factories.acting():
            doors.hold(contact, now)
    return row


def page(row: InboundMessage, name: str = "change") -> str:
    return reverse(f"admin:campaigns_inboundmessage_{name}", args=[row.pk])


def body(response: Any) -> str:
    return response.content.decode()


# --- the queue ------------------------------------------------------------------------------------------------------


def test_the_queue_shows_what_waits_the_oldest_deadline_first_and_overdue_loud(
    officer: Any, sign_in: Any, clock: Any
) -> None:
    now = timezone.now()
    later = came_in(factories.contact("Later"), review_by=now + timedelta(days=2))
    overdue = came_in(factories.contact("Overdue"), review_by=now - timedelta(hours=3, minutes=5))
    soon = came_in(None, review_by=now + timedelta(hours=1))
    came_in(factories.contact("Zeno Prova"), state="handled", meaning="help", rule="4 help word")
    client = sign_in(officer)
    response = client.get(LIST)
    assert [row.pk for row in response.context["cl"].result_list] == [overdue.pk, soon.pk, later.pk]
    shown = body(response)
    assert 'badge--stop">overdue by 3 h 5 min' in shown
    assert 'badge--warn">due in 1 h 0 min' in shown
    assert 'badge--muted">due in 2 d 0 h' in shown
    assert "Zeno" not in shown and "not on record" in shown
    everything = client.get(f"{LIST}?state=all").context["cl"].result_list
    assert len(everything) == 4
    assert len(client.get(f"{LIST}?state=handled").context["cl"].result_list) == 1


def test_a_deadline_is_overdue_at_its_very_moment(officer: Any, sign_in: Any, clock: Any) -> None:
    came_in(review_by=timezone.now())
    client = sign_in(officer)
    assert "overdue by" in body(client.get(LIST))
    clock.shift(-60)
    assert 'badge--warn">due in 1 min' in body(client.get(LIST))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any) -> None:
    for _row in range(rows):
        came_in(factories.contact())
    client = sign_in(officer)
    client.get(LIST)
    with django_assert_num_queries(8):
        client.get(LIST)


def test_a_text_is_found_by_its_number_also_without_a_contact(officer: Any, sign_in: Any) -> None:
    known, unknown = came_in(factories.contact("Zoë Prova")), came_in()
    client = sign_in(officer)

    def found(typed: str) -> set[int]:
        response = client.post(LIST, {"q": typed}, follow=True)
        assert typed not in response.redirect_chain[-1][0]
        return {row.pk for row in response.context["cl"].result_list}

    assert found("zoe") == {known.pk}
    assert found(numbers.international(unknown.phone)) == {unknown.pk}


def test_numbers_are_masked_for_whom_may_not_see_them(django_user_model: Any, sign_in: Any) -> None:
    from django.contrib.auth.models import Permission

    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_inboundmessage"))
    row = came_in(factories.contact())
    client = sign_in(reader)
    for address in (LIST, page(row)):
        shown = body(client.get(address))
        assert numbers.masked(row.phone) in shown
        assert numbers.international(row.phone) not in shown
        assert row.phone not in shown


# --- one text ---------------------------------------------------------------------------------------------------


def test_the_page_says_why_it_is_held_who_it_is_and_what_can_be_decided(officer: Any, sign_in: Any) -> None:
    consent = factories.consent(factories.contact("Zoë Prova"))
    row, before = (
        came_in(consent.contact),
        came_in(consent.contact, body="Thanks!", state="handled", meaning="conversation"),
    )
    shown = body(sign_in(officer).get(page(row)))
    assert "Please don&#x27;t text me again" in shown
    assert "Nothing is sent to this number until somebody decides." in shown
    assert pages.why("3 phrase (en)") in shown
    assert "Zoë Prova" in shown and consent.purpose.name in shown
    assert page(before) in shown
    for decision in DECISIONS:
        assert page(row, decision) in shown
    assert "<title>Inbound text" in shown  # not the person's name (P10)


def test_a_text_of_a_stranger_has_its_page_too(officer: Any, sign_in: Any) -> None:
    assert "belongs to no contact" in body(sign_in(officer).get(page(came_in())))


def test_what_was_typed_cannot_become_markup(officer: Any, sign_in: Any) -> None:
    row = came_in(body="<script>alert(1)</script>")
    client = sign_in(officer)
    for address in (LIST, page(row), page(row, "stop")):
        shown = body(client.get(address))
        assert "<script>alert" not in shown and "&lt;script&gt;alert" in shown


def test_an_auditor_reads_and_decides_nothing(auditor: Any, sign_in: Any) -> None:
    row = came_in(factories.contact())
    client = sign_in(auditor)
    shown = client.get(page(row))
    assert shown.status_code == 200
    assert page(row, "stop") not in body(shown)
    for decision in DECISIONS:
        assert client.post(page(row, decision), {"note": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.state == "review"


# --- the decision ---------------------------------------------------------------------------------------------------


def decide(client: Any, row: InboundMessage, decision: str, note: str = "Said so on the phone") -> Any:
    assert client.get(page(row, decision)).status_code == 200
    row.refresh_from_db()
    assert row.state == "review"  # looking decides nothing
    return client.post(page(row, decision), {"note": note})


def test_it_means_stop(officer: Any, sign_in: Any, clock: Any) -> None:
    consent = factories.consent()
    row = came_in(consent.contact)
    clock.shift(3600)
    assert decide(sign_in(officer), row, "stop").status_code == 302
    consent.refresh_from_db()
    row.refresh_from_db()
    assert (consent.status, consent.effective_at) == ("withdrawn", row.received_at)
    assert (row.state, row.handled_by) == ("resolved", officer)
    assert doors.suppressions(row.phone).exists()
    assert Contact.objects.get(pk=consent.contact_id).held_since is None


def test_it_is_not_a_stop(officer: Any, sign_in: Any, clock: Any) -> None:
    consent = factories.consent()
    row = came_in(consent.contact)
    decide(sign_in(officer), row, "not_stop")
    consent.refresh_from_db()
    assert consent.status == "given"
    assert Contact.objects.get(pk=consent.contact_id).held_since is None
    assert not doors.suppressions(row.phone).exists()


def test_the_number_belongs_to_somebody_else(officer: Any, sign_in: Any, clock: Any) -> None:
    consent = factories.consent()
    decide(sign_in(officer), came_in(consent.contact), "wrong_number")
    assert Consent.objects.get(pk=consent.pk).status == "revoked"


def test_a_decision_needs_a_reason_and_is_taken_once(officer: Any, sign_in: Any) -> None:
    row = came_in(factories.contact())
    client = sign_in(officer)
    assert decide(client, row, "not_stop", note="").status_code == 200
    row.refresh_from_db()
    assert row.state == "review"
    assert decide(client, row, "not_stop").status_code == 302
    again = client.post(page(row, "stop"), {"note": "Changed my mind"}, follow=True)
    assert "does not wait for a decision any more" in body(again)
    assert not doors.suppressions(row.phone).exists()
