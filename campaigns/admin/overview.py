"""What the page of a campaign shows: its texts, the preflight, how far it got and what came of it."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from campaigns import lint, preflight, progress, segments, wording, workflow
from campaigns.admin.words import messages_url, sentence
from campaigns.brake import figures as figures_of_brake
from campaigns.models import Campaign
from consent.contacts.models import Contact
from consent.core import charts

S = Campaign.State
_KEPT = 20  # seconds a chart may be old while a campaign is sending
LANGUAGES = dict(settings.LANGUAGES)


def in_zone(campaign: Campaign, moment: datetime | None) -> str:
    """A moment in the zone of the brand, with the zone where it is not the site's."""
    if moment is None:
        return "–"
    shown = local(campaign, moment)
    zone = foreign_zone(campaign)
    return f"{shown} ({zone})" if zone else shown


def local(campaign: Campaign, moment: datetime | None) -> str:
    """A moment in the zone of the brand."""
    zone = ZoneInfo(campaign.purpose.brand.zone)
    return formats.date_format(moment.astimezone(zone), "SHORT_DATETIME_FORMAT") if moment else "–"


def foreign_zone(campaign: Campaign) -> str:
    """The zone of the brand, where it is not the site's."""
    zone = campaign.purpose.brand.zone
    return "" if zone == settings.TIME_ZONE else zone


# --- before the launch -------------------------------------------------------------------------------------


