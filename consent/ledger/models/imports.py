"""Imports: a file of contacts and opt-ins, worked through row by row, resumable."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


def import_path(batch: "ImportBatch", filename: str) -> str:
    """Where an import file goes: a random name in the private store."""
    return f"imports/{uuid.uuid4().hex}"


class ImportBatch(models.Model):
    """One uploaded file and how far it got.

    - *checked*: read and simulated, waiting for the officer to start it.
    - *running*: a worker applies it, chunk by chunk; ``next_row`` says where it goes on after an interruption.
    - *done*, *failed* (stopped by an error, can be continued), *discarded* (never applied).
    """

    class State(models.TextChoices):
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked, not applied yet")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Interrupted, can be continued")
        DISCARDED = "discarded", _("Discarded")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.FileField(_("file"), upload_to=import_path, blank=True)
    filename = models.CharField(_("file name"), max_length=200)
    file_sha256 = models.CharField(_("SHA-256"), max_length=64)
    country = models.CharField(_("country of numbers without prefix"), max_length=2)
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.CHECKING)
    total = models.PositiveIntegerField(_("rows read"), default=0)
    next_row = models.PositiveIntegerField(_("rows worked through"), default=0)
    applied = models.PositiveIntegerField(_("applied"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    unknown = models.PositiveIntegerField(_("without proof"), default=0)
    conflicting = models.PositiveIntegerField(_("contradicting"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    error = models.TextField(_("error"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("by")
    )
    actor = models.CharField(_("actor"), max_length=200)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.filename} · {self.created_at:%Y-%m-%d %H:%M}"


class ImportRow(models.Model):
    """A row of an import that was not simply applied, with the reason in a recruiter's words."""

    class Outcome(models.TextChoices):
        APPLIED = "applied", _("Applied")
        UNCHANGED = "unchanged", _("Unchanged")
        UNKNOWN = "unknown", _("Kept without proof")
        CONFLICTING = "conflicting", _("Contradicting")
        REJECTED = "rejected", _("Rejected")

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("outcome"), max_length=11, choices=Outcome.choices)
    field = models.CharField(_("column"), max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=400)
    cells = models.JSONField(_("the row as it was"), default=dict)

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of imports")
        ordering = ["number"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="one_outcome_per_row")]

    def __str__(self) -> str:
        return f"{self.number}"
