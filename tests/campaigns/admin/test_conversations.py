"""Conversations: whose they are, how long they last, what was said, and answering in them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Conversation, InboundMessage, Message
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import history, numbers
from tests import factories

pytestmark = pytest.mark.django_db
LIST = reverse("admin:campaigns_conversation_changelist")


def talk(
    contact: Contact | None = None, *, ago: timedelta = timedelta(minutes=5), text: str = "Day shift?"
) -> Conversation:
    """A conversation whose only text came in a while ago."""
    person = contact or factories.contact()
    sender = factories.Sender.objects.first() or factories.sender()
    at = timezone.now() - ago
    made = Conversation.objects.create(
        contact=person, sender=sender, opened_at=at, last_inbound_at=at, closes_at=at + timedelta(hours=24)
    )
    InboundMessage.objects.create(
        gateway="console",
        gateway_id=f"in-{InboundMessage.objects.count()}",
        raw_from=person.phone.as_e164,
        raw_to=sender.address,
        phone=person.phone.as_e164,
        sender=sender,
        contact=person,
        conversation=made,
        body=text,
        received_at=at,
        state="handled",
        meaning="conversation",
    )
    return made


def own(user: Any) -> Contact:
    with history.acting(history.Actor.of(user), "test"):
        return doors.register(factories.number(), created_by=user, name="Zoë Prova")[0]


def page(conversation: Conversation) -> str:
    return reverse("admin:campaigns_conversation_change", args=[conversation.pk])


def body(response: Any) -> str:
    return response.content.decode()


# --- whose, and until when --------------------------------------------------------------------------------------


def test_a_recruiter_sees_and_answers_only_the_own_people(recruiter: Any, officer: Any, sign_in: Any) -> None:
    mine, other = talk(own(recruiter)), talk()
    client = sign_in(recruiter)
    assert [row.pk for row in client.get(LIST).context["cl"].result_list] == [mine.pk]
    assert client.get(page(mine)).status_code == 200
    for response in (client.get(page(other)), client.post(page(other), {"text": "Hello"})):
        assert response.status_code == 404
    assert not Message.objects.exists()
    seen = sign_in(officer).get(LIST).context["cl"].result_list
    assert {row.pk for row in seen} == {mine.pk, other.pk}


def test_the_list_shows_the_live_ones_the_next_to_close_first(officer: Any, sign_in: Any, clock: Any) -> None:
    fresh, near, closed = (talk(ago=timedelta(hours=hours)) for hours in (1, 23, 24))
    Conversation.objects.filter(pk=fresh.pk).update(answered_at=timezone.now())
    client = sign_in(officer)
    response = client.get(LIST)
    assert [row.pk for row in response.context["cl"].result_list] == [near.pk, fresh.pk]
    shown = body(response)
    assert 'badge--warn">closes in 1 h 0 min' in shown
    assert 'badge--ok">closes in 23 h 0 min' in shown
    assert "To be answered" in shown and "Answered" in shown
    assert [row.pk for row in client.get(f"{LIST}?live=no").context["cl"].result_list] == [closed.pk]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(rows: int, recruiter: Any, sign_in: Any, django_assert_num_queries: Any) -> None:
    for _row in range(rows):
        talk(own(recruiter))
    client = sign_in(recruiter)
    client.get(LIST)
    with django_assert_num_queries(6):
        client.get(LIST)


# --- the thread -------------------------------------------------------------------------------------------------


def test_the_thread_tells_both_sides_in_order(officer: Any, sign_in: Any, clock: Any) -> None:
    conversation = talk(ago=timedelta(hours=2))
    person, at = conversation.contact, timezone.now()
    fields = {"state": "delivered", "sender": conversation.sender}
    factories.message(person, body="12 new jobs.", handed_at=at - timedelta(hours=3), **fields)
    factories.message(
        person, body="Yes, six to two.", kind="reply", written_by=officer, handed_at=at - timedelta(hours=1), **fields
    )
    factories.message(person, body="", state="refused", refusal="held", sender=conversation.sender)
    factories.message(person, body="Never", kind="reply", state="refused", refusal="held", sender=conversation.sender)
    response = sign_in(officer).get(page(conversation))
    told = [(bubble.ours, bubble.text) for bubble in response.context["bubbles"]]
    assert told == [(True, "12 new jobs."), (False, "Day shift?"), (True, "Yes, six to two."), (True, "Never")]
    assert response.context["bubbles"][-1].why
    assert "closes in 22 h 0 min" in body(response)
    assert "<title>Conversation" in body(response)  # not the person's name (P10)


def test_what_was_typed_cannot_become_markup(officer: Any, sign_in: Any) -> None:
    shown = body(sign_in(officer).get(page(talk(text="<img src=x onerror=alert(1)>"))))
    assert "<img src=x" not in shown and "&lt;img src=x" in shown


def test_an_answer_is_written_by_a_person_to_the_person(recruiter: Any, sign_in: Any, clock: Any) -> None:
    conversation = talk(own(recruiter))
    response = sign_in(recruiter).post(page(conversation), {"text": "Yes, from six to two."})
    assert response.status_code == 302
    reply = Message.objects.get(kind="reply")
    assert (reply.contact, reply.sender, reply.written_by) == (conversation.contact, conversation.sender, recruiter)
    assert reply.body == "Yes, from six to two."
    conversation.refresh_from_db()
    assert conversation.answered_at == timezone.now()


def test_a_double_click_sends_one_text(officer: Any, sign_in: Any, clock: Any) -> None:
    conversation = talk()
    client = sign_in(officer)
    for said in ("Yes.", "From six to two."):
        (nonce,) = re.findall(r'name="nonce" value="([^"]+)"', body(client.get(page(conversation))))
        for _click in range(2):
            assert client.post(page(conversation), {"text": said, "nonce": nonce}).status_code == 302
    assert [m.body for m in Message.objects.filter(kind="reply").order_by("pk")] == ["Yes.", "From six to two."]
    assert client.post(page(conversation), {"text": "Hello", "nonce": "x"}).status_code == 422


def test_a_closed_conversation_takes_no_answer_and_keeps_what_was_typed(officer: Any, sign_in: Any, clock: Any) -> None:
    conversation = talk(ago=timedelta(hours=24) - timedelta(seconds=1))
    client = sign_in(officer)
    assert 'name="text"' in body(client.get(page(conversation)))
    clock.shift(1)
    assert 'name="text"' not in body(client.get(page(conversation)))
    refused = client.post(page(conversation), {"text": "Too late"})
    assert refused.status_code == 422
    assert "closed" in body(refused)
    assert not Message.objects.filter(kind="reply").exclude(state="refused").exists()


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001])
def test_an_answer_needs_words_but_not_too_many(officer: Any, sign_in: Any, text: str) -> None:
    conversation = talk()
    assert sign_in(officer).post(page(conversation), {"text": text}).status_code == 422
    assert not Message.objects.exists()


def test_an_auditor_reads_and_answers_nothing(auditor: Any, sign_in: Any) -> None:
    conversation = talk()
    client = sign_in(auditor)
    assert 'name="text"' not in body(client.get(page(conversation)))
    assert client.post(page(conversation), {"text": "Hello"}).status_code == 403
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", ""),
        ("a" * 161, "161 characters, 2 parts"),
        ("Sim, às 6", "9 characters, 1 part"),
        ("ç", "ç makes it longer"),
    ],
)
def test_what_is_typed_is_counted(officer: Any, sign_in: Any, typed: str, told: str) -> None:
    url = reverse("admin:campaigns_conversation_count", args=[talk().pk])
    answer = sign_in(officer).post(url, {"text": typed}).json()["text"]
    assert answer == told if not told.endswith("longer") else told in answer


# --- from the page of the contact ---------------------------------------------------------------------------------


def test_the_contacts_page_leads_to_the_live_conversation_and_tells_what_was_said(
    officer: Any, recruiter: Any, sign_in: Any, clock: Any
) -> None:
    conversation = talk(own(recruiter))
    address = reverse("admin:contacts_contact_change", args=[conversation.contact_id])
    shown = body(sign_in(recruiter).get(address))
    assert page(conversation) in shown and "Day shift?" in shown
    clock.shift(86400)
    assert page(conversation) not in body(sign_in(officer).get(address))


def test_what_others_people_said_stays_hidden_from_a_recruiter(recruiter: Any, sign_in: Any) -> None:
    conversation = talk(text="My name is Zoë")
    factories.message(conversation.contact, body="Dear Zoë", state="delivered", handed_at=timezone.now())
    shown = body(sign_in(recruiter).get(reverse("admin:contacts_contact_change", args=[conversation.contact_id])))
    assert "Text received" in shown and "Text: Opt-in confirmation" in shown
    assert "My name is Zoë" not in shown and "Dear Zoë" not in shown
    assert page(conversation) not in shown
    assert numbers.international(conversation.contact.phone.as_e164) not in shown
