"""The record of every job that ran."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    """One run of a scheduled job: when, how long, how many, what went wrong.

    *running* → *done* or *failed*; a run whose process died stays *running* until the next one of its name marks it
    *interrupted*. What it had finished is committed; the next run goes on from there.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        INTERRUPTED = "interrupted", _("Interrupted")

    job = models.CharField(_("job"), max_length=60)
    simulated = models.BooleanField(_("simulated"), default=False)
    state = models.CharField(_("state"), max_length=11, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField(_("started"))
    heartbeat_at = models.DateTimeField(_("last sign of life"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    counts = models.JSONField(_("how many"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("started by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        ordering = ["-id"]
        permissions = [("run_job", _("Can run and simulate jobs"))]
        indexes = [models.Index(fields=["job", "-id"], name="jobrun_newest")]

    def __str__(self) -> str:
        return f"{self.job} · {self.started_at:%Y-%m-%d %H:%M}"
