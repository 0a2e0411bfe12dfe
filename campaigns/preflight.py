"""What would happen if a campaign were sent: how many get it, who does not and why, what it costs, when it goes.

The audience is judged once by the one decision, grouped by refusal, language and place; the hours of each place are
then asked of the same sending windows the decision asks, so that the figures equal ``decision.counts``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import rules, workflow
from campaigns.forecast import forecast
from campaigns.models import Campaign
from campaigns.openings import Hours, Place
from consent.contacts.models import Contact
from consent.ledger import decision

ALLOWED = "allowed"
DEFERRED = ("frequency_cap", "outside_window")
SAMPLE = 100  # contacts whose real data is merged in to measure the texts
# Where nobody is there to sample: a long name with an accent that GSM-7 does not know.
_STAND_IN = "Maximiliána Bartolomé"


@dataclass(frozen=True)
class Difference:
    """A figure that is not what it was when the campaign was approved."""

    code: str
    before: int
    now: int


def run(campaign: Campaign, at: datetime) -> dict[str, Any]:
    """Judge the audience and keep the figures on the campaign.

    Args:
        campaign: in any state before the launch.
        at: the moment judged and from which sending is simulated (aware).

    Returns:
        ``at``, ``content`` (fingerprint of what was judged), ``total``, ``counts`` by code in order of precedence with
        ``allowed`` first, ``deferred`` (how many of them wait), ``languages`` (a row per language people speak, with
        the text they get, parts and cost), ``parts``, ``cost``, ``currency``, ``first``, ``last``, ``left``.
    """
    row = Campaign.objects.select_related("purpose__brand", "sender__brand", "sender__stop_sender", "audience").get(
        pk=campaign.pk
    )
    stands = workflow.content(row)
    # Whether a place is open is asked below, once per place: it stands last, so that only the allowed are asked.
    context = decision.context_for(row.purpose, at, row, tolerated={"outside_window"})
    hours = rules.hours_of(context)
    counts, languages, places = _judge(context, row.audience.contacts(), hours)
    ends = at + timedelta(days=settings.CAMPAIGN_DAYS)
    expected = forecast(hours, places, at, ends, row.sender.rate_per_second)
    rows = _priced(row, languages)
    found = {
        "at": at.isoformat(),
        "content": stands,
        "total": sum(counts.values()),
        "counts": counts,
        "deferred": sum(counts.get(code, 0) for code in DEFERRED),
        "languages": rows,
        "parts": sum(entry["total"] for entry in rows),
        "cost": str(sum((Decimal(entry["cost"]) for entry in rows), Decimal(0))),
        "currency": row.sender.currency,
        "first": expected.first.isoformat() if expected.first else None,
        "last": expected.last.isoformat() if expected.last else None,
        "left": expected.left,
    }
    # No history: figures are no decision of anybody's. What was approved is kept with the approval.
    Campaign.objects.filter(pk=campaign.pk).update(preflight=found, preflight_at=at)
    campaign.preflight, campaign.preflight_at = found, at
    return found


def covers(campaign: Campaign) -> bool:
    """Whether the kept figures are about the campaign as it stands."""
    return (campaign.preflight or {}).get("content") == workflow.content(campaign)


def fresh(campaign: Campaign, within: timedelta) -> bool:
    """Whether the kept figures are about the campaign as it stands and not older than ``within``."""
    young = campaign.preflight_at is not None and timezone.now() - campaign.preflight_at <= within
    return young and covers(campaign)


def _judge(
    context: decision.Context, contacts: QuerySet[Contact], hours: Hours
) -> tuple[dict[str, int], Counter[str], dict[Place, int]]:
    """Counts by code, how many of those who would get it speak each language, and where they are."""
    groups = (
        decision.decide(context, contacts)
        .order_by()
        .values_list("refusal", "language", "country", "region", "known_zone", "zones")
        .annotate(n=Count("*"))
    )
    found: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    places: Counter[Place] = Counter()
    is_open: dict[Place, bool] = {}
    for refusal, language, country, region, known_zone, zones, n in groups:
        if refusal and refusal not in DEFERRED:
            found[refusal] += n
            continue
        languages[language] += n  # who waits gets it too, later
        if refusal:
            found[refusal] += n
            continue
        place = Place(country, region, known_zone or zones)
        places[place] += n
        if place not in is_open:
            is_open[place] = hours.is_open(place, context.at)
        found[ALLOWED if is_open[place] else "outside_window"] += n
    ordered = {ALLOWED: found[ALLOWED]} | {r.code: found[r.code] for r in decision.RULES if found[r.code]}
    return ordered, languages, dict(places)


def _priced(campaign: Campaign, languages: Mapping[str, int]) -> list[dict[str, Any]]:
    """A row per language people speak: the text they get, its parts and cost with the data of a sample of them."""
    bodies = dict(campaign.bodies.values_list("language", "text"))
    sample = list(campaign.audience.contacts().order_by("-id")[:SAMPLE]) or [Contact(name=_STAND_IN)]
    measured: dict[str, tuple[str, int, Decimal]] = {}
    rows = []
    for language, people in sorted(languages.items(), key=lambda item: (-item[1], item[0])):
        gets = language if language in bodies else campaign.language
        if gets not in measured:
            measured[gets] = _measured(campaign, bodies.get(gets, ""), gets, sample)
        encoding, parts, average = measured[gets]
        cost = (campaign.sender.price_per_part * average * people).quantize(Decimal("0.01"), ROUND_UP)
        rows.append(
            {
                "language": language,
                "people": people,
                "body": gets,
                "encoding": encoding,
                "parts": parts,
                "total": round(average * people),
                "cost": str(cost),
            }
        )
    return rows


def _measured(campaign: Campaign, body: str, language: str, sample: Sequence[Contact]) -> tuple[str, int, Decimal]:
    """Encoding and parts of the longest text anybody of the sample would get, and the parts on average."""
    from campaigns import segments, wording

    if not body or wording.problems(body):  # no text anybody could get
        return "", 0, Decimal(0)
    found = [
        segments.measure(
            wording.render(
                body, contact=contact, sender=campaign.sender, purpose=campaign.purpose, language=language, first=True
            )
        )
        for contact in sample
    ]
    longest = max(found, key=lambda one: one.parts)
    return longest.encoding, longest.parts, Decimal(sum(one.parts for one in found)) / len(found)


def differences(campaign: Campaign) -> list[Difference]:
    """The counts that are not what the approver saw, in order of precedence."""
    seen, newest = campaign.approved_counts, campaign.preflight
    if not seen or not newest or seen["at"] == newest["at"]:
        return []
    before, now = seen["counts"], newest["counts"]
    codes = [ALLOWED, *(rule.code for rule in decision.RULES)]
    return [
        Difference(code, before.get(code, 0), now.get(code, 0))
        for code in codes
        if before.get(code, 0) != now.get(code, 0)
    ]


def meaning(code: str) -> str:
    """A code in words."""
    if code == ALLOWED:
        return str(_("May be texted at once."))
    return str(decision.BY_CODE[code].sentence) if code in decision.BY_CODE else code
