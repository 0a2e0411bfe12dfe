"""What became of the texts that opt-ins of the past caused: set at once, for years of dispatch would take minutes."""

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
    """Let everything that waits have gone when it could; what could not go by now waits on."""
    gone, used = [], {}
    for message in Message.objects.filter(state=S.QUEUED, created_at__lt=world.now).order_by("pk"):
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
        if message.kind == K.WELCOME:
            used[message.consent_id] = message
    fields = [
        "state",
        "encoding",
        "parts",
        "handed_at",
        "claimed_at",
        "attempts",
        "finished_at",
        "gateway_id",
        "decision",
    ]
    Message.objects.bulk_update(gone, fields, batch_size=200)
    consents = list(Consent.objects.filter(pk__in=used, status__in=Consent.PERMITTING))
    for consent in consents:
        consent.last_used_at = used[consent.pk].handed_at
    Consent.objects.bulk_update(consents, ["last_used_at"], batch_size=200)


def _when(written: datetime) -> datetime:
    """At once on a working day, else on Monday morning: close enough to the hours of every country."""
    local = timezone.localtime(written)
    wait = (7 - local.weekday()) if local.weekday() > 4 else 0
    return (local + timedelta(days=wait)).replace(hour=9, minute=5) if wait else written
