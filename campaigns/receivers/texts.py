"""The texts that follow from what the ledger records: a confirmation asked, an opt-in confirmed, a question before a
consent ends. Each is written in the transaction of its cause; the gate decides when it is sent."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.dispatch import receiver
from django.utils import timezone

from campaigns import outbox
from campaigns.models import Message
from consent.ledger import jobs, signals
from consent.ledger.models import Consent, Method, RenewalTask

Kind = Message.Kind


@receiver(signals.answered, sender=Consent, dispatch_uid="texts of an answer")
def _answered(sender: Any, moved: list[tuple[int, str]], **kwargs: Any) -> None:
    """A yes that waits is asked to be confirmed (RULES C13); a yes that holds is confirmed (RULES §7).

    Not confirmed: what was said longer ago than ``WELCOME_DAYS``, such as the rows of an old list, for nobody expects
    an answer then; what rests on a relationship, for that is no opt-in (RULES C11); and a renewal, which changes
    nothing for the person.
    """
    asked = [pk for pk, move in moved if move == "request"]
    given = [pk for pk, move in moved if move == "give"]
    if asked:
        outbox.queue_many(
            Kind.DOUBLE_OPT_IN,
            asked,
            once=lambda consent: f"double_opt_in:{consent.proof_id}",
            expires_at=lambda consent: consent.expires_at,
        )
    if given:
        recent = timezone.now() - timedelta(days=settings.WELCOME_DAYS)
        outbox.queue_many(
            Kind.WELCOME,
            given,
            only=Q(effective_at__gte=recent) & ~Q(proof__method=Method.RELATIONSHIP),
            once=lambda consent: f"welcome:{consent.proof_id}",
            expires_at=_soon,
        )


@receiver(signals.reconfirmation_asked, sender=Consent, dispatch_uid="texts of a reconfirmation")
def _late(sender: Any, consents: list[int], **kwargs: Any) -> int:
    """The first text came too late: ask whether the person still wants any (RULES C9), once for each yes."""
    return outbox.queue_many(
        Kind.RECONFIRMATION,
        consents,
        once=lambda consent: f"{_RECONFIRMATION}{consent.proof_id}",
        expires_at=_soon,
    )


@receiver(signals.renewal_asked, sender=RenewalTask, dispatch_uid="texts of a renewal")
def _ending(sender: Any, consents: list[int], stage: int, **kwargs: Any) -> int:
    """It ends soon: ask whether the person wants to go on (RULES C7), once at each stage and only while it holds."""
    return outbox.queue_many(
        Kind.RENEWAL,
        consents,
        only=Q(status__in=Consent.PERMITTING, expires_at__isnull=False),
        once=lambda consent: f"renewal:{consent.pk}:{consent.expires_at:%Y%m%d%H%M%S}:{stage}",
        expires_at=_soon,
    )


_RECONFIRMATION = "reconfirmation:"


def _soon(consent: Consent) -> datetime:
    """A text that had to wait for longer says something nobody expects any more; none goes after the end (RULES C8)."""
    latest = timezone.now() + timedelta(days=settings.CAMPAIGN_DAYS)
    return min(latest, consent.expires_at) if consent.expires_at else latest


def not_asked(consents: QuerySet[Consent]) -> QuerySet[Consent]:
    """Those of some consents whose yes got no reconfirmation text yet."""
    once = Concat(Value(_RECONFIRMATION), Cast(OuterRef("proof_id"), CharField()), output_field=CharField())
    return consents.filter(~Exists(Message.objects.filter(once=once)))


if not_asked not in jobs.unasked:
    jobs.unasked.append(not_asked)
