"""Job runs: what ran, when, how long, how many, what went wrong; and the buttons to run or simulate a job now."""

from functools import partial
from typing import Any

from celery.schedules import crontab
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.core import jobs
from consent.core.admin import PlacetAdmin, ReadOnly
from consent.retention.models import JobRun
from consent.retention.tasks import run_job

State = JobRun.State
TONES = {State.RUNNING: "muted", State.DONE: "ok", State.FAILED: "stop", State.INTERRUPTED: "warn"}


def schedule_in_words(schedule: crontab) -> str:
    """When beat runs a job, as people say it; anything unusual as its cron line."""
    minute, hour, *others = (
        str(getattr(schedule, f"_orig_{part}"))
        for part in ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    )
    if [hour, *others] == ["*"] * 4 and minute == "*":
        return _("every minute")
    if [hour, *others] == ["*"] * 4 and minute.startswith("*/") and minute[2:].isdigit():
        return _("every %(minutes)d minutes") % {"minutes": int(minute[2:])}
    if others == ["*"] * 3 and minute.isdigit():
        if hour == "*":
            return _("every hour at minute %(minute)02d") % {"minute": int(minute)}
        if hour.isdigit():
            return _("every day at %(hour)02d:%(minute)02d") % {"hour": int(hour), "minute": int(minute)}
    return " ".join([minute, hour, *others])


def state_badge(run: JobRun) -> SafeString:
    return format_html(
        '<span class="badge badge--{}">{}</span>',
        TONES[State(run.state)],
        run.get_state_display(),  # type: ignore[attr-defined]
    )


@admin.register(JobRun)
class JobRunAdmin(ReadOnly, PlacetAdmin):
    """The runs, newest first, below the jobs."""

    change_list_template = "admin/retention/jobrun/change_list.html"
    list_display = ("started_at", "job", "state_word", "simulated", "took", "how_many", "asked_by")
    list_filter = ("job", "state", "simulated")
    list_select_related = ("started_by",)
    ordering = ("-id",)
    sortable_by = ()
    fields = ("job", "state_word", "simulated", "started_at", "finished_at", "took", "how_many", "error", "asked_by")
    readonly_fields = ("state_word", "took", "how_many", "asked_by")
    empty_list_text = gettext_lazy("No job has run yet. Run one with the buttons above, or wait for its time.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.run_view)
        return [path("run/<slug:name>/", view, name="retention_jobrun_run"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "jobs": list(self._jobs()),
            "may_run": request.user.has_perm("retention.run_job"),  # type: ignore[union-attr]
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _jobs(self) -> Any:
        newest = JobRun.objects.order_by().values("job").annotate(newest=Max("pk")).values("newest")
        last = {run.job: run for run in JobRun.objects.filter(pk__in=newest)}
        for job in jobs.registered():
            run = last.get(job.name)
            yield {
                "name": job.name,
                "title": job.title,
                "schedule": schedule_in_words(job.schedule),
                "last": run,
                "state": state_badge(run) if run else "",
                "counts": counts_in_words(run) if run else "",
            }

    def run_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """POST: put a job on the queue, to run or with ``simulate`` to count only."""
        if not request.user.has_perm("retention.run_job"):  # type: ignore[union-attr]
            raise PermissionDenied
        try:
            job = jobs.get(name)
        except KeyError:
            raise Http404 from None
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        simulate = "simulate" in request.POST
        transaction.on_commit(partial(run_job.delay, name, simulate, request.user.pk))
        told = _("“%s” will be simulated: it counts and changes nothing.") if simulate else _("“%s” will run now.")
        messages.success(request, f"{told % job.title} {_('Its run appears below; reload to see how it goes.')}")
        return HttpResponseRedirect(reverse("admin:retention_jobrun_changelist"))

    @admin.display(description=gettext_lazy("state"))
    def state_word(self, run: JobRun) -> SafeString:
        return state_badge(run)

    @admin.display(description=gettext_lazy("took"))
    def took(self, run: JobRun) -> str:
        if run.finished_at is None:
            return "–"
        seconds = (run.finished_at - run.started_at).total_seconds()
        if seconds < 90:
            return ngettext("%(n).1f second", "%(n).1f seconds", int(seconds)) % {"n": seconds}
        minutes = round(seconds / 60)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}

    @admin.display(description=gettext_lazy("how many"))
    def how_many(self, run: JobRun) -> SafeString | str:
        return counts_in_words(run)

    @admin.display(description=gettext_lazy("started by"))
    def asked_by(self, run: JobRun) -> str:
        return str(run.started_by) if run.started_by else _("schedule or command")


def counts_in_words(run: JobRun) -> SafeString | str:
    """``expired 12, days_30 4``; a dash when nothing was counted."""
    return format_html_join(", ", "{} {}", ((count, name) for name, count in run.counts.items())) or "–"
