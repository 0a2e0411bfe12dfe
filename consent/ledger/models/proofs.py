"""Proof: an act of a person, written down once and never changed (RULES C2, C18)."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from consent.contacts.models import Contact
from consent.core.errors import Immutable


class Method(models.TextChoices):
    """How the person expressed the answer."""

    WEB_FORM = "web_form", _("Web form")
    APPLICATION = "application", _("Job application")
    KEYWORD = "keyword", _("Text message")
    VERBAL = "verbal", _("Spoken, in person or by phone")
    PAPER = "paper", _("Signed form")
    EMAIL_REPLY = "email_reply", _("Reply by e-mail")
    IMPORT = "import", _("Claim of an imported list")
    RELATIONSHIP = "relationship", _("Existing relationship")


class Answer(models.TextChoices):
    YES = "yes", _("Yes")
    NO = "no", _("No")
    NONE = "none", _("No answer on record")


def evidence_path(proof: "Proof", filename: str) -> str:
    """Where an evidence file goes: a random name in the private store, nothing of the original name."""
    name = uuid.uuid4().hex
    return f"evidence/{name[:2]}/{name}"


class Proof(models.Model):
    """One act of one person concerning one purpose: when, how, to which words, who recorded it, with what evidence."""

    uid = models.UUIDField(_("record id"), default=uuid.uuid4, unique=True, editable=False)
    contact = models.ForeignKey(Contact, verbose_name=_("contact"), on_delete=models.PROTECT, related_name="proofs")
    purpose = models.ForeignKey(
        "ledger.Purpose", verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="proofs"
    )
    phone = PhoneNumberField(_("number"))
    method = models.CharField(_("method"), max_length=12, choices=Method.choices)
    answer = models.CharField(_("answer"), max_length=4, choices=Answer.choices)
    captured_at = models.DateTimeField(_("when"))
    recorded_by = models.CharField(_("recorded by"), max_length=200, blank=True)
    recorded_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    notice = models.ForeignKey(
        "ledger.Notice", verbose_name=_("notice"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    policy = models.ForeignKey(
        "ledger.PrivacyPolicy",
        verbose_name=_("privacy policy"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    place = models.CharField(_("place or event"), max_length=120, blank=True)
    read_verbatim = models.BooleanField(_("read word for word"), null=True, blank=True)
    reference = models.CharField(
        _("reference"), max_length=200, blank=True, help_text=_("Form address, application, message or scan.")
    )
    source = models.CharField(_("source"), max_length=60, blank=True)
    details = models.TextField(_("details"), blank=True)
    file = models.FileField(_("evidence"), upload_to=evidence_path, blank=True)
    file_sha256 = models.CharField(_("SHA-256 of the evidence"), max_length=64, blank=True)
    file_type = models.CharField(_("type of the evidence"), max_length=20, blank=True)
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)

    frozen_when = "TRUE"

    class Meta:
        verbose_name = _("proof")
        verbose_name_plural = _("proofs")
        ordering = ["-captured_at"]
        indexes = [
            models.Index(fields=["purpose", "method", "answer", "notice"], name="proof_rates"),
            models.Index(fields=["recorded_by_user", "contact"], name="proof_recorder"),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} · {self.captured_at:%Y-%m-%d}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Immutable(_("A proof never changes. Record a new act instead."), rule="C2")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise Immutable(_("A proof is evidence and cannot be deleted."), rule="C2")
