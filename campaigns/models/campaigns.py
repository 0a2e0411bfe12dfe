"""Campaigns: one text, in the languages of its readers, to those of an audience who may be reached."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.senders import Sender
from consent.contacts.models import Audience
from consent.core import history
from consent.ledger.models import Purpose


class Campaign(models.Model):
    """A text to an audience for one purpose.

    - *draft*: being written; anything can change.
    - *in review*: waits for somebody who did not write it. Goes back to draft or on to approved.
    - *approved*: may be sent as it stands. Any edit takes it back to draft.
    - *scheduled*: will start by itself at ``scheduled_at``. Can still be cancelled.
    - *sending*: launched: one message per contact exists, sent or refused. The text is fixed for good.
    - *paused*: nothing more is handed over until somebody resumes it.
    - *completed*: nothing waits any more. *cancelled*: stopped for good; what was sent stays sent.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        APPROVED = "approved", _("Approved")
        SCHEDULED = "scheduled", _("Scheduled")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    class PausedBy(models.TextChoices):
        PERSON = "person", _("somebody")
        BRAKE = "brake", _("too many opt-outs")
        GATEWAY = "gateway", _("the gateway refuses us")

    name = models.CharField(_("name"), max_length=80)
    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="campaigns")
    audience = models.ForeignKey(
        Audience, verbose_name=_("audience"), on_delete=models.PROTECT, related_name="campaigns"
    )
    sender = models.ForeignKey(Sender, verbose_name=_("sender"), on_delete=models.PROTECT, related_name="campaigns")
    language = models.CharField(
        _("language for everybody else"),
        max_length=7,
        choices=settings.LANGUAGES,
        help_text=_("People whose language has no text of its own get this one."),
    )
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.DRAFT, editable=False)
    # Whoever wrote or last changed it; the approver is somebody else, in the database too.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, related_name="+", editable=False
    )
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("last edited by"), on_delete=models.PROTECT, related_name="+",
        editable=False,
    )  # fmt: skip
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("approved by"), null=True, on_delete=models.PROTECT, related_name="+",
        editable=False,
    )  # fmt: skip
    approved_at = models.DateTimeField(_("approved"), null=True, editable=False)
    approved_content = models.CharField(max_length=64, blank=True, editable=False)  # fingerprint of what was approved
    approved_counts = models.JSONField(null=True, editable=False)  # the preflight the approver saw
    preflight = models.JSONField(null=True, editable=False)  # the newest one
    preflight_at = models.DateTimeField(null=True, editable=False)
    scheduled_at = models.DateTimeField(_("starts"), null=True, editable=False)
    launched_at = models.DateTimeField(_("launched"), null=True, editable=False)
    ends_at = models.DateTimeField(_("not sent after"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)
    paused_by = models.CharField(_("paused by"), max_length=7, choices=PausedBy.choices, blank=True, editable=False)

    history = history.tracked(excluded_fields=["preflight", "preflight_at", "approved_counts"])

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]
        permissions = [
            ("submit_campaign", _("Can submit a campaign for review")),
            ("approve_campaign", _("Can approve somebody else's campaign")),
            ("launch_campaign", _("Can start, pause, resume and cancel campaigns")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(approver__isnull=True) | (~Q(approver=F("author")) & ~Q(approver=F("editor"))),
                name="campaign_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "in_review", "cancelled"])
                | Q(approver__isnull=False, approved_at__isnull=False),
                name="campaign_approved_before_sending",
            ),
        ]
        indexes = [models.Index(fields=["state", "scheduled_at"], name="campaign_due")]

    def __str__(self) -> str:
        return self.name


class CampaignBody(models.Model):
    """The text of a campaign in one language, as written: placeholders not filled, opt-out line not added."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="bodies")
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES)
    text = models.TextField(_("text"), max_length=1600)

    history = history.tracked()

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        ordering = ["language"]
        constraints = [models.UniqueConstraint(fields=["campaign", "language"], name="one_text_per_language")]

    def __str__(self) -> str:
        return self.get_language_display()
