"""Conversations: open for a day after the person's last text, for a week in all; answered by staff only."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import conversations
from campaigns.models import Conversation, Message
from consent.contacts.models import Contact
from consent.core.errors import DomainError
from tests import factories
from tests.campaigns.hearing import hear

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def person(clock: Any) -> Contact:
    purpose = factories.purpose()
    factories.sender(purpose.brand)
    return factories.consent(to=purpose).contact


def test_a_text_opens_a_conversation_and_the_next_one_extends_it(person: Contact, clock: Any) -> None:
    first = hear("Is the job still open?", person)
    opened = Conversation.objects.get()
    assert (first.conversation, opened.closes_at) == (opened, first.received_at + 24 * HOUR)
    clock.shift(24 * HOUR - SECOND)
    second = hear("Hello?", person)
    opened.refresh_from_db()
    assert (second.conversation, opened.closes_at) == (opened, second.received_at + 24 * HOUR)
    clock.shift(24 * HOUR)
    third = hear("Hello??", person)
    assert third.conversation != opened  # the first one closed at this very moment


def test_a_conversation_lasts_a_week_at_most(person: Contact, clock: Any) -> None:
    opened = hear("hello", person).received_at
    for _ in range(7):
        clock.shift(23 * HOUR)
        hear("still here", person)
    conversation = Conversation.objects.get()
    assert conversation.closes_at == opened + timedelta(days=7)
    clock.move_to(opened + timedelta(days=7))
    assert hear("and now", person).conversation != conversation


def test_an_unknown_person_can_be_answered(clock: Any, officer: Any) -> None:
    factories.sender()
    row = hear("Do you have jobs in Turin?", factories.number("IT").e164)
    assert (row.contact.source, row.conversation.contact) == ("text message", row.contact)
    assert conversations.reply(row.conversation, "Yes, two.", officer).contact == row.contact


def test_a_text_of_a_name_or_to_nobody_opens_none(person: Contact) -> None:
    assert hear("hello", "OFFICINA").conversation is None
    assert hear("hello", person, to="99999").conversation is None


def test_a_reply_waits_to_be_sent_until_the_conversation_closes(person: Contact, recruiter: Any) -> None:
    row = hear("Is the job still open?", person)
    message = conversations.reply(row.conversation, "  Yes, it is.  ", recruiter)
    assert (message.kind, message.state, message.body) == ("reply", "queued", "Yes, it is.")
    assert (message.written_by, message.inbound, message.phone) == (recruiter, row, person.phone.as_e164)
    conversation = Conversation.objects.get()
    assert (message.expires_at, conversation.answered_at) == (conversation.closes_at, timezone.now())


@pytest.mark.parametrize(("after", "open_still"), [(24 * HOUR - SECOND, True), (24 * HOUR, False)])
def test_a_closed_conversation_takes_no_reply(
    person: Contact, recruiter: Any, clock: Any, after: timedelta, open_still: bool
) -> None:
    conversation = hear("hello", person).conversation
    clock.shift(after)
    if open_still:
        conversations.reply(conversation, "hello", recruiter)
    else:
        with pytest.raises(DomainError, match="closed"):
            conversations.reply(conversation, "hello", recruiter)
    assert Message.objects.filter(kind="reply").exists() is open_still


@pytest.mark.parametrize(
    ("text", "taken"), [("", False), (" \n", False), ("x", True), ("x" * 1000, True), ("x" * 1001, False)]
)
def test_a_reply_has_a_length(person: Contact, recruiter: Any, text: str, taken: bool) -> None:
    conversation = hear("hello", person).conversation
    try:
        conversations.reply(conversation, text, recruiter)
    except DomainError:
        assert not taken
    assert Message.objects.filter(kind="reply").exists() is taken


@pytest.mark.parametrize("why", ["stop", "doubt", "restricted"])
def test_nobody_is_answered_who_may_not_be_texted(person: Contact, recruiter: Any, why: str) -> None:
    conversation = hear("hello", person).conversation
    if why == "restricted":
        with factories.acting():
            person.restricted_since = timezone.now()
            person.save()
    else:
        hear({"stop": "STOP", "doubt": "please leave me alone"}[why], person)
    with pytest.raises(DomainError):
        conversations.reply(conversation, "hello", recruiter)
    assert not Message.objects.filter(kind="reply").exists()
    # A stop closes the thread; who writes again opens a new one, in which nobody may answer either.
    assert (hear("hello?", person).conversation == conversation) is (why != "stop")


def test_a_stop_takes_a_waiting_reply_back(person: Contact, recruiter: Any) -> None:
    message = conversations.reply(hear("hello", person).conversation, "hello", recruiter)
    hear("STOP", person)
    message.refresh_from_db()
    assert message.state == "blocked"
