"""Lanes and pace: how many workers send for one sender at once, and how fast they are together.

A lane is held by a token for ``LEASE``; whoever does not renew it in time counts as dead. Lane 0 also keeps the pace:
the moment from which on the next text of the sender may go.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns.models import Lane, Sender

# A slot is used at most this late; later ones are given back and taken anew, so that a worker that was held up does
# not make up for it with a burst.
LATE_BY = timedelta(milliseconds=100)


def lease() -> timedelta:
    """How long a lane is held without a sign of life."""
    return timedelta(seconds=settings.LEASE_SECONDS)


@dataclass
class Held:
    """A lane held by this worker."""

    sender_id: int
    number: int
    token: str
    renewed_at: datetime
    lost: bool = False

    def renew(self) -> bool:
        """Hold it for another ``lease``; False when somebody took it, so that this worker must stop."""
        now = timezone.now()
        mine = Lane.objects.filter(sender=self.sender_id, number=self.number, token=self.token)
        self.renewed_at = now
        self.lost = mine.update(held_until=now + lease()) == 0
        return not self.lost

    def due_for_renewal(self) -> bool:
        """Whether a third of the lease is gone."""
        return timezone.now() - self.renewed_at > lease() / 3

    def free(self) -> None:
        """Give it back."""
        Lane.objects.filter(sender=self.sender_id, number=self.number, token=self.token).update(
            token="", held_until=None
        )


def take(sender_id: int) -> Held | None:
    """A lane of a sender nobody holds.

    Lanes whose holder died are freed by ``free_dead`` only, after what they left behind was looked at.

    Returns:
        None: as many workers as allowed are at it.
    """
    _make(sender_id)
    now, token = timezone.now(), uuid.uuid4().hex
    for number in range(settings.DISPATCH_LANES):
        free = Lane.objects.filter(sender=sender_id, number=number, token="")
        if free.update(token=token, held_until=now + lease()):
            return Held(sender_id, number, token, now)
    return None


def _make(sender_id: int) -> None:
    if Lane.objects.filter(sender=sender_id).count() < settings.DISPATCH_LANES:
        Lane.objects.bulk_create(
            [Lane(sender_id=sender_id, number=n) for n in range(settings.DISPATCH_LANES)], ignore_conflicts=True
        )


def alive(at: datetime) -> set[str]:
    """The tokens of workers that gave a sign of life in time."""
    return set(Lane.objects.filter(held_until__gt=at).exclude(token="").values_list("token", flat=True))


def free_dead(at: datetime, left: Callable[[str, datetime], None]) -> int:
    """Free the lanes whose holder died.

    Args:
        at: now.
        left: called with the token and its last sign of life, in the same transaction, to settle what it left.

    Returns:
        How many.
    """
    freed = 0
    for lane in Lane.objects.filter(held_until__lte=at).exclude(token=""):
        with transaction.atomic():
            gone = Lane.objects.filter(pk=lane.pk, token=lane.token, held_until=lane.held_until)
            if gone.update(token="", held_until=None) and lane.held_until:
                left(lane.token, lane.held_until - lease())
                freed += 1
    return freed


@transaction.atomic
def reserve(sender: Sender, count: int) -> list[datetime]:
    """The moments at which ``count`` texts of a sender may go; all workers together keep its rate.

    Args:
        sender: whose rate.
        count: how many.
    """
    gap = timedelta(seconds=1) / max(1, sender.rate_per_second)
    pace = _pace(sender.pk)
    now = timezone.now()
    start = max(now, pace.next_at or now)
    Lane.objects.filter(pk=pace.pk).update(next_at=start + gap * count)
    return [start + gap * n for n in range(count)]


def next_at(sender_id: int) -> datetime | None:
    """From when on the next text of a sender may go; None: it never sent."""
    return Lane.objects.filter(sender=sender_id, number=0).values_list("next_at", flat=True).first()


@transaction.atomic
def hold_off(sender_id: int, until: datetime) -> None:
    """Let nothing of a sender go before ``until``: its gateway refuses us."""
    pace = _pace(sender_id)
    Lane.objects.filter(pk=pace.pk).update(next_at=max(until, pace.next_at or until))


def _pace(sender_id: int) -> Lane:
    _make(sender_id)
    return Lane.objects.select_for_update(no_key=True).get(sender=sender_id, number=0)
