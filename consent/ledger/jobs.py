"""The ledger's scheduled jobs: expire what is over, put what ends soon on the officer's worklist (RULES C7), ask again
where the first text would come too late (RULES C9)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import cast

from celery.schedules import crontab
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.contacts.models import Contact
from consent.core import history, jobs
from consent.ledger import decision, signals, transitions
from consent.ledger.models import Consent, Purpose, RenewalTask

BATCH = 20_000
ASKED_AT_ONCE = 2_000  # people asked to confirm in one transaction
# How the layers above, who send the texts, say which consents were not asked about yet.
unasked: list[Callable[[QuerySet[Consent]], QuerySet[Consent]]] = []


def expire_consents(simulate: bool, limit: int | None) -> Iterator[jobs.Counts]:
    """Move every consent whose time is over to ``expired``, in batches of whole transactions.

    Safe beside a second run: a row changes once, because the condition is checked again by the change itself.
    """
    at = timezone.now()
    due = transitions.due_for_expiry(at)
    if simulate:
        yield {"expired": due.count() if limit is None else due[:limit].count()}
        return
    expired = 0
    while limit is None or expired < limit:
        size = BATCH if limit is None else min(BATCH, limit - expired)
        batch = list(due.order_by("pk").values_list("pk", flat=True)[:size])
        if not batch:
            break
        with transaction.atomic(), history.acting(history.Actor.job("expire_consents"), "The consent's time is over."):
            expired += transitions.expire(due.filter(pk__lte=batch[-1]))
        yield {"expired": expired}
        due = due.filter(pk__gt=batch[-1])  # reads on from here, not from the beginning
    yield {"expired": expired}


def remind_expiring(simulate: bool, limit: int | None) -> Iterator[jobs.Counts]:
    """Put each consent that ends within 60, 30 or 7 days on the worklist, once for each stage."""
    at = timezone.now()
    counts: jobs.Counts = {}
    for stage in RenewalTask.Stage:
        ending = Consent.objects.filter(
            status__in=Consent.PERMITTING, expires_at__gt=at, expires_at__lte=at + timedelta(days=stage.value)
        )
        nearer = [s.value for s in RenewalTask.Stage if s.value < stage.value]
        if nearer:  # a consent that is already closer belongs to the closer stage only
            ending = ending.filter(expires_at__gt=at + timedelta(days=max(nearer)))
        listed = RenewalTask.objects.filter(
            consent=OuterRef("pk"), expires_at=OuterRef("expires_at"), stage=stage.value
        )
        missing = ending.filter(~Exists(listed)).order_by("pk")
        if limit is not None:
            missing = missing[: max(0, limit - sum(counts.values()))]
        key = f"days_{stage.value}"
        if simulate:
            counts[key] = missing.count()
            continue
        counts[key] = 0
        batch: list[RenewalTask] = []
        for pk, expires_at in missing.values_list("pk", "expires_at").iterator(chunk_size=BATCH):
            batch.append(
                RenewalTask(consent_id=pk, expires_at=cast(datetime, expires_at), stage=stage.value, created_at=at)
            )
            if len(batch) == BATCH:
                counts[key] += _list(batch)
                batch = []
                yield dict(counts)
        counts[key] += _list(batch)
        yield dict(counts)
    yield counts


def _list(batch: list[RenewalTask]) -> int:
    if not batch:
        return 0
    with transaction.atomic(), history.acting(history.Actor.job("remind_expiring"), "The consent ends soon."):
        last = RenewalTask.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        RenewalTask.objects.bulk_create(batch, ignore_conflicts=True, batch_size=2000)
        told = history.history_of(RenewalTask).objects.filter(id__gt=last).values("id")  # type: ignore[attr-defined]
        fresh = RenewalTask.objects.filter(pk__gt=last, stage=batch[0].stage, created_at=batch[0].created_at)
        fresh = fresh.exclude(pk__in=told)
        asked = list(fresh.filter(consent__purpose__ask_renewal=True).values_list("consent", flat=True))
        listed = history.created(fresh)
        if asked:
            signals.renewal_asked.send(sender=RenewalTask, consents=asked, stage=batch[0].stage)
        return listed


def ask_reconfirmation(simulate: bool, limit: int | None) -> Iterator[jobs.Counts]:
    """Ask the people whose first text would come too late whether they still want any (RULES C9), once for each yes.

    Only for purposes that say so, and only people whom nothing else keeps from being texted: somebody whose reply is
    being looked at today may be asked tomorrow.
    """
    at = timezone.now()
    counts: jobs.Counts = {"asked": 0}
    for purpose in Purpose.objects.filter(active=True, ask_reconfirmation=True).select_related("brand"):
        context = decision.context_for(purpose, at, tolerated=["reconfirmation_due"])
        late = Consent.objects.filter(
            decision.overdue(purpose, at, held=""), purpose=purpose, status__in=Consent.PERMITTING, expires_at__gt=at
        )
        for asked_already in unasked:
            late = asked_already(late)
        late, last = late.order_by("pk"), 0
        while limit is None or counts["asked"] < limit:
            batch = dict(late.filter(pk__gt=last).values_list("contact", "pk")[:ASKED_AT_ONCE])
            if not batch:
                break
            last = max(batch.values())
            judged = decision.decide(context, Contact.objects.filter(pk__in=batch), few=True)
            reachable = judged.filter(refusal__in=["", *decision.deferring()]).order_by("pk")
            chosen = [batch[pk] for pk in reachable.values_list("pk", flat=True)]
            chosen = chosen if limit is None else chosen[: limit - counts["asked"]]
            if simulate:
                counts["asked"] += len(chosen)
                continue
            with (
                transaction.atomic(),
                history.acting(history.Actor.job("ask_reconfirmation"), "The first text is late."),
            ):
                told = signals.reconfirmation_asked.send(sender=Consent, consents=chosen) if chosen else []
            counts["asked"] += sum(int(count or 0) for _receiver, count in told)
            yield dict(counts)
    yield counts


jobs.register(jobs.Job("expire_consents", _("Expire consents whose time is over"), crontab(minute=5), expire_consents))
jobs.register(
    jobs.Job("remind_expiring", _("List consents that end soon"), crontab(hour=6, minute=15), remind_expiring)
)
jobs.register(
    jobs.Job(
        "ask_reconfirmation",
        _("Ask again where the first text is late"),
        crontab(hour=4, minute=20),
        ask_reconfirmation,
    )
)
