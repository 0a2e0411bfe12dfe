"""How far a campaign got and what came of it, in figures."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncHour

from campaigns.models import Campaign, InboundMessage, Message

S = Message.State
WAITING = (S.QUEUED, S.CLAIMED, S.HANDED)
# The figures of a campaign, each with the states of its messages it counts.
FIGURES: dict[str, tuple[str, ...]] = {
    "waiting": WAITING,
    "sent": (S.SENT, S.DELIVERED, S.UNDELIVERED, S.SILENT, S.UNKNOWN),
    "delivered": (S.DELIVERED,),
    "failed": (S.UNDELIVERED, S.FAILED),
    "unknown": (S.UNKNOWN,),
    "stopped": (S.BLOCKED, S.CANCELLED, S.LATE),
    "refused": (S.REFUSED,),
}
HOURS_SHOWN = 48


def by_state(campaigns: Iterable[Campaign]) -> dict[int, Counter[str]]:
    """How many messages of each campaign are in each state, in one query of an index."""
    found: dict[int, Counter[str]] = {campaign.pk: Counter() for campaign in campaigns}
    rows = Message.objects.filter(campaign__in=list(found)).order_by().values_list("campaign", "state")
    for pk, state, n in rows.annotate(n=Count("*")) if found else ():
        found[pk][state] = n
    return found


def answers(campaign: Campaign) -> dict[str, int]:
    """How many texts came back, and how many people opted out."""
    inbound = InboundMessage.objects.filter(campaign=campaign)
    stops = inbound.filter(meaning=InboundMessage.Meaning.OPT_OUT)
    return {"replies": inbound.count(), "opt_outs": stops.values("phone").distinct().count()}


def figures(campaign: Campaign) -> dict[str, int]:
    """Every figure of a campaign by name: those of ``FIGURES``, ``total``, ``replies`` and ``opt_outs``."""
    states = by_state([campaign])[campaign.pk]
    counted = {name: sum(states[state] for state in held) for name, held in FIGURES.items()}
    return {"total": sum(states.values())} | counted | answers(campaign)


def refusals(campaign: Campaign) -> list[tuple[str, int]]:
    """The codes that refused people, the most frequent first."""
    rows = campaign.messages.filter(state=S.REFUSED).order_by().values_list("refusal")
    return sorted(rows.annotate(n=Count("*")), key=lambda row: (-row[1], row[0]))


def hourly(campaign: Campaign, now: datetime) -> tuple[list[datetime], dict[str, list[int]]]:
    """What happened in each hour since the launch, the last ``HOURS_SHOWN`` that have something or are to come to now.

    Args:
        campaign: launched.
        now: the end, unless the campaign ended before.

    Returns:
        The beginnings of the hours (UTC), and for each series as many numbers.
    """
    messages, inbound = campaign.messages.all(), InboundMessage.objects.filter(campaign=campaign)
    series = {
        "sent": _per_hour(messages.filter(state__in=FIGURES["sent"]), "handed_at"),
        "delivered": _per_hour(messages.filter(state=S.DELIVERED), "finished_at"),
        "replies": _per_hour(inbound, "received_at"),
        "opt_outs": _per_hour(inbound.filter(meaning=InboundMessage.Meaning.OPT_OUT), "received_at"),
    }
    seen = sorted({hour for counted in series.values() for hour in counted})
    if not seen:
        return [], {name: [] for name in series}
    end = max(
        seen[-1], min(now, campaign.finished_at or now).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    )
    last = min(end, seen[-1] + timedelta(hours=3))  # an idle night is not drawn to its end
    first = max(seen[0], last - timedelta(hours=HOURS_SHOWN - 1))
    hours = [first + timedelta(hours=n) for n in range(round((last - first) / timedelta(hours=1)) + 1)]
    return hours, {name: [counted.get(hour, 0) for hour in hours] for name, counted in series.items()}


def _per_hour(rows: QuerySet[Any], field: str) -> dict[datetime, int]:
    dated = rows.filter(**{f"{field}__isnull": False}).order_by()
    return dict(dated.annotate(hour=TruncHour(field, tzinfo=UTC)).values_list("hour").annotate(n=Count("*")))
