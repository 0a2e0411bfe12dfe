"""What comes back: texts as they arrived, and the conversations they open."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from campaigns.models.senders import Sender
from consent.contacts.models import Contact


class InboundMessage(models.Model):
    """A text somebody sent us, kept as it came.

    *new*: stored, not understood yet. *handled*: the rules dealt with it. *review*: may mean stop; all sending to the
    number is held and a person decides within one business day. *resolved*: the person decided.
    """

    class State(models.TextChoices):
        NEW = "new", _("New")
        HANDLED = "handled", _("Handled")
        REVIEW = "review", _("To be reviewed")
        RESOLVED = "resolved", _("Reviewed")

    class Meaning(models.TextChoices):
        OPT_OUT = "opt_out", _("Opt-out")
        REVIEW = "review", _("May mean stop")
        OPT_IN = "opt_in", _("Opt-in")
        HELP = "help", _("Help")
        YES = "yes", _("Yes")
        NO = "no", _("No")
        CONVERSATION = "conversation", _("Conversation")

    gateway = models.CharField(_("gateway"), max_length=8)
    gateway_id = models.CharField(_("gateway's id"), max_length=80)
    raw_from = models.CharField(_("from, as it came"), max_length=40)
    raw_to = models.CharField(_("to, as it came"), max_length=40)
    body = models.TextField(_("text"), blank=True)
    received_at = models.DateTimeField(_("received"))
    phone = models.CharField(_("number"), max_length=16, blank=True)  # E.164; empty when it is not a number
    sender = models.ForeignKey(
        Sender, verbose_name=_("sender"), null=True, blank=True, on_delete=models.PROTECT, related_name="inbound"
    )
    contact = models.ForeignKey(
        Contact, verbose_name=_("contact"), null=True, blank=True, on_delete=models.PROTECT, related_name="inbound"
    )
    campaign = models.ForeignKey(  # the campaign text it most likely answers
        Campaign, verbose_name=_("campaign"), null=True, blank=True, on_delete=models.PROTECT, related_name="inbound"
    )
    conversation = models.ForeignKey(
        "campaigns.Conversation", null=True, blank=True, on_delete=models.PROTECT, related_name="inbound"
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.NEW)
    meaning = models.CharField(_("meaning"), max_length=12, choices=Meaning.choices, blank=True)
    rule = models.CharField(_("rule"), max_length=40, blank=True)
    review_by = models.DateTimeField(_("review by"), null=True, blank=True)
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("reviewed by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    resolution = models.TextField(_("what was decided"), blank=True)

    class Meta:
        verbose_name = _("inbound text")
        verbose_name_plural = _("inbound texts")
        ordering = ["-id"]
        permissions = [("review_inbound", _("Can decide about doubtful replies"))]
        constraints = [models.UniqueConstraint(fields=["gateway", "gateway_id"], name="inbound_once")]
        indexes = [
            models.Index(fields=["state", "review_by"], name="inbound_state"),
            models.Index(fields=["phone", "-id"], name="inbound_phone"),
            models.Index(fields=["campaign", "meaning"], name="inbound_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.get_meaning_display() or self.get_state_display()} {self.pk}"


class Conversation(models.Model):
    """A person wrote first: staff may answer in this thread only, for 24 hours after their last text (RULES C10)."""

    contact = models.ForeignKey(
        Contact, verbose_name=_("contact"), on_delete=models.PROTECT, related_name="conversations"
    )
    sender = models.ForeignKey(Sender, verbose_name=_("sender"), on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(_("opened"))
    last_inbound_at = models.DateTimeField(_("last text of the person"))
    closes_at = models.DateTimeField(_("closes"))
    answered_at = models.DateTimeField(_("last reply"), null=True, blank=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-last_inbound_at"]
        permissions = [("reply_conversation", _("Can reply in a conversation"))]
        indexes = [models.Index(fields=["contact", "sender", "-closes_at"], name="conversation_live")]

    def __str__(self) -> str:
        return f"{self.contact} · {self.sender.address}"
