"""What a gateway's word about a number means for consent: the provider holds an opt-out, or the number is out of
service (RULES O10, C15)."""

from datetime import datetime

from django.db import transaction

from campaigns import queue
from campaigns.models import Message
from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import history
from consent.core.errors import DomainError
from consent.ledger import proofs, transitions
from consent.ledger.models import Brand, Consent
from consent.ledger.models.proofs import Answer, Method
from consent.ledger.moves import MOVES

OPT_OUT, NO_SUBSCRIBER = "opt_out", "no_subscriber"
ACTOR = history.Actor.job("gateway")


@transaction.atomic
def apply(message: Message, effect: str, at: datetime, handed_at: datetime | None = None) -> None:
    """Change consent as the gateway's word demands; with the contact locked by the caller.

    Args:
        message: the text it spoke about.
        effect: as in ``gateways.base.Refused``; anything else changes nothing.
        at: when it said so.
        handed_at: for a receipt, which may be old: when its text was handed over. What the person said after that
            stands, and the word is then dated by it.
    """
    known_at = handed_at or at
    contact = Contact.objects.filter(pk=message.contact_id).first() if message.contact_id else None
    if contact is not None and contact.phone.as_e164 != message.phone:
        contact = None  # the number is not theirs any more: it speaks about the number alone
    if effect == OPT_OUT:
        with history.acting(ACTOR, f"The provider holds an opt-out (message {message.pk}, RULES O10)"):
            _opted_out(message, contact, at, known_at)
            queue.block(contact, message.phone)
    elif effect == NO_SUBSCRIBER and contact is not None:
        with history.acting(ACTOR, f"The carrier knows no such subscriber (message {message.pk}, RULES C15)"):
            mine = Consent.objects.filter(contact=contact, phone=message.phone)
            live = list(mine.filter(status__in=MOVES["revoke"].sources).order_by("pk"))
            older = [consent for consent in live if consent.effective_at <= known_at]
            for consent in older:
                transitions.end(consent, "revoke", effective_at=at if older == live else known_at)


def _opted_out(message: Message, contact: Contact | None, at: datetime, known_at: datetime) -> None:
    brand = message.sender.brand
    scope = brand.stop_scope
    if scope == Brand.StopScope.PURPOSE and message.purpose is None:
        scope = Brand.StopScope.BRAND
    live = Consent.objects.filter(contact__phone=message.phone, status__in=MOVES["withdraw"].sources)
    if scope == Brand.StopScope.BRAND:
        live = live.filter(purpose__brand=brand)
    elif scope == Brand.StopScope.PURPOSE:
        live = live.filter(purpose=message.purpose)
    if live.exclude(status=Consent.Status.UNKNOWN).filter(effective_at__gt=known_at).exists():
        # An old word: it ends what was said before it.
        older = live.filter(contact=contact, effective_at__lte=known_at).select_related("purpose__brand")
        act, one, reason = _no(message, known_at), Brand.StopScope.PURPOSE, Suppression.Reason.PROVIDER
        for consent in older.order_by("pk"):
            transitions.withdraw(consent.contact, consent.purpose, act, scope=one, reason=reason)
        return
    if contact is not None and message.purpose is not None:
        act = _no(message, at)
        try:
            with transaction.atomic():
                transitions.withdraw(contact, message.purpose, act, scope=scope, reason=Suppression.Reason.PROVIDER)
                return
        except DomainError:  # a newer yes: the provider refuses all the same, so the number is suppressed
            pass
    doors.suppress(
        message.phone,
        reason=Suppression.Reason.PROVIDER,
        since=at,
        brand=brand if scope == Brand.StopScope.BRAND else None,
        purpose=message.purpose if scope == Brand.StopScope.PURPOSE else None,
    )


def _no(message: Message, at: datetime) -> proofs.Act:
    return proofs.Act(
        method=Method.KEYWORD,
        answer=Answer.NO,
        captured_at=at,
        recorded_by=ACTOR.text,
        reference=f"message {message.pk}",
        details="Opt-out held by the provider",
    )
