"""What the sweep finds: what is due and nobody was told of, and what the dead left behind."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from campaigns import brake, claims, dispatch, inbound, lanes, launch, outcomes, queue
from campaigns.models import Message, Sender

log = logging.getLogger(__name__)
S = Message.State
LEASES = 4  # a text is given up as unknown after so many leases: whoever has it was not heard of for as long


def settle_dead(at: datetime) -> int:
    """Settle what dead workers left: claimed texts wait again, handed ones are unknown (P5).

    Returns:
        How many texts.
    """
    lanes.free_dead(at, _left)
    # Read after ``at``: whoever claimed before that moment and is not among them gave the lane up or died.
    alive = lanes.alive(at)
    dead = Message.objects.filter(claimed_at__lt=at).exclude(claim__in=alive)
    waiting = dead.filter(state=S.CLAIMED).update(state=S.QUEUED, claim="", claimed_at=None)
    long_ago = at - LEASES * lanes.lease()
    lost = dead.filter(state=S.HANDED, handed_at__lt=long_ago).update(state=S.UNKNOWN, error="worker_died")
    return waiting + lost


def _left(token: str, last_sign: datetime) -> None:
    """A worker died between a text and the note on its consent: note it now."""
    went = Message.objects.filter(
        claim=token, handed_at__gte=last_sign, kind__in=dispatch.USES, state__in=Message.GONE, consent__isnull=False
    )
    if consents := set(went.values_list("consent_id", flat=True)):
        dispatch.use(consents, timezone.now())


def due_senders(at: datetime) -> list[int]:
    """The ids of senders for which something may go now."""
    found = []
    for pk in Sender.objects.filter(active=True).order_by("pk").values_list("pk", flat=True):
        waiting = claims.due(pk, at).order_by()
        if waiting.filter(campaign__isnull=True).exists() or any(
            waiting.filter(campaign=campaign).exists() for campaign in claims.sending(pk)
        ):
            found.append(pk)
    return found


def sweep(*, start: Callable[[int], None], wake: Callable[[int], None]) -> None:
    """Look once at everything; what fails leaves the rest to be looked at.

    Args:
        start: called with the id of each campaign whose moment has come.
        wake: called with the id of a sender for each worker it can use.
    """
    at = timezone.now()

    def launch_due() -> None:
        for pk in launch.due(at):
            start(pk)

    def wake_due() -> None:
        for pk in due_senders(at):
            for _lane in range(settings.DISPATCH_LANES):
                wake(pk)

    steps: tuple[Callable[[], object], ...] = (
        inbound.retry_new,
        launch_due,
        lambda: settle_dead(at),
        wake_due,
        lambda: queue.late(at),
        lambda: outcomes.silent(at),
        brake.check_all,
        launch.finish,
    )
    for step in steps:
        try:
            step()
        except Exception:
            log.exception("a step of the sweep failed")
