"""Messages: one row per text, sent or refused, with what allowed or refused it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from campaigns.models.senders import Sender
from consent.contacts.models import Contact
from consent.ledger.models import Consent, Proof, Purpose


class Message(models.Model):
    """One text to one person.

    - *refused*: the decision said no; ``refusal`` is the code. Never sent.
    - *queued*: waits for its turn, not before ``not_before``.
    - *claimed*: a worker has it and the decision allowed it; not handed over yet, so it can still be taken back.
    - *handed*: being handed to the gateway. If the worker dies now, nobody knows whether it went.
    - *sent*: the gateway has it. *delivered*, *undelivered*: the carrier's word. *silent*: no word came in time.
    - *failed*: the gateway refused it for good. *unknown*: nobody knows whether it went; never repeated by itself.
    - *blocked*: a stop or a hold came before it went. *cancelled*: its campaign was. *late*: its time was over.

    A state only moves forward (``campaigns.outcomes``).
    """

    class Kind(models.TextChoices):
        CAMPAIGN = "campaign", _("Campaign")
        DOUBLE_OPT_IN = "double_opt_in", _("Confirmation asked")
        WELCOME = "welcome", _("Opt-in confirmation")
        RECONFIRMATION = "reconfirmation", _("Reconfirmation")
        RENEWAL = "renewal", _("Renewal")
        OPT_OUT = "opt_out", _("Opt-out confirmation")
        HELP = "help", _("Answer to HELP")
        REPLY = "reply", _("Reply in a conversation")

    class State(models.TextChoices):
        REFUSED = "refused", _("Refused")
        QUEUED = "queued", _("Waiting")
        CLAIMED = "claimed", _("About to be sent")
        HANDED = "handed", _("Being handed over")
        SENT = "sent", _("Sent")
        DELIVERED = "delivered", _("Delivered")
        UNDELIVERED = "undelivered", _("Not delivered")
        SILENT = "silent", _("Sent, no receipt came")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Outcome unknown")
        BLOCKED = "blocked", _("Blocked by a stop")
        CANCELLED = "cancelled", _("Cancelled")
        LATE = "late", _("Too late")

    # Texts that use a permission, and count towards how many a person gets.
    COUNTED = (Kind.CAMPAIGN, Kind.WELCOME, Kind.RECONFIRMATION, Kind.RENEWAL)
    OPEN = (State.QUEUED, State.CLAIMED)  # can still be kept from going
    GONE = (State.HANDED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.SILENT, State.UNKNOWN)

    kind = models.CharField(_("kind"), max_length=14, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=11, choices=State.choices)
    refusal = models.CharField(_("refused because"), max_length=20, blank=True)
    campaign = models.ForeignKey(  # indexed with the state, below
        Campaign, verbose_name=_("campaign"), null=True, blank=True, on_delete=models.PROTECT, related_name="messages",
        db_index=False,
    )  # fmt: skip
    purpose = models.ForeignKey(
        Purpose, verbose_name=_("purpose"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    sender = models.ForeignKey(Sender, verbose_name=_("sender"), on_delete=models.PROTECT, related_name="messages")
    contact = models.ForeignKey(
        Contact, verbose_name=_("contact"), null=True, blank=True, on_delete=models.PROTECT, related_name="messages"
    )
    consent = models.ForeignKey(
        Consent, verbose_name=_("consent"), null=True, blank=True, on_delete=models.PROTECT, related_name="messages",
        db_index=False,
    )  # fmt: skip
    proof = models.ForeignKey(
        Proof, verbose_name=_("proof"), null=True, blank=True, on_delete=models.PROTECT, related_name="messages",
        db_index=False,
    )  # fmt: skip
    phone = models.CharField(_("number"), max_length=16)
    language = models.CharField(_("language"), max_length=7)
    body = models.TextField(_("text"), blank=True)  # a campaign's is filled in when the text goes
    encoding = models.CharField(_("encoding"), max_length=5, blank=True)
    parts = models.PositiveSmallIntegerField(_("parts"), default=0)
    # The decision as it was taken: moment, codes, ids of the rules' rows. No personal data.
    decision = models.JSONField(_("decision"), default=dict)
    once = models.CharField(max_length=60, null=True, blank=True)  # what may happen only once, such as "welcome:17"
    inbound = models.ForeignKey(
        "campaigns.InboundMessage", verbose_name=_("answers"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="answers",
    )  # fmt: skip
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("written by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"))
    not_before = models.DateTimeField(_("not before"))
    expires_at = models.DateTimeField(_("not after"), null=True, blank=True)
    claim = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    handed_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    gateway_id = models.CharField(_("gateway's id"), max_length=80, blank=True)
    error = models.CharField(_("gateway's answer"), max_length=80, blank=True)  # a code, never a text
    note = models.TextField(_("reason"), blank=True)  # how whoever settled it knows; free words, so not in ``decision``
    finished_at = models.DateTimeField(_("final"), null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        permissions = [("resolve_message", _("Can settle texts whose outcome is unknown"))]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "contact"], name="nobody_twice_per_campaign"),
            models.UniqueConstraint(fields=["once"], name="message_only_once"),
            models.CheckConstraint(
                condition=Q(kind="campaign", campaign__isnull=False) | (~Q(kind="campaign") & Q(campaign__isnull=True)),
                name="message_campaign_kind",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(refusal=""), name="refusal_has_a_code"),
        ]
        indexes = [
            models.Index(fields=["campaign", "state"], name="message_campaign_state"),
            # By campaign first: a paused campaign's million waiting texts must not stand before those that may go.
            models.Index(
                fields=["campaign", "sender", "not_before", "id"], condition=Q(state="queued"), name="message_queue"
            ),
            # One for each state that is looked for: SQLite uses a partial index only for exactly its condition.
            models.Index(fields=["claimed_at"], condition=Q(state="claimed"), name="message_is_claimed"),
            models.Index(fields=["handed_at"], condition=Q(state="handed"), name="message_is_handed"),
            models.Index(fields=["handed_at"], condition=Q(state="sent"), name="message_is_sent"),
            models.Index(fields=["id"], condition=Q(state="unknown"), name="message_is_unknown"),
            models.Index(fields=["handed_at", "contact"], condition=Q(handed_at__isnull=False), name="message_recent"),
            models.Index(fields=["contact"], condition=Q(state="claimed"), name="message_claimed"),
            models.Index(fields=["gateway_id"], condition=~Q(gateway_id=""), name="message_gateway_id"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
