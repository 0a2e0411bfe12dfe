"""Conversations: a person wrote first, so staff may answer in that thread for a while (RULES C10)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import outbox
from campaigns.models import Conversation, InboundMessage, Message
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core.errors import DomainError

LONGEST = 1000  # characters


def closing(opened_at: datetime, last_inbound_at: datetime) -> datetime:
    """When a conversation closes: a while after the last text of the person, never long after the first one."""
    return min(
        last_inbound_at + timedelta(hours=settings.CONVERSATION_HOURS),
        opened_at + timedelta(days=settings.CONVERSATION_DAYS),
    )


def note(inbound: InboundMessage) -> Conversation:
    """Open a conversation, or extend the one that is open; the caller has the contact locked and saves ``inbound``.

    Args:
        inbound: with contact and sender; its ``conversation`` is set.
    """
    assert inbound.contact is not None and inbound.sender is not None  # noqa: S101 - for the type checker
    at = inbound.received_at
    live = Conversation.objects.filter(
        contact=inbound.contact, sender=inbound.sender, opened_at__lte=at, closes_at__gt=at
    )
    found = live.order_by("-closes_at").first()
    if found is None:
        found = Conversation.objects.create(
            contact=inbound.contact,
            sender=inbound.sender,
            opened_at=at,
            last_inbound_at=at,
            closes_at=closing(at, at),
        )
    elif at > found.last_inbound_at:
        found.last_inbound_at = at
        found.closes_at = closing(found.opened_at, at)
        found.save(update_fields=["last_inbound_at", "closes_at"])
    inbound.conversation = found
    return found


def is_open(conversation: Conversation, at: datetime) -> bool:
    """Whether staff may still answer at ``at``; at the very moment it closes it is closed."""
    return at < conversation.closes_at


@transaction.atomic
def reply(conversation: Conversation, text: str, user: Any, nonce: UUID | None = None) -> Message:
    """Answer in a conversation; the gate decides once more when the text goes.

    Args:
        conversation: an open one.
        text: the answer, at most ``LONGEST`` characters.
        user: who writes.
        nonce: of the form it was written in, which sends one text however often it comes.

    Returns:
        The message; the one already there when its form came before.

    Raises:
        DomainError: the conversation is closed, the text is empty or too long, or the person may not be texted.
    """
    contact = Contact.objects.select_for_update().get(pk=conversation.contact_id)
    row = Conversation.objects.select_for_update(of=("self",)).select_related("sender__brand").get(pk=conversation.pk)
    now = timezone.now()
    body = text.strip()
    if not body:
        raise DomainError(_("The reply is empty. Write something."))
    if len(body) > LONGEST:
        raise DomainError(_("The reply is too long. Write at most %(most)s characters.") % {"most": LONGEST})
    if not is_open(row, now):
        raise DomainError(
            _("This conversation is closed: the person has to write again before you can answer."), rule="C10"
        )
    if refusal := _may_not(contact, row):
        raise DomainError(refusal, rule="O8")
    once = f"reply:{nonce}" if nonce else None
    message = outbox.queue(
        Message.Kind.REPLY,
        sender=row.sender,
        contact=contact,
        phone=str(contact.phone.as_e164),
        language=contact.language,
        once=once,
        body=body,
        inbound=row.inbound.order_by("-received_at", "-pk").first(),
        written_by=user,
        expires_at=row.closes_at,
    )
    if message is None:  # a double click
        return Message.objects.get(once=once)
    row.answered_at = now
    row.save(update_fields=["answered_at"])
    conversation.answered_at = now
    return message


def _may_not(contact: Contact, conversation: Conversation) -> str:
    if contact.restricted_since is not None:
        return _("Processing is restricted for this person: no text may be sent.")
    if contact.held_since is not None:
        return _("A reply of this person may mean stop. Decide about it first.")
    for stop in doors.suppressions(str(contact.phone.as_e164)):
        if stop.purpose_id is None and stop.brand_id in (None, conversation.sender.brand_id):
            return _("This person opted out: no text may be sent.")
    return ""
