"""Consent: what holds between a contact and a purpose now. Its history rows are the event log."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from consent.contacts.models import Contact
from consent.core import history
from consent.ledger.models.proofs import Proof
from consent.ledger.models.purposes import Purpose


class Consent(models.Model):
    """One row per contact and purpose.

    Status in business words (terms of the W3C Data Privacy Vocabulary):

    - *unknown*: somebody claims a yes, nothing proves it. Never permits sending; a proof makes it given.
    - *requested*: the person said yes and must still confirm, or was asked. Ends in given, refused or expired.
    - *given*: the person said yes and it is proved. Permits sending until it expires.
    - *renewed*: the person said yes again. Permits sending.
    - *refused*: the person said no. A later yes of the person leads to given.
    - *withdrawn*: the person said stop. Only a new act of the person, with new proof, leads back.
    - *expired*: the time told to the person is over. Only a new act leads back.
    - *revoked*: ended by somebody else, such as when the number changed hands.
    - *invalidated*: an audit or authority found the consent worthless.

    The legal moves are one table, ``moves.MOVES``.
    """

    class Status(models.TextChoices):
        UNKNOWN = "unknown", _("Unknown")
        REQUESTED = "requested", _("Requested")
        GIVEN = "given", _("Given")
        RENEWED = "renewed", _("Renewed")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")
        INVALIDATED = "invalidated", _("Invalidated")

    PERMITTING = (Status.GIVEN, Status.RENEWED)

    uid = models.UUIDField(_("record id"), default=uuid.uuid4, unique=True, editable=False)
    contact = models.ForeignKey(Contact, verbose_name=_("contact"), on_delete=models.PROTECT, related_name="consents")
    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="consents")
    status = models.CharField(_("status"), max_length=11, choices=Status.choices)
    phone = PhoneNumberField(_("number consented for"))
    effective_at = models.DateTimeField(_("since"), help_text=_("When the person did it, not when it was recorded."))
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    proof = models.ForeignKey(
        Proof, verbose_name=_("proof"), null=True, blank=True, on_delete=models.PROTECT, related_name="consents"
    )
    # Under this very yes; a new one starts without. Derived from the messages, so that it has no history.
    last_used_at = models.DateTimeField(_("last text"), null=True, blank=True)

    history = history.tracked(excluded_fields=["last_used_at"])

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-effective_at"]
        permissions = [
            ("transition_consent", _("Can withdraw, revoke and invalidate consents")),
            ("export_consent", _("Can export consents")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["contact", "purpose"], name="one_consent_per_purpose"),
            models.CheckConstraint(
                condition=~models.Q(status__in=["given", "renewed"])
                | models.Q(proof__isnull=False, expires_at__isnull=False),
                name="no_proof_no_consent",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "expires_at"], name="consent_expiry"),
            models.Index(fields=["status", "effective_at"], name="consent_status"),
            models.Index(fields=["purpose", "status"], name="consent_purpose"),
            models.Index(fields=["-effective_at", "-id"], name="consent_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} · {self.get_status_display()}"


class RenewalTask(models.Model):
    """A consent on the officer's worklist because it ends soon (RULES C7)."""

    class Stage(models.IntegerChoices):
        DAYS_60 = 60, _("60 days before")
        DAYS_30 = 30, _("30 days before")
        DAYS_7 = 7, _("7 days before")

    consent = models.ForeignKey(Consent, verbose_name=_("consent"), on_delete=models.CASCADE, related_name="renewals")
    expires_at = models.DateTimeField(_("ends"), db_index=True)
    stage = models.PositiveSmallIntegerField(_("stage"), choices=Stage.choices)
    created_at = models.DateTimeField(_("on the list since"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    note = models.TextField(_("what was done"), blank=True)

    history = history.tracked()

    class Meta:
        verbose_name = _("renewal")
        verbose_name_plural = _("renewals")
        ordering = ["expires_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["consent", "expires_at", "stage"], name="one_renewal_per_stage"),
        ]

    def __str__(self) -> str:
        return f"{self.consent_id} · {self.get_stage_display()}"
