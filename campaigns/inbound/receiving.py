"""The door through which a text comes in: stored and understood in one transaction, once (RULES O3)."""

import logging
from dataclasses import replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from campaigns.gateways.base import Inbound
from campaigns.inbound import origins, processing, reviewing
from campaigns.models import InboundMessage
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import history

ACTOR = history.Actor.job("inbound")
REASON = "A text message of the person"
GIVE_UP = timedelta(hours=1)  # what cannot be understood for so long goes to a person
RETRIED_AT_ONCE = 50
CLOCKS_DIFFER = timedelta(minutes=5)  # so far a gateway's clock may be behind, or its text late, without counting
_log = logging.getLogger(__name__)


def receive(gateway_name: str, told: Inbound, *, blurred: bool | None = None) -> InboundMessage:
    """Keep a text and do what it says; the same text told again changes nothing, another one under its id is kept too.

    When what it says cannot be done, the text is kept all the same, all sending to the person is held, and
    ``retry_new`` tries again (P9).

    Args:
        gateway_name: who told us.
        told: the text, as told.
        blurred: it comes from a log, True when other characters than ASCII are dots in it; None: the gateway calls.

    Returns:
        The stored text; the one already there when it is known.
    """
    row = _row(gateway_name, told, blurred)
    known = _keep(row)
    if known is not None and (known.phone, known.body) != (row.phone, row.body):
        reused = row.gateway_id  # by a gateway that counts anew: it may be a STOP
        row = _row(gateway_name, told, blurred)
        row.gateway_id = f"{reused[:11]}-{_fingerprint(told, reused)}"
        known = _keep(row)
    return known or row


def _keep(row: InboundMessage) -> InboundMessage | None:
    """Store a text and do what it says, unless one with its id is there: that one."""
    try:
        with transaction.atomic(), history.acting(ACTOR, REASON):
            row.save(force_insert=True)
            _process(row)
    except IntegrityError:
        known = InboundMessage.objects.filter(gateway=row.gateway, gateway_id=row.gateway_id).first()
        if known is None:
            raise
        return known
    return None


def _row(gateway_name: str, told: Inbound, blurred: bool | None) -> InboundMessage:
    now = timezone.now()
    at = min(told.at or now, now)
    if blurred is None and at >= now - CLOCKS_DIFFER:  # our own clock: it says what came after what
        at = now
    told = replace(told, sender=_storable(told.sender), to=_storable(told.to), text=_storable(told.text))
    sender = origins.sender_of(told.to, gateway_name)
    return InboundMessage(
        gateway=gateway_name,
        gateway_id=_storable(told.gateway_id)[:80] or _fingerprint(told, f"{told.at or now:%Y-%m-%d %H:%M}"),
        raw_from=told.sender[:40],
        raw_to=told.to[:40],
        body=told.text,
        received_at=at,
        phone=origins.phone_of(told.sender, sender.country if sender else ""),
        sender=sender,
        rule=processing.BLURRED if blurred else "",
    )


def _storable(text: str) -> str:
    """Without what no database takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _fingerprint(told: Inbound, minute: str) -> str:
    """What stands for a missing id: the same words from the same number within the same minute are the same text.

    The minute is the gateway's, not that of our clock: a call that is repeated stays the same text.
    """
    said = "\n".join((told.sender, told.to, told.text, minute))
    return "own-" + salted_hmac("campaigns.inbound", said, algorithm="sha256").hexdigest()


def _process(row: InboundMessage) -> bool:
    """Whether it could be understood; else the person is held. Inside the caller's transaction and ``acting``."""
    try:
        with transaction.atomic():
            processing.handle(row)
    except Exception as error:  # whatever it is: the text is kept, and nothing more goes out (P9)
        _log.error("Inbound text %s could not be processed: %s", row.pk, type(error).__name__)
        row.refresh_from_db()
        _hold(row)
        return False
    return True


def _hold(row: InboundMessage) -> None:
    from campaigns import queue

    contact = Contact.objects.filter(phone=row.phone).first() if row.phone else None
    if contact is None:
        return
    try:
        with transaction.atomic():
            doors.hold(contact, row.received_at)
            queue.block(contact)
    except Exception as error:
        _log.error("The person of inbound text %s could not be held: %s", row.pk, type(error).__name__)


def retry_new(limit: int = RETRIED_AT_ONCE) -> int:
    """Try again to understand what could not be understood; what fails for too long goes to a person. For the sweep.

    Args:
        limit: how many at most.

    Returns:
        How many were understood now.
    """
    done = 0
    new = InboundMessage.objects.filter(state=InboundMessage.State.NEW).order_by("pk")
    for pk in list(new.values_list("pk", flat=True)[:limit]):
        with transaction.atomic(), history.acting(ACTOR, REASON):
            # The person first, as everywhere.
            phone = InboundMessage.objects.filter(pk=pk).values_list("phone", flat=True).first()
            list(Contact.objects.select_for_update().filter(phone=phone).values_list("pk")) if phone else []
            row = (
                InboundMessage.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("sender__brand")
                .filter(pk=pk, state=InboundMessage.State.NEW)
                .first()
            )
            if row is None:  # somebody else is at it
                continue
            if _process(row):
                done += 1
                reviewing.release_unless_open(row)
            elif row.received_at < timezone.now() - GIVE_UP:
                reviewing.give_up(row)
    return done
