"""Replies that may mean stop: sending is held at once, a person decides within one business day (RULES O4)."""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import conversations, openings, queue
from campaigns.inbound import stopping
from campaigns.models import InboundMessage
from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import history
from consent.core.errors import DomainError
from consent.ledger import transitions
from consent.ledger.models import Brand, Consent
from consent.ledger.moves import MOVES

State = InboundMessage.State
DECISIONS = {
    "stop": gettext_lazy("It means stop"),
    "not_stop": gettext_lazy("It is not a stop"),
    "wrong_number": gettext_lazy("The number belongs to somebody else"),
}


def ask(row: InboundMessage, contact: Contact | None) -> None:
    """Hold all sending to a person and put the text before a person; the caller saves the row.

    Args:
        row: the doubtful text.
        contact: who, locked; None when no text can go to the number anyway.
    """
    row.contact = contact
    row.state, row.handled_at = State.REVIEW, None
    row.review_by = next_business_day(row.received_at, row.sender.brand if row.sender else None)
    if contact is not None:
        doors.hold(contact, row.received_at)
        queue.block(contact)


def next_business_day(at: datetime, brand: Brand | None) -> datetime:
    """The end of the next business day after ``at`` where the brand has its seat."""
    brand = brand or Brand.objects.order_by("pk").first()
    zone = ZoneInfo(brand.zone) if brand else timezone.get_default_timezone()
    day = at.astimezone(zone).date() + timedelta(days=1)
    while day.weekday() >= 5 or (brand and day in openings.public_holidays(brand.seat_country, "", day.year)):
        day += timedelta(days=1)
    return datetime.combine(day, time(23, 59, 59), zone)


def give_up(row: InboundMessage) -> None:
    """Put a text before a person that could not be understood; its person is held already."""
    row.meaning, row.rule, row.state = InboundMessage.Meaning.REVIEW, "could not be processed", State.REVIEW
    row.contact = Contact.objects.filter(phone=row.phone).first() if row.phone else None
    row.review_by = next_business_day(timezone.now(), row.sender.brand if row.sender else None)
    row.save()


def release_unless_open(row: InboundMessage) -> None:
    """End the hold on the person of a text, unless another one of theirs is still to be looked at."""
    if row.contact is None:
        return
    waiting = InboundMessage.objects.filter(phone=row.phone, state__in=[State.NEW, State.REVIEW])
    if not waiting.exists():
        doors.release(row.contact)


def resolve(message: InboundMessage, decision: str, user: Any, note: str = "") -> InboundMessage:
    """Decide what a doubtful reply means.

    Args:
        message: in review.
        decision: a key of ``DECISIONS``: ``stop`` withdraws as of the moment of the text (as of now where it is a STOP
            that came before a yes), ``wrong_number`` revokes what the number consented to (RULES C15), ``not_stop``
            lets sending go on and opens a conversation.
        user: who decides.
        note: in their words.

    Returns:
        The text as it stands.

    Raises:
        DomainError: it is decided already.
    """
    label = str(DECISIONS[decision])
    with transaction.atomic(), history.acting(history.Actor.of(user), f"{label}: inbound:{message.pk}"):
        # The person first, as everywhere; with who has the number now.
        whose = Q(pk=message.contact_id) | (Q(phone=message.phone) if message.phone else Q())
        people = {c.pk: c for c in Contact.objects.select_for_update().filter(whose).order_by("pk")}
        contact = people.get(message.contact_id) if message.contact_id else None
        row = (
            InboundMessage.objects.select_for_update(of=("self",))
            .select_related("sender__brand")
            .get(pk=message.pk)
        )  # fmt: skip
        if row.state != State.REVIEW:
            raise DomainError(_("This reply was decided already. Reload the page."), rule="O4")
        row.contact = contact
        row.state, row.handled_by, row.handled_at = State.RESOLVED, user, timezone.now()
        row.resolution = f"{label}: {note.strip()}" if note.strip() else label
        if decision == "stop":
            late = row.meaning == InboundMessage.Meaning.OPT_OUT  # its only question is whether the newer yes holds
            row.meaning = InboundMessage.Meaning.OPT_OUT
            stopping.stop(row, row.handled_at if late else None)
        elif decision == "wrong_number":
            _reassigned(row, people.values())
        elif contact is not None and row.sender is not None:
            conversations.note(row)
        row.save()
        release_unless_open(row)
    return row


def _reassigned(row: InboundMessage, people: Collection[Contact]) -> None:
    """What was given for the number ends, and nobody texts it, unless its holder said yes after this text."""
    if not row.phone:
        return
    given = Consent.objects.filter(contact__in=people, phone=row.phone).order_by("pk")
    live = given.filter(status__in=MOVES["revoke"].sources)
    for consent in live.filter(effective_at__lte=row.received_at):
        transitions.end(consent, "revoke", effective_at=row.received_at)
    if not live.filter(status__in=Consent.PERMITTING).exists():
        doors.suppress(row.phone, reason=Suppression.Reason.REASSIGNED, since=row.received_at)
    queue.block(phone=row.phone)
