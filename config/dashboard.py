"""The front page: what each person needs first. It reads figures kept by a job and asks the database little else."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, F, Q, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from campaigns import outbox
from campaigns.models import Campaign, Conversation, InboundMessage, Message
from consent.contacts.models import Contact
from consent.core import charts, jobs
from consent.ledger import access, decision, figures, selections
from consent.ledger.models import Brand, Consent, ImportBatch, Method, Notice, PrivacyPolicy, Proof, Purpose
from consent.retention.models import JobRun
from consent.retention.tasks import run_job

OWN_SHOWN, IMPORTS_SHOWN = 10, 5


@dataclass
class Figure:
    """A number, what it counts, and the list behind it; a tone where somebody should act."""

    value: int
    label: str | Promise
    url: str
    tone: str = ""


def context(request: HttpRequest) -> dict[str, Any]:
    """What the front page shows this person."""
    user: Any = request.user
    shown: dict[str, Any] = {"may_record": user.has_perm("ledger.record_opt_in")}
    overview = user.has_perms(["ledger.view_consent", "contacts.see_numbers"])
    reach = not overview and user.has_perm("contacts.view_audience")
    if overview or reach:
        data, at = figures.current()
        shown |= {"as_of": at, "may_refresh": user.has_perm("retention.run_job"), "counted": bool(data)}
        if data:
            shown |= _overview(data) if overview else _reach(data)
        shown["work"] = _work(user)
        if reach and user.has_perm("campaigns.add_campaign"):
            shown["campaigns"] = _own_campaigns(user)
    elif shown["may_record"]:
        shown["work"] = _answering(user)
        shown["own"] = (
            Proof.objects.filter(recorded_by_user=user)
            .select_related("contact", "purpose__brand")
            .order_by("-id")[:OWN_SHOWN]
        )
    return shown


def consents(**parameters: Any) -> str:
    """The list of consents behind a figure."""
    return f"{reverse('admin:ledger_consent_changelist')}?{urlencode(parameters)}"


def _overview(data: dict[str, Any]) -> dict[str, Any]:
    proofs = [
        Figure(data["weak"], _("Weak proof"), consents(proof="weak"), "warn" if data["weak"] else ""),
        Figure(data["missing"], _("Missing proof"), consents(proof="missing"), "warn" if data["missing"] else ""),
        Figure(data["renewals"], _("Renewals open"), reverse("admin:ledger_renewaltask_changelist")),
    ]
    ends = [
        Figure(data[f"expiring_{d}"], _("End within %(days)s days") % {"days": d}, consents(expiring=d))
        for d in selections.EXPIRING
    ]
    low, high = _expected(list(Brand.objects.all()))
    return {
        "figures": [
            Figure(data["live"], _("Live consents"), consents(live=1)),
            Figure(data["requested"], _("Waiting for confirmation"), consents(status__exact="requested")),
            *ends,
            *proofs,
        ],
        "charts": [
            _chart(data["weeks"], Consent.Status.REFUSED, _("Refused per week")),
            _chart(data["weeks"], Consent.Status.WITHDRAWN, _("Withdrawn per week"), hatched=True),
        ],
        "methods": [
            _rate(row, str(Method(row["key"]).label), {"method": row["key"]}, low, high) for row in data["methods"]
        ],
        "notices": _notices(data["notices"]),
    }


def _chart(weeks: list[dict[str, Any]], status: str, title: str, *, hatched: bool = False) -> dict[str, Any]:
    values = [week[status] for week in weeks]
    summary = _("%(total)s in twelve weeks; %(last)s this week.") % {"total": sum(values), "last": values[-1]}
    return {
        "title": title,
        "summary": summary,
        "svg": charts.bars(
            values,
            [week["week"].partition("-W")[2] for week in weeks],
            name=f"weeks-{status}",
            title=title,
            summary=summary,
            hatched=hatched,
        ),
        "rows": [
            {"week": w["week"], "value": w[status], "url": consents(week=w["week"], status__exact=status)}
            for w in weeks
        ],
    }


def _expected(brands: list[Brand]) -> tuple[float, float]:
    """The benchmark across brands: from the lowest to the highest (S0; editable per brand)."""
    low = min((float(b.opt_in_rate_low) for b in brands), default=0.0)
    return low, max((float(b.opt_in_rate_high) for b in brands), default=100.0)


def _rate(row: dict[str, Any], label: str, where: dict[str, Any], low: float, high: float) -> dict[str, Any]:
    percent = 100 * row["yes"] / (row["yes"] + row["no"])
    expected = {"range": f"{low:g}–{high:g} %"}
    if percent < low:
        word, tone = _("below %(range)s") % expected, "warn"
    elif percent > high:
        word, tone = _("above %(range)s") % expected, "muted"
    else:
        word, tone = _("within %(range)s") % expected, "ok"
    return {
        "label": label,
        "yes": Figure(row["yes"], _("yes"), consents(**where, answer="yes")),
        "no": Figure(row["no"], _("no"), consents(**where, status__exact="refused")),
        "percent": percent,
        "bar": charts.rate(percent, low, high),
        "word": word,
        "tone": tone,
    }


def _notices(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = Notice.objects.select_related("purpose__brand").in_bulk([row["key"] for row in rows])
    return [
        _rate(row, str(notice), {"notice": notice.pk}, *_expected([notice.purpose.brand]))
        for row in rows
        if (notice := found.get(row["key"]))
    ]


def _reach(data: dict[str, Any]) -> dict[str, Any]:
    """How many may be texted now or at the next hour, by purpose: a campaign manager sees no persons."""
    purposes = Purpose.objects.select_related("brand").in_bulk([row["purpose"] for row in data["reach"]])
    return {
        "reach": [
            Figure(
                sum(row["counts"].get(code, 0) for code in ("allowed", *decision.deferring())),
                str(purposes[row["purpose"]]),
                reverse("admin:ledger_purpose_change", args=[row["purpose"]]),
            )
            for row in data["reach"]
            if row["purpose"] in purposes
        ]
    }


def _work(user: Any) -> list[Figure | dict[str, Any]]:
    """What waits for somebody, from tables that stay small."""
    waiting: list[Any] = [*_texting(user), *_answering(user)]
    for model in (Notice, PrivacyPolicy):
        name = model._meta.model_name
        if user.has_perm(f"ledger.view_{name}"):
            drafts = model.objects.filter(published_at__isnull=True).count()
            url = f"{reverse(f'admin:ledger_{name}_changelist')}?state=draft"
            if model is Notice:
                label = ngettext("notice in draft", "notices in draft", drafts)
            else:
                label = ngettext("privacy policy in draft", "privacy policies in draft", drafts)
            waiting.append(Figure(drafts, label, url))
    if user.has_perm("ledger.view_importbatch"):
        since = timezone.now() - timedelta(days=settings.IMPORT_FILE_DAYS)
        batches = ImportBatch.objects.filter(rejected__gt=0, created_at__gte=since)
        for batch in batches.exclude(state=ImportBatch.State.DISCARDED).order_by("-id")[:IMPORTS_SHOWN]:
            label = ngettext("rejected row in %(file)s", "rejected rows in %(file)s", batch.rejected)
            label %= {"file": batch.filename}
            waiting.append(Figure(batch.rejected, label, reverse("admin:ledger_importbatch_change", args=[batch.pk])))
    if user.has_perm("retention.view_jobrun"):
        waiting += _failing()
    return [figure for figure in waiting if not isinstance(figure, Figure) or figure.value]


def _texting(user: Any) -> list[Figure | dict[str, Any]]:
    """Campaigns to be approved or looked after, texts whose outcome nobody knows, doubtful replies, what is mute."""
    waiting: list[Figure | dict[str, Any]] = []
    if user.has_perm("campaigns.review_inbound"):
        n = InboundMessage.objects.filter(state=InboundMessage.State.REVIEW).count()
        label = ngettext("reply that may mean stop", "replies that may mean stop", n)
        waiting.append(Figure(n, label, reverse("admin:campaigns_inboundmessage_changelist"), "stop"))
    approves, starts = (user.has_perm(f"campaigns.{name}_campaign") for name in ("approve", "launch"))
    if approves or starts:
        paused, by = Q(state=Campaign.State.PAUSED), Campaign.PausedBy
        found = Campaign.objects.aggregate(
            in_review=Count("pk", filter=Q(state=Campaign.State.IN_REVIEW)),
            braked=Count("pk", filter=paused & Q(paused_by=by.BRAKE)),
            refused=Count("pk", filter=paused & Q(paused_by=by.GATEWAY)),
        )
        url = f"{reverse('admin:campaigns_campaign_changelist')}?state__exact="
        if approves:
            n = found["in_review"]
            waiting.append(Figure(n, ngettext("campaign to approve", "campaigns to approve", n), f"{url}in_review"))
        n = found["braked"]
        label = ngettext("campaign stopped by the brake", "campaigns stopped by the brake", n)
        waiting.append(Figure(n, label, f"{url}paused", "stop"))
        n = found["refused"]
        label = ngettext("campaign the gateway refuses", "campaigns the gateway refuses", n)
        waiting.append(Figure(n, label, f"{url}paused", "stop"))
    if user.has_perm("campaigns.resolve_message"):
        n = Message.objects.filter(state=Message.State.UNKNOWN).count()
        label = ngettext("text with unknown outcome", "texts with unknown outcome", n)
        waiting.append(Figure(n, label, f"{reverse('admin:campaigns_message_changelist')}?unknown=1"))
    if user.has_perm("campaigns.view_sender"):
        url = reverse("admin:campaigns_sender_changelist")
        sentence = _("%(purpose)s: no sender may text for it")
        waiting += [{"sentence": sentence % {"purpose": purpose}, "url": url} for purpose in outbox.mute()]
    return waiting


def _answering(user: Any) -> list[Figure]:
    """The people who wait for an answer, as far as this person may answer them."""
    if not user.has_perm("campaigns.reply_conversation"):
        return []
    waiting = Conversation.objects.filter(
        Q(answered_at__isnull=True) | Q(answered_at__lt=F("last_inbound_at")), closes_at__gt=timezone.now()
    )
    if not user.has_perm("contacts.see_numbers"):
        waiting = waiting.filter(contact__in=Contact.objects.filter(access.own(user)).order_by().values("pk"))
    n = waiting.count()
    label = ngettext("person waits for an answer", "people wait for an answer", n)
    return [Figure(n, label, reverse("admin:campaigns_conversation_changelist"))] if n else []


def _own_campaigns(user: Any) -> list[dict[str, Any]]:
    """What a campaign manager wrote, the newest first."""
    from campaigns.admin.words import campaign_badge  # registers models, for which the site must exist

    own = Campaign.objects.filter(Q(author=user) | Q(editor=user)).select_related("purpose__brand").order_by("-id")
    return [
        {
            "campaign": campaign,
            "badge": campaign_badge(campaign),
            "url": reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
        }
        for campaign in own[:OWN_SHOWN]
    ]


def _failing() -> list[dict[str, Any]]:
    """Jobs whose last real run did not end well."""
    real = JobRun.objects.filter(simulated=False).order_by("-id").values("pk")
    last = [Subquery(real.filter(job=job.name)[:1]) for job in jobs.registered()]
    bad = JobRun.objects.filter(pk__in=last, state__in=[JobRun.State.FAILED, JobRun.State.INTERRUPTED])
    titles = {job.name: job.title for job in jobs.registered()}
    return [
        {
            "job": titles[run.job],
            "state": run.get_state_display(),
            "at": run.started_at,
            "url": reverse("admin:retention_jobrun_change", args=[run.pk]),
        }
        for run in bad.order_by("job")
    ]


@require_POST
def refresh_view(request: HttpRequest) -> HttpResponse:
    """Put the count on the queue; it reads everything and may take a minute."""
    if not request.user.has_perm("retention.run_job"):
        raise PermissionDenied
    transaction.on_commit(partial(run_job.delay, "refresh_figures", False, request.user.pk))
    messages.success(request, _("The figures are being counted. Reload the page in a moment."))
    return HttpResponseRedirect(reverse("admin:index"))
