"""A STOP: withdrawn or suppressed, what waits is blocked, one confirmation, the brake (RULES O3–O8)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from campaigns import brake, outbox, queue
from campaigns.inbound import answering
from campaigns.models import Campaign, Conversation, InboundMessage, Message
from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import digests
from consent.core.errors import IllegalMove
from consent.ledger import proofs, transitions
from consent.ledger.models import Brand, Consent, Method, Purpose
from consent.ledger.models.proofs import Answer
from consent.ledger.moves import MOVES

Scope = Brand.StopScope
CONFIRM_WITHIN = timedelta(minutes=5)  # RULES O5
_log = logging.getLogger(__name__)


def stop(row: InboundMessage, since: datetime | None = None) -> None:
    """Do what an opt-out says and save the row; the confirmation and the brake cannot undo it.

    Args:
        row: with its contact, locked.
        since: when the person said so, where that is not when the text came.
    """
    if not row.phone:
        row.save()
        return
    stopped_before = end(row, since or row.received_at)
    row.save()
    with _beside(row, "confirmation"):
        if not stopped_before:
            _confirm(row)
    with _beside(row, "brake"):
        if row.campaign_id:
            brake.check(Campaign.objects.select_related("purpose__brand").get(pk=row.campaign_id))


def end(row: InboundMessage, since: datetime) -> bool:
    """Stop everything in the scope of the sender's brand; of everything, when the sender is not known.

    A yes that is newer than the STOP stays, but a person decides whether it does: clocks differ.

    Args:
        row: with its contact, locked.
        since: when the person said so.

    Returns:
        Whether nothing was left to stop: an opt-out at least as wide was in force, or the person said yes later.
    """
    scope, purpose = _scope(row)
    brand = row.sender.brand if row.sender else None
    if row.contact is None and connection.vendor == "postgresql":  # no contact to lock: two STOPs take turns here
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(digests.digest(row.phone)[:15], 16)])
    before = [s for s in doors.suppressions(row.phone) if _as_wide(s, scope, brand, purpose)]
    if row.contact is not None:
        _close_conversations(row, row.contact, since)
    if row.contact is None or purpose is None or row.contact.phone.as_e164 != row.phone:
        doors.suppress(  # the number that wrote, also when it is the person's no more
            row.phone,
            reason=Suppression.Reason.STOP,
            since=since,
            brand=brand if scope == Scope.BRAND else None,
            purpose=purpose if scope == Scope.PURPOSE else None,
        )
        queue.block(phone=row.phone)
    if row.contact is None or purpose is None:
        return bool(before)
    act = proofs.Act(method=Method.KEYWORD, answer=Answer.NO, captured_at=since, reference=f"inbound:{row.pk}")
    try:
        transitions.withdraw(row.contact, purpose, act, scope=scope)
    except IllegalMove:  # an old text: the person said yes again since
        _end_older(row.contact, purpose, act, scope)
        if row.state == InboundMessage.State.HANDLED:  # else a person decided already
            from campaigns.inbound import reviewing

            reviewing.ask(row, row.contact)
        return True
    return bool(before)


def _close_conversations(row: InboundMessage, contact: Contact, since: datetime) -> None:
    """Nobody answers after a STOP until the person writes again, whatever the scope of it."""
    live = Conversation.objects.filter(contact=contact, opened_at__lte=since, closes_at__gt=since)
    (live.filter(sender=row.sender) if row.sender else live).update(closes_at=since)


def _end_older(contact: Contact, purpose: Purpose, act: proofs.Act, scope: str) -> None:
    """Stop what a late STOP stops: every purpose in scope but those with a yes that came after it (P4)."""
    yes = Consent.objects.filter(contact=contact, status__in=MOVES["withdraw"].sources - {Consent.Status.UNKNOWN})
    newer = yes.filter(effective_at__gt=act.captured_at).values("purpose")
    purposes = Purpose.objects.exclude(pk__in=newer).select_related("brand").order_by("pk")
    if scope == Scope.BRAND:
        purposes = purposes.filter(brand=purpose.brand_id)
    elif scope == Scope.PURPOSE:
        purposes = purposes.filter(pk=purpose.pk)
    for each in purposes:
        transitions.withdraw(contact, each, act, scope=Scope.PURPOSE)


def _scope(row: InboundMessage) -> tuple[str, Purpose | None]:
    """How far the STOP goes and the purpose it is said about; no purpose: the person has nothing to withdraw."""
    brand = row.sender.brand if row.sender else None
    scope = brand.stop_scope if brand else Scope.ALL
    if row.contact is None:
        return (Scope.BRAND if scope == Scope.PURPOSE else scope), None
    went = set(Message.GONE) - {Message.State.UNDELIVERED}
    texted = Message.objects.filter(
        contact=row.contact, purpose__isnull=False, handed_at__lte=row.received_at, state__in=went
    )
    purposes = Purpose.objects.select_related("brand")
    if brand:
        written_to = Q(sender=row.sender) | Q(sender__stop_sender=row.sender)
        texted, purposes = texted.filter(written_to, purpose__brand=brand), purposes.filter(brand=brand)
    newest = texted.order_by("-handed_at").values_list("purpose", flat=True).first()
    if newest:
        return scope, purposes.get(pk=newest)
    # Nothing was texted that the STOP could be about: it then ends all of the brand.
    scope = Scope.BRAND if scope == Scope.PURPOSE else scope
    consents = Consent.objects.filter(contact=row.contact)
    held = purposes.filter(consents__in=consents).order_by("-consents__effective_at").first()
    return scope, held or purposes.order_by("position", "pk").first()


def _as_wide(stop: Suppression, scope: str, brand: Brand | None, purpose: Purpose | None) -> bool:
    if stop.brand_id is None and stop.purpose_id is None:
        return True
    if scope == Scope.ALL or brand is None:
        return False
    if stop.brand_id is not None:
        return stop.brand_id == brand.pk
    return scope == Scope.PURPOSE and purpose is not None and stop.purpose_id == purpose.pk


def _confirm(row: InboundMessage) -> None:
    """One text that only says that it is done (RULES O5)."""
    until = row.received_at + CONFIRM_WITHIN
    if row.sender is None or timezone.now() > until:
        return
    outbox.queue(
        Message.Kind.OPT_OUT,
        sender=row.sender,
        contact=row.contact,
        phone=row.phone,
        language=answering.language_of(row),
        purpose=_scope(row)[1] if row.sender.brand.stop_scope == Scope.PURPOSE else None,
        once=f"opt_out:{row.pk}",
        inbound=row,
        expires_at=until,
    )


@contextmanager
def _beside(row: InboundMessage, what: str) -> Iterator[None]:
    """What follows from a STOP must not undo it when it fails."""
    try:
        with transaction.atomic():
            yield
    except Exception as error:
        _log.error("The %s of inbound text %s failed: %s", what, row.pk, type(error).__name__)
