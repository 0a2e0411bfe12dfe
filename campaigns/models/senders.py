"""Senders: the numbers and names texts come from, and the keywords published on them."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.core import history
from consent.ledger.models import Brand, Notice, Purpose

# Ordinary French mobile numbers; marketing from them has been barred since 2019 (RULES §3, ARCEP).
_FRENCH_MOBILE = re.compile(r"\+33[67]\d{8}")
_SHAPES = {
    "short_code": re.compile(r"\d{3,8}"),
    "long_number": re.compile(r"\+[1-9]\d{6,14}"),
    "alphanumeric": re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ._-]{1,11}"),
}


class Sender(models.Model):
    """An address that texts come from: a short code, a long number or a name."""

    class Type(models.TextChoices):
        SHORT_CODE = "short_code", _("Short code")
        LONG_NUMBER = "long_number", _("Long number")
        ALPHANUMERIC = "alphanumeric", _("Name (replies do not work)")

    class Gateway(models.TextChoices):
        CONSOLE = "console", _("Console (nothing leaves this machine)")
        KANNEL = "kannel", "Kannel"
        TWILIO = "twilio", "Twilio"
        WEBHOOK = "webhook", _("Signed webhook")

    brand = models.ForeignKey(Brand, verbose_name=_("brand"), on_delete=models.PROTECT, related_name="senders")
    type = models.CharField(_("type"), max_length=12, choices=Type.choices)
    address = models.CharField(
        _("address"), max_length=16, help_text=_("As people see it: 36123, +393331234567 or OFFICINA.")
    )
    country = models.CharField(_("country"), max_length=2, help_text=_("Where it is registered, such as IT."))
    two_way = models.BooleanField(_("receives replies"), default=True)
    stop_sender = models.ForeignKey(
        "self",
        verbose_name=_("where people send STOP"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("A sender that receives replies; needed where this one does not (RULES O2)."),
    )
    kinds = models.JSONField(_("may be used for"), default=list, help_text=_("Kinds of purposes."))
    gateway = models.CharField(_("gateway"), max_length=8, choices=Gateway.choices, default=Gateway.CONSOLE)
    rate_per_second = models.PositiveSmallIntegerField(
        _("texts per second at most"), default=1, validators=[MinValueValidator(1)]
    )
    price_per_part = models.DecimalField(
        _("price per part"), max_digits=8, decimal_places=4, default=0, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    active = models.BooleanField(_("in use"), default=True)

    history = history.tracked()

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        ordering = ["brand__name", "address"]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "address"], name="sender_once_per_gateway"),
            models.CheckConstraint(
                condition=models.Q(two_way=True) | models.Q(stop_sender__isnull=False), name="sender_can_be_stopped"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address} · {self.brand.name}"

    @property
    def stop_address(self) -> str:
        """Where a person texts STOP."""
        return self.address if self.two_way or self.stop_sender is None else self.stop_sender.address

    def barred(self, purpose: Purpose) -> str:
        """Why texts of a purpose may not come from here, as a sentence; empty when they may."""
        if not self.active:
            return str(_("The sender is not in use."))
        if purpose.brand_id != self.brand_id:
            return str(_("The sender belongs to another brand (RULES C4)."))
        if purpose.kind not in self.kinds:
            return str(_("The sender is not meant for %(kind)s.")) % {"kind": purpose.get_kind_display()}
        if purpose.kind == Purpose.Kind.MARKETING and _FRENCH_MOBILE.fullmatch(self.address):
            return str(_("Marketing from an ordinary French mobile number is barred (RULES §3). Use a short code."))
        return ""

    def clean(self) -> None:
        problems: dict[str, object] = {}
        if self.type in _SHAPES and not _SHAPES[self.type].fullmatch(self.address):
            problems["address"] = _("This does not look like a %(type)s.") % {"type": self.get_type_display()}
        if self.type == self.Type.ALPHANUMERIC and self.two_way:
            problems["two_way"] = _("Nobody can reply to a name.")
        if not self.two_way and (self.stop_sender is None or not self.stop_sender.two_way):
            problems["stop_sender"] = _("Choose a sender that receives replies, so that STOP works (RULES O2).")
        elif self.stop_sender is not None and self.stop_sender.brand_id != self.brand_id:
            problems["stop_sender"] = _("The sender belongs to another brand (RULES C4).")
        if self.pk and Sender.objects.filter(stop_sender=self.pk).exclude(brand=self.brand_id).exists():
            problems["brand"] = _("The sender belongs to another brand (RULES C4).")
        if unknown := set(self.kinds) - set(Purpose.Kind.values):
            problems["kinds"] = _("Not a kind of purpose: %s") % ", ".join(sorted(unknown))
        elif Purpose.Kind.MARKETING in self.kinds and _FRENCH_MOBILE.fullmatch(self.address):
            problems["kinds"] = _("Marketing from an ordinary French mobile number is barred (RULES §3).")
        if problems:
            raise ValidationError(problems)


class Keyword(models.Model):
    """A word published somewhere, such as on a poster, that people text to a sender to say yes to a purpose."""

    sender = models.ForeignKey(Sender, verbose_name=_("sender"), on_delete=models.PROTECT, related_name="keywords")
    word = models.CharField(_("word"), max_length=20, help_text=_("One word, as people type it."))
    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="+")
    notice = models.ForeignKey(
        Notice, verbose_name=_("notice beside it"), on_delete=models.PROTECT, related_name="+",
        help_text=_("The published version that stands beside the keyword."),
    )  # fmt: skip
    active = models.BooleanField(_("in use"), default=True)

    history = history.tracked()

    class Meta:
        verbose_name = _("keyword")
        verbose_name_plural = _("keywords")
        ordering = ["word"]
        constraints = [models.UniqueConstraint(fields=["sender", "word"], name="keyword_once_per_sender")]

    def __str__(self) -> str:
        return self.word


class Lane(models.Model):
    """A place for one worker at a sender: at most so many work for a sender at once, and together keep its rate.

    Derived and short-lived: who holds it until when, and from when on the next text may go.
    """

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="lanes")
    number = models.PositiveSmallIntegerField(_("number"))
    token = models.CharField(max_length=32, blank=True)
    held_until = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)  # of lane 0: the pace all lanes of the sender keep

    class Meta:
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["sender", "number"], name="lane_once")]

    def __str__(self) -> str:
        return f"{self.sender_id}/{self.number}"
