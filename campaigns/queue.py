"""What waits to be sent, and what takes it back: a stop, a hold, a pause, the end of its time.

Everything here runs in the transaction of its cause. A text that was claimed can be taken back as one that waits: the
worker's hand-over compares and sets, and finds it gone (P2).
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from campaigns import gate
from campaigns.models import Campaign, Message
from consent.contacts.models import Contact

S = Message.State
BATCH = 2000
# Refusals that are a stop: what waits is blocked at once. Any other refusal is found when the text is claimed.
STOPS = frozenset(
    {"restricted", "suppressed", "refused", "withdrawn", "revoked", "invalidated", "number_changed", "no_consent"}
)


def block(contact: Contact | None = None, phone: str = "") -> int:
    """Block what may no longer go to a person, waiting or claimed; in the transaction of the stop, after it was
    written and with the contact locked. What is held is taken back from workers and waits on.

    Args:
        contact: who; found by the number when not given.
        phone: E.164, for a number that may have no contact.

    Returns:
        How many texts were blocked.
    """
    if contact is None and phone:
        contact = Contact.objects.filter(phone=phone).first()
    whose = Q(contact__isnull=True, phone=phone)
    if contact is not None:  # with what waits for the number from before they were known, but the answer to a STOP
        before = Q(contact__isnull=True, phone=contact.phone.as_e164) & ~Q(kind=Message.Kind.OPT_OUT)
        whose = Q(contact=contact) | before
    found = Message.objects.filter(whose, state__in=Message.OPEN)
    if not found.exists():  # mostly nothing waits, and finding that out must not cost a STOP anything
        return 0
    waiting = list(found.select_related("contact", "purpose", "sender", "inbound"))
    now = timezone.now()
    verdicts = gate.judge(waiting, now)
    blocked = 0
    for message in waiting:
        verdict = verdicts[message.pk]
        row = Message.objects.filter(pk=message.pk, state__in=Message.OPEN)
        if verdict.refusal in STOPS:
            blocked += row.update(
                state=S.BLOCKED, refusal=verdict.refusal, decision=verdict.decision, claim="", finished_at=now
            )
        elif not verdict.allowed:  # not a stop, but not a yes either: nothing claimed before may go on it
            until = verdict.defer_until or now
            row.filter(state=S.CLAIMED).update(state=S.QUEUED, claim="", claimed_at=None, not_before=until)
    return blocked


def block_many(consents: list[int]) -> int:
    """``block`` for the people of some consents (ids), as far as anything waits for them.

    Returns:
        How many texts were blocked.
    """
    people = Message.objects.filter(state__in=Message.OPEN, contact__consents__in=consents).order_by("contact_id")
    ids = list(people.values_list("contact_id", flat=True).distinct())
    return sum(block(contact) for contact in Contact.objects.filter(pk__in=ids).order_by("pk"))


@transaction.atomic
def take_back(campaign: Campaign) -> int:
    """Let what workers claimed of a campaign wait again, because it is paused.

    A row that somebody else is changing is passed over: nobody waits for a stop here, and the hand-over itself asks
    whether the campaign is still sending.

    Returns:
        How many were taken back.
    """
    return _each_batch(
        Message.objects.filter(campaign=campaign, state=S.CLAIMED), state=S.QUEUED, claim="", claimed_at=None
    )


def give_back(token: str) -> int:
    """Let what a worker claimed and did not hand over wait again.

    Args:
        token: the worker's.
    """
    mine = Message.objects.filter(state=S.CLAIMED, claim=token, claimed_at__isnull=False)
    return mine.update(state=S.QUEUED, claim="", claimed_at=None)


def late(at: datetime) -> int:
    """Close what waited too long, and what came back from a hand-over after its campaign was over.

    Returns:
        How many texts were closed.
    """
    ended = Campaign.objects.filter(state__in=[Campaign.State.SENDING, Campaign.State.PAUSED], ends_at__lte=at)
    waiting = Message.objects.filter(state=S.QUEUED, expires_at__lte=at)
    closed = _each_batch(waiting.filter(campaign__isnull=True), state=S.LATE, finished_at=at)
    for campaign in ended.values_list("pk", flat=True):
        closed += _each_batch(waiting.filter(campaign=campaign), state=S.LATE, finished_at=at)
    left = Message.objects.filter(campaign=OuterRef("pk"), state=S.QUEUED)
    over = Campaign.objects.filter(Exists(left), state__in=[Campaign.State.CANCELLED, Campaign.State.COMPLETED])
    for campaign in over.values_list("pk", flat=True):
        waiting = Message.objects.filter(campaign=campaign, state=S.QUEUED)
        closed += _each_batch(waiting, state=S.CANCELLED, finished_at=at)
    return closed


def is_open(campaign: Campaign) -> bool:
    """Whether anything of a campaign waits or is on its way to the gateway."""
    return Message.objects.filter(campaign=campaign, state__in=[*Message.OPEN, S.HANDED]).exists()


def _each_batch(rows: QuerySet[Message], **changes: Any) -> int:
    """Change rows, passing over those somebody else is changing, so that this waits for nobody and nobody deadlocks."""
    done = 0
    while True:
        with transaction.atomic():
            free = rows.order_by("pk").select_for_update(skip_locked=True, no_key=True)
            pks = list(free.values_list("pk", flat=True)[:BATCH])
            done += Message.objects.filter(pk__in=pks).update(**changes) if pks else 0
        if len(pks) < BATCH:
            return done
