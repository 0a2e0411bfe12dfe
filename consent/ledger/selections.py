"""Which consents a figure counts: one definition for the front page and for the list its number links to."""

import re
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from consent.ledger import decision
from consent.ledger.models import Consent, Purpose

EXPIRING = (30, 60, 90)  # days


def live(at: datetime) -> Q:
    """Consents that permit sending at ``at`` by their state and term; the decision has the last word."""
    return Q(status__in=Consent.PERMITTING, expires_at__gt=at)


def expiring(days: int, at: datetime) -> Q:
    """Live consents that end within ``days`` days (RULES C7)."""
    return live(at) & Q(expires_at__lte=at + timedelta(days=days))


def weak() -> Q:
    """Consents that permit by their state while their proof does not suffice: the decision's own rule."""
    found = Q(pk__in=[])
    for purpose in Purpose.objects.all():
        found |= Q(purpose=purpose) & decision.weak_proof(purpose, held="", person="contact__")
    return found


def missing() -> Q:
    """Claims that nothing proves (RULES C1)."""
    return Q(proof__isnull=True)


def span(name: str) -> tuple[datetime, datetime]:
    """The first moment of an ISO week and of the one after it, in local time.

    Args:
        name: like ``2026-W47``.

    Raises:
        ValueError: there is no such week.
    """
    if not (found := re.fullmatch(r"(\d{4})-W(\d{2})", name, re.ASCII)):
        raise ValueError(name)
    monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
    start, end = (timezone.make_aware(datetime.combine(d, time())) for d in (monday, monday + timedelta(days=7)))
    return start, end


def week(name: str) -> Q:
    """Consents whose state is of an ISO week (``span``)."""
    start, end = span(name)
    return Q(effective_at__gte=start, effective_at__lt=end)


def weeks(at: datetime, count: int = 12) -> list[str]:
    """The names of the last ``count`` ISO weeks, the current one last."""
    today = timezone.localtime(at).date()
    days = (today - timedelta(weeks=back) for back in reversed(range(count)))
    return [f"{d.isocalendar().year}-W{d.isocalendar().week:02d}" for d in days]


def said_yes() -> Q:
    """Consents whose proof is a yes."""
    return Q(proof__answer="yes")


def said_no() -> Q:
    """Consents refused when first asked; a later withdrawal is no refusal."""
    return Q(status=Consent.Status.REFUSED)
