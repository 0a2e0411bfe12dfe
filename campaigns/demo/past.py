"""What became of the texts that opt-ins of the past caused: set by hand, for years of dispatch would take minutes."""

from datetime import datetime, timedelta

from django.utils import timezone

from campaigns import segments
from campaigns.models import Message
from consent.ledger.demo.build import World
from consent.ledger.models import Consent

S, K = Message.State, Message.Kind
# Out of a hundred.
OUTCOMES = [S.DELIVERED] * 94 + [S.UNDELIVERED] * 3 + [S.SILENT] * 3


def settle(world: World) -> None:
    """Let what was written at this moment have gone when it could; what could not go by now waits on.

    Called in place of waking a worker, so that a text is gone before the next thing happens to the person.
    """
    gone = []
    for message in Message.objects.filter(state=S.QUEUED, created_at=timezone.now()).order_by("pk"):
        at = _when(message.created_at) + timedelta(seconds=world.chance.randint(2, 50))
        if at > world.now - timedelta(minutes=10) or (message.expires_at and at >= message.expires_at):
            continue
        size = segments.measure(message.body)
        message.state = world.chance.choice(OUTCOMES)
        message.encoding, message.parts = size.encoding, size.parts
        message.handed_at, message.claimed_at, message.attempts = at, at, 1
        message.finished_at = at + timedelta(seconds=world.chance.randint(2, 30))
        message.gateway_id = f"console-{message.pk}"
        message.decision = {"at": at.isoformat(), "codes": [], "purpose": message.purpose_id}
        gone.append(message)
    for message in gone:
        message.save()
        if message.consent and message.kind == K.WELCOME:
            Consent.objects.filter(pk=message.consent.pk).update(last_used_at=message.handed_at)


def _when(written: datetime) -> datetime:
    """At once on a working day, else on Monday morning: close enough to the hours of every country."""
    local = timezone.localtime(written)
    wait = (7 - local.weekday()) if local.weekday() > 4 else 0
    return (local + timedelta(days=wait)).replace(hour=9, minute=5) if wait else written
