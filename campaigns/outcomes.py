"""What became of texts: the gateway's answer at the hand-over, the carrier's receipts, a person's decision.

A state only moves forward, by compare-and-set over one table: the first final word counts, and a receipt that says
less than what is known changes nothing (receipts come in any order). Nothing in here sends anything again except a text
of which the gateway said that it did not take it (P5).
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import effects
from campaigns.gateways.base import Accepted, Receipt, Refused
from campaigns.models import Campaign, Message
from consent.contacts.models import Contact
from consent.core.errors import DomainError

log = logging.getLogger(__name__)
S = Message.State

# From which states a word leads where. What a receipt settles was handed over, whatever we know of it.
_NOT_FINAL = (S.HANDED, S.UNKNOWN, S.SENT, S.SILENT)
SOURCES: dict[str, tuple[str, ...]] = {
    S.SENT: (S.HANDED, S.UNKNOWN),
    S.DELIVERED: _NOT_FINAL,
    S.UNDELIVERED: _NOT_FINAL,
    S.FAILED: _NOT_FINAL,
}
FINAL = (S.DELIVERED, S.UNDELIVERED, S.FAILED)
MINE = (S.HANDED, S.UNKNOWN)  # a worker's own word, also when it comes after the sweep gave up on it

PAUSES = (1, 5, 15, 60)  # minutes until a text the gateway could not take is tried again; the last one repeats
MOST_ATTEMPTS = 10
ENDED = (Campaign.State.CANCELLED, Campaign.State.COMPLETED)
NOT_SENT = "not_sent"  # settled by a person


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return timedelta(minutes=PAUSES[min(max(attempts, 1), len(PAUSES)) - 1])


# --- the gateway's answer --------------------------------------------------------------------------------------------


def accepted(message: Message, result: Accepted, at: datetime) -> bool:
    """The gateway has the text. False: somebody knew better already."""
    mine = Message.objects.filter(pk=message.pk, claim=message.claim)
    changes = {"gateway_id": result.gateway_id, "error": ""}
    if mine.filter(state__in=MINE).update(state=S.SENT, **changes):
        return True
    if result.gateway_id:  # its receipt was faster than its answer
        mine.filter(gateway_id="").update(gateway_id=result.gateway_id)
    return False


def refused(message: Message, result: Refused, at: datetime) -> bool:
    """The gateway did not take the text: it is over, or tried again later within its time. False: as ``accepted``."""
    if result.temporary or result.ours:
        return _try_again(message, result, at)
    with transaction.atomic():
        _lock(message)
        mine = Message.objects.filter(pk=message.pk, claim=message.claim, state__in=MINE)
        if not mine.update(state=S.FAILED, error=result.code[:80], finished_at=at):
            return False
        effects.apply(message, result.effect, at)
    return True


def _try_again(message: Message, result: Refused, at: datetime) -> bool:
    mine = Message.objects.filter(pk=message.pk, claim=message.claim, state__in=MINE)
    if mine.filter(campaign__state__in=ENDED).update(state=S.CANCELLED, error=result.code[:80], finished_at=at):
        return True  # the campaign was cancelled during the hand-over
    again_at = at + pause(message.attempts)
    over = message.expires_at is not None and again_at >= message.expires_at
    if over or (message.attempts >= MOST_ATTEMPTS and not result.ours):
        return bool(mine.update(state=S.FAILED, error=result.code[:80], finished_at=at))
    return bool(
        mine.update(
            state=S.QUEUED, error=result.code[:80], not_before=again_at, handed_at=None, claim="", claimed_at=None
        )
    )


def unknown(message: Message, error: str) -> bool:
    """Nobody knows whether the gateway has the text; it waits for a receipt or a person and is never repeated."""
    mine = Message.objects.filter(pk=message.pk, claim=message.claim, state=S.HANDED)
    return bool(mine.update(state=S.UNKNOWN, error=error[:80]))


def _lock(message: Message) -> None:
    """The contact first, as everywhere."""
    if message.contact_id:
        list(Contact.objects.select_for_update().filter(pk=message.contact_id).values_list("pk"))


# --- receipts --------------------------------------------------------------------------------------------------------


def receive(gateway_name: str, receipt: Receipt) -> bool:
    """Take a receipt.

    Args:
        gateway_name: whose.
        receipt: of a text known by our id or the gateway's; unknown ids change nothing.

    Returns:
        Whether it changed anything.
    """
    message = _find(gateway_name, receipt)
    return message is not None and _take(message, receipt)


def _find(gateway_name: str, receipt: Receipt) -> Message | None:
    ours = Message.objects.filter(sender__gateway=gateway_name).select_related("sender__brand", "purpose")
    if receipt.reference is not None:
        return ours.filter(pk=receipt.reference).first()
    return ours.filter(gateway_id=receipt.gateway_id).order_by("-pk").first() if receipt.gateway_id else None


def _take(message: Message, receipt: Receipt) -> bool:
    if receipt.state not in SOURCES:
        return False
    now = timezone.now()
    changes: dict[str, Any] = {"state": receipt.state}
    if receipt.code:
        changes["error"] = receipt.code[:80]
    if receipt.state in FINAL:
        changes["finished_at"] = now
    if receipt.gateway_id and not message.gateway_id:
        changes["gateway_id"] = receipt.gateway_id[:80]
    with transaction.atomic():
        if receipt.effect:
            _lock(message)
        if not Message.objects.filter(pk=message.pk, state__in=SOURCES[receipt.state]).update(**changes):
            return False
        effects.apply(message, receipt.effect, now, message.handed_at)
    return True


def silent(at: datetime) -> int:
    """Close texts whose receipt did not come in RECEIPT_HOURS; one that comes later still counts.

    Returns:
        How many.
    """
    oldest = at - timedelta(hours=settings.RECEIPT_HOURS)
    waiting = Message.objects.filter(state=S.SENT, claimed_at__lte=oldest, handed_at__lte=oldest)
    return waiting.update(state=S.SILENT, finished_at=at)


# --- a person's word -------------------------------------------------------------------------------------------------


class NotUnknown(DomainError):
    """A text whose outcome is known needs nobody to settle it."""


def settle(message: Message, how: str, user: Any, reason: str) -> Message:
    """A person says what became of a text whose outcome is unknown; it is not sent again either way (P5).

    Args:
        message: unknown.
        how: ``sent`` or ``not_sent``.
        user: who says so.
        reason: how they know.

    Raises:
        NotUnknown: its outcome is known by now.
    """
    now = timezone.now()
    noted = {"how": how, "by": user.get_username(), "at": now.isoformat()}
    changes: dict[str, Any] = {"decision": {**message.decision, "settled": noted}, "note": reason.strip()}
    if how == NOT_SENT:
        changes |= {"state": S.FAILED, "error": NOT_SENT, "finished_at": now}
    elif how == S.SENT:
        changes |= {"state": S.SENT}
    else:
        raise ValueError(how)
    if not Message.objects.filter(pk=message.pk, state=S.UNKNOWN).update(**changes):
        raise NotUnknown(_("The outcome of this text is known by now. Reload the page."), rule="P5")
    message.refresh_from_db()
    return message


def ask(message: Message) -> bool:
    """Ask the gateway what became of a text.

    Returns:
        Whether it knew something that changed the text's state.

    Raises:
        NotUnknown: its outcome is known by now.
    """
    from campaigns import gateways

    if message.state not in (S.UNKNOWN, S.SENT, S.SILENT):
        raise NotUnknown(_("The outcome of this text is known by now. Reload the page."), rule="P5")
    receipt = gateways.get(message.sender.gateway).ask(message.pk, message.gateway_id)
    if receipt is None:
        return False
    changed = _take(message, receipt)
    message.refresh_from_db()
    return changed