def check(campaign: Campaign, *, people: bool) -> dict[str, Any] | None:
    """The kept preflight in words; None when there is none.

    Args:
        campaign: whose.
        people: whether the counts lead to the contacts behind them.
    """
    found = campaign.preflight
    if not found:
        return None
    name = "admin:campaigns_campaign_people"
    rows = [
        {
            "code": code,
            "count": count,
            "meaning": preflight.meaning(code),
            "tone": "ok" if code == preflight.ALLOWED else "warn" if code in preflight.DEFERRED else "muted",
            "url": reverse(name, args=[campaign.pk, code]) if people and count else "",
        }
        for code, count in found["counts"].items()
    ]
    languages = [
        {
            **row,
            "spoken": LANGUAGES.get(row["language"], row["language"]),
            "gets": LANGUAGES.get(row["body"], row["body"]),
        }
        for row in found["languages"]
    ]
    return {
        **found,
        "rows": rows,
        "languages": languages,
        "reach": sum(row["people"] for row in found["languages"]),
        "priced": float(found["cost"]) > 0,
        "at": datetime.fromisoformat(found["at"]),
        "first": local(campaign, _moment(found["first"])),
        "last": local(campaign, _moment(found["last"])),
        "zone": foreign_zone(campaign),
        "covers": campaign.launched_at is not None or preflight.covers(campaign),
        "changes": preflight.differences(campaign),
        "approved": campaign.approved_counts is not None,
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# --- after the launch --------------------------------------------------------------------------------------


def live(campaign: Campaign) -> dict[str, Any]:
    """How far a campaign got, for the page and for the script that keeps it up to date."""
    found = progress.figures(campaign)
    allowed = found["total"] - found["refused"]
    done = allowed - found["waiting"]
    words = {"done": formats.number_format(done, force_grouping=True), "total": formats.number_format(allowed)}
    text = _("%(done)s of %(total)s done") % words
    if campaign.state == S.SENDING and not found["total"]:
        text = _("The texts are being written down, one for each person.")
    return {
        "state": campaign.state,
        "done": done,
        "total": allowed,
        "text": text,
        "figures": {
            name: formats.number_format(value, use_l10n=True, force_grouping=True) for name, value in found.items()
        },
        "counts": found,
    }


def figures(campaign: Campaign, now: dict[str, Any], *, linked: bool) -> list[dict[str, Any]]:
    """The cards below the progress bar; each leads to its texts for those who may see them."""
    labels = {
        "sent": (_("Sent"), ""),
        "delivered": (_("Delivered"), ""),
        "waiting": (_("Waiting"), ""),
        "failed": (_("Not delivered"), "warn"),
        "unknown": (_("Outcome unknown"), "warn"),
        "stopped": (_("Not sent any more"), ""),
        "refused": (_("Refused by a rule"), ""),
        "replies": (_("Replies"), ""),
        "opt_outs": (_("Opt-outs"), ""),
    }
    cards = []
    for name, (label, tone) in labels.items():
        held = progress.FIGURES.get(name)
        url = messages_url(campaign=campaign.pk, state__in=",".join(held)) if linked and held else ""
        count = now["counts"][name]
        cards.append(
            {"name": name, "label": label, "count": count, "url": url, "tone": tone if count else ""},
        )
    return cards


def refused(campaign: Campaign, *, linked: bool) -> list[dict[str, Any]]:
    """Why people did not get it, the most frequent reason first."""
    return [
        {
            "code": code,
            "meaning": sentence(code),
            "count": count,
            "url": messages_url(campaign=campaign.pk, state__exact="refused", refusal=code) if linked else "",
        }
        for code, count in progress.refusals(campaign)
    ]


def drawn(campaign: Campaign) -> list[dict[str, Any]]:
    """The charts, kept for a while: they read every text of the campaign."""
    key = f"campaign-charts-{campaign.pk}-{campaign.state}-{campaign.launched_at:%Y%m%d%H%M%S%f}"
    data = cache.get(key)
    if data is None:
        data = progress.hourly(campaign, timezone.now())
        cache.set(key, data, _KEPT)
    hours, series = data
    zone = ZoneInfo(campaign.purpose.brand.zone)
    clock = [hour.astimezone(zone) for hour in hours]
    labels = [f"{hour:%H}" for hour in clock]
    titles = {
        "sent": _("Sent per hour"),
        "delivered": _("Delivered per hour"),
        "replies": _("Replies per hour"),
        "opt_outs": _("Opt-outs per hour"),
    }
    shown = []
    for index, (name, title) in enumerate(titles.items()):
        values = series[name]
        total = sum(values)
        if not total:
            summary = _("None so far.")
        else:
            peak = clock[values.index(max(values))]
            summary = _("%(total)s in %(hours)s hours; most, %(most)s, in the hour from %(peak)s.") % {
                "total": formats.number_format(total, force_grouping=True),
                "hours": len(hours),
                "most": formats.number_format(max(values), force_grouping=True),
                "peak": formats.date_format(peak, "SHORT_DATETIME_FORMAT"),
            }
        svg = charts.series(values, labels, name=f"hours-{name}", title=title, summary=summary, hatched=bool(index % 2))
        rows = [
            {"hour": formats.date_format(hour, "SHORT_DATETIME_FORMAT"), "value": value}
            for hour, value in zip(clock, values, strict=True)
            if value
        ]
        shown.append({"name": name, "title": title, "summary": summary, "svg": svg if total else "", "rows": rows})
    return shown


def brake(campaign: Campaign) -> dict[str, Any] | None:
    """The figures behind a pause by the brake; None when it was not the brake."""
    if campaign.state != S.PAUSED or campaign.paused_by != Campaign.PausedBy.BRAKE:
        return None
    sent, stops = figures_of_brake(campaign)
    limit = campaign.purpose.brand.stop_brake_percent
    return {"stops": stops, "sent": sent, "percent": 100 * stops / sent if sent else 0, "limit": limit}


# --- what it is --------------------------------------------------------------------------------------------


def facts(campaign: Campaign) -> list[tuple[Any, Any]]:
    """Who wrote what for whom, who allowed it, and when it went."""
    rows: list[tuple[Any, Any]] = [
        (_("Purpose"), campaign.purpose),
        (_("Audience"), campaign.audience),
        (_("Sender"), campaign.sender),
        (_("Written by"), campaign.author),
    ]
    if campaign.editor_id != campaign.author_id:
        rows.append((_("Last edited by"), campaign.editor))
    if campaign.approver_id:
        rows.append((_("Approved by"), f"{campaign.approver} · {in_zone(campaign, campaign.approved_at)}"))
    if campaign.scheduled_at:
        rows.append((_("Starts"), in_zone(campaign, campaign.scheduled_at)))
    if campaign.launched_at:
        rows.append((_("Launched"), in_zone(campaign, campaign.launched_at)))
    if campaign.ends_at:
        rows.append((_("Not sent after"), in_zone(campaign, campaign.ends_at)))
    if campaign.finished_at:
        rows.append((_("Finished"), in_zone(campaign, campaign.finished_at)))
    return rows


def texts(campaign: Campaign) -> list[dict[str, Any]]:
    """The text in each language, complete, with made-up data in its placeholders, and what is to be said about it."""
    shown = []
    for body in campaign.bodies.all():
        someone = Contact(name=wording.example_name(body.language), language=body.language)
        about = {"sender": campaign.sender, "purpose": campaign.purpose}
        row: dict[str, Any] = {"language": body.language, "name": LANGUAGES[body.language], "text": body.text}
        try:
            row["text"] = wording.render(body.text, contact=someone, language=body.language, first=True, **about)
            row["size"] = segments.measure(row["text"])
        except wording.UnfitText:
            pass  # it is shown as written; the findings say what is wrong with it
        if campaign.state in workflow.EDITABLE:
            row["findings"] = lint.findings(body.text, body.language, **about)
        shown.append(row | {"fallback": body.language == campaign.language})
    return sorted(shown, key=lambda row: not row["fallback"])
