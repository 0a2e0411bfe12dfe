"""The figures of the front page: taken in a few set-based queries, kept in one row, refreshed by a job. A second row
keeps which consents have a weak proof, for finding them among a million takes too long for a page."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from celery.schedules import crontab
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.core import jobs
from consent.ledger import decision, selections
from consent.ledger.models import Consent, Figures, Purpose, RenewalTask

# Up to so many consents the figures are taken while the page is made.
SMALL = 1000
_ROW, _WEAK = 1, 2
LISTED = 10_000  # consents with a weak proof that are kept; one more says that there are more
_NOTICES = 10  # notices with most answers


def current() -> tuple[dict[str, Any], datetime | None]:
    """The figures and the moment they describe; empty, without a moment, when a large ledger was never counted."""
    if not _large():
        at = timezone.now()
        return compute(at), at
    kept = Figures.objects.filter(pk=_ROW).first()
    return (kept.data, kept.computed_at) if kept else ({}, None)


def _large() -> bool:
    return bool(Consent.objects.order_by().values_list("pk")[SMALL : SMALL + 1])


def weak() -> Q:
    """The consents whose proof is too weak (``selections.weak``); in a large ledger, among those that were so when the
    figures were taken (``weak_as_of``)."""
    kept = _kept_weak().values_list("data", flat=True).first()
    return selections.weak() if kept is None else Q(pk__in=kept) & selections.weak()


def weak_as_of() -> datetime | None:
    """When the consents with a weak proof were looked for; None: now, in a small ledger."""
    return _kept_weak().values_list("computed_at", flat=True).first()


def _kept_weak() -> QuerySet[Figures]:
    return Figures.objects.filter(pk=_WEAK) if _large() else Figures.objects.none()


@transaction.atomic
def refresh() -> Figures:
    """Count again and keep the result."""
    at = timezone.now()
    data, found = _take(at)
    Figures.objects.update_or_create(pk=_WEAK, defaults={"data": found, "computed_at": at})
    row, _new = Figures.objects.update_or_create(pk=_ROW, defaults={"data": data, "computed_at": at})
    return row


def compute(at: datetime) -> dict[str, Any]:
    """Every figure at ``at``, as plain JSON values."""
    return _take(at)[0]


def _take(at: datetime) -> tuple[dict[str, Any], list[int]]:
    """The figures, and up to ``LISTED`` + 1 of the consents whose proof is too weak."""
    consents = Consent.objects.order_by()
    with_weak = consents.filter(selections.weak())
    listed = list(with_weak.values_list("pk", flat=True)[: LISTED + 1])
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
    figures = {
        **found,
        "weak": len(listed) if len(listed) <= LISTED else with_weak.count(),
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
    return figures, listed


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
