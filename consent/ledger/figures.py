"""The figures of the front page: taken in a few set-based queries, kept in one row, refreshed by a job."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from celery.schedules import crontab
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.core import jobs
from consent.ledger import decision, selections
from consent.ledger.models import Consent, Figures, Purpose, RenewalTask

# Up to so many consents the figures are taken while the page is made.
SMALL = 1000
_ROW = 1
_NOTICES = 10  # notices with most answers


def current() -> tuple[dict[str, Any], datetime | None]:
    """The figures and the moment they describe; empty, without a moment, when a large ledger was never counted."""
    if not Consent.objects.order_by().values_list("pk")[SMALL : SMALL + 1]:
        at = timezone.now()
        return compute(at), at
    kept = Figures.objects.filter(pk=_ROW).first()
    return (kept.data, kept.computed_at) if kept else ({}, None)


def refresh() -> Figures:
    """Count again and keep the result."""
    at = timezone.now()
    row, _new = Figures.objects.update_or_create(pk=_ROW, defaults={"data": compute(at), "computed_at": at})
    return row


def compute(at: datetime) -> dict[str, Any]:
    """Every figure at ``at``, as plain JSON values."""
    consents = Consent.objects.order_by()
    weeks = selections.weeks(at)
    counted = {
        "live": selections.live(at),
        **{f"expiring_{days}": selections.expiring(days, at) for days in selections.EXPIRING},
        "requested": Q(status=Consent.Status.REQUESTED),
        "missing": selections.missing(),
    }
    found = consents.aggregate(**{name: Count("pk", filter=condition) for name, condition in counted.items()})
    by_week = {
        f"{status}_{index}": Count("pk", filter=Q(status=status) & selections.week(name))
        for status in (Consent.Status.REFUSED, Consent.Status.WITHDRAWN)
        for index, name in enumerate(weeks)
    }
    ended = [Consent.Status.REFUSED, Consent.Status.WITHDRAWN]
    recent = consents.filter(status__in=ended, effective_at__gte=selections.span(weeks[0])[0]).aggregate(**by_week)
    return {
        **found,
        "weak": consents.filter(selections.weak()).count(),
        "weeks": [
            {"week": name, "refused": recent[f"refused_{i}"], "withdrawn": recent[f"withdrawn_{i}"]}
            for i, name in enumerate(weeks)
        ],
        "methods": _rates(consents, "proof__method"),
        "notices": _rates(consents, "proof__notice")[:_NOTICES],
        "renewals": RenewalTask.objects.filter(done_at__isnull=True).count(),
        "reach": [
            {"purpose": purpose.pk, "counts": decision.counts(decision.context_for(purpose, at))}
            for purpose in Purpose.objects.filter(active=True).order_by("brand__name", "position", "name")
        ],
    }


def _rates(consents: QuerySet[Consent], by: str) -> list[dict[str, Any]]:
    rows = (
        consents.filter(**{f"{by}__isnull": False})
        .values(by)
        .annotate(yes=Count("pk", filter=selections.said_yes()), no=Count("pk", filter=selections.said_no()))
    )
    rates = [{"key": row[by], "yes": row["yes"], "no": row["no"]} for row in rows if row["yes"] + row["no"]]
    return sorted(rates, key=lambda row: (-row["yes"] - row["no"], str(row["key"])))


def refresh_figures(simulate: bool, limit: int | None) -> Iterator[jobs.Counts]:
    """The job behind ``refresh``; counting is all it does, so a simulation counts too and keeps nothing."""
    if simulate:
        compute(timezone.now())
        yield {"refreshed": 0}
        return
    refresh()
    yield {"refreshed": 1}


jobs.register(
    jobs.Job("refresh_figures", _("Count the figures of the front page"), crontab(minute="*/5"), refresh_figures)
)
