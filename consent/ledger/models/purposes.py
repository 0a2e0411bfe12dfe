"""Brands and the purposes they ask permission for."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.core import history, numbers
from consent.ledger.models.proofs import Method


class Brand(models.Model):
    """A name under which the controller speaks to people (RULES C4: consent never moves to a sister brand)."""

    class StopScope(models.TextChoices):
        ALL = "all", _("Everything the company sends")
        BRAND = "brand", _("Everything this brand sends")
        PURPOSE = "purpose", _("The purpose that was answered")

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    controller = models.CharField(
        _("controller"), max_length=120, help_text=_("The company that answers for the data.")
    )
    controller_address = models.TextField(_("controller's address"))
    contact = models.CharField(_("contact"), max_length=120, help_text=_("Where people reach the controller."))
    seat_country = models.CharField(_("country of the seat"), max_length=2)
    zone = models.CharField(_("time zone of the seat"), max_length=60)
    stop_scope = models.CharField(
        _("a STOP ends"),
        max_length=7,
        choices=StopScope.choices,
        default=StopScope.ALL,
        help_text=_("House rule (RULES O6); the default ends everything."),
    )
    opt_in_rate_low = models.DecimalField(
        _("expected opt-in rate from (%)"), max_digits=4, decimal_places=1, default=5,
        help_text=_("Benchmark of the opt-in guide (S0), not a rule: 5 to 10 %."),
    )  # fmt: skip
    opt_in_rate_high = models.DecimalField(_("expected opt-in rate to (%)"), max_digits=4, decimal_places=1, default=10)
    stop_brake_percent = models.DecimalField(
        _("opt-outs that pause a campaign (%)"), max_digits=4, decimal_places=1, default=2,
        help_text=_("House rule: when more of those texted opt out, the campaign pauses and the officers are told."),
    )  # fmt: skip

    history = history.tracked()

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.zone not in numbers.ZONES:
            raise ValidationError({"zone": _("This is not a time zone. Write it like Europe/Rome.")})
        if self.opt_in_rate_low > self.opt_in_rate_high:
            raise ValidationError({"opt_in_rate_high": _("The upper end is below the lower end.")})


def accepted_by_default() -> list[str]:
    """Methods a new purpose accepts as proof: all but an import's bare claim."""
    return [m.value for m in Method if m not in (Method.IMPORT, Method.RELATIONSHIP)]


class Purpose(models.Model):
    """One use of texts by one brand, with the rules a consent to it follows."""

    class Kind(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        RECRUITMENT = "recruitment", _("Recruitment")
        INFORMATIONAL = "informational", _("Informational")
        CONVERSATIONAL = "conversational", _("Conversational")

    class Basis(models.TextChoices):
        CONSENT = "consent", _("Consent, GDPR 6(1)(a)")
        CONTRACT = "contract", _("Contract, GDPR 6(1)(b)")
        INTEREST = "interest", _("Legitimate interest, GDPR 6(1)(f)")

    brand = models.ForeignKey(Brand, verbose_name=_("brand"), on_delete=models.PROTECT, related_name="purposes")
    slug = models.SlugField(_("short name"))
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=14, choices=Kind.choices)
    legal_basis = models.CharField(_("legal basis"), max_length=8, choices=Basis.choices, default=Basis.CONSENT)
    validity_months = models.PositiveSmallIntegerField(
        _("consent lasts (months)"), default=24, help_text=_("House rule (RULES C7): no law fixes a life span.")
    )
    first_message_within_days = models.PositiveSmallIntegerField(
        _("first text within (days)"), default=30, help_text=_("House rule (RULES C9); later only a reconfirmation.")
    )
    reminder_every_days = models.PositiveSmallIntegerField(
        _("reminder how to stop every (days)"), default=30, help_text=_("House rule (RULES C12).")
    )
    double_opt_in = models.BooleanField(
        _("every yes is confirmed by text"), default=False, help_text=_("Until then the consent is only requested.")
    )
    confirm_verbal = models.BooleanField(
        _("a spoken yes is confirmed by text"),
        default=True,
        help_text=_("House rule (RULES C13), applies to marketing."),
    )
    ask_reconfirmation = models.BooleanField(
        _("ask again when the first text is late"), default=False,
        help_text=_("One text asks for YES; without an answer nothing else goes (RULES C9)."),
    )  # fmt: skip
    ask_renewal = models.BooleanField(
        _("ask for renewal by text"), default=False,
        help_text=_("60, 30 and 7 days before the consent ends, while it is still valid (RULES C7, C8)."),
    )  # fmt: skip
    accepted_methods = models.JSONField(_("accepted proof"), default=accepted_by_default)
    max_per_week = models.PositiveSmallIntegerField(_("texts a week at most"), default=2)
    proof_retention_months = models.PositiveSmallIntegerField(
        _("proof kept after the end (months)"), default=60, help_text=_("RULES §10: five years.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Order on forms."))
    active = models.BooleanField(_("in use"), default=True)

    history = history.tracked()

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering = ["brand__name", "position", "name"]
        permissions = [
            ("record_opt_in", _("Can record an opt-in")),
            ("explain", _("Can ask why somebody may or may not be texted")),
        ]
        constraints = [models.UniqueConstraint(fields=["brand", "slug"], name="purpose_slug_once_per_brand")]

    def __str__(self) -> str:
        return f"{self.brand.name}: {self.name}"

    @property
    def path(self) -> str:
        """``brand/purpose``, as commands and imports write it."""
        return f"{self.brand.slug}/{self.slug}"

    def needs_confirmation(self, method: str) -> bool:
        """Whether a yes by this method stays requested until the person confirms by text (RULES C13).

        A text from the person's own phone is that confirmation.
        """
        if method == Method.KEYWORD:
            return False
        spoken = method == Method.VERBAL and self.kind == self.Kind.MARKETING and self.confirm_verbal
        return self.double_opt_in or spoken

    def clean(self) -> None:
        unknown = set(self.accepted_methods) - set(Method.values)
        if unknown:
            raise ValidationError({"accepted_methods": _("Not a kind of proof: %s") % ", ".join(sorted(unknown))})
        if self.kind == self.Kind.MARKETING and self.legal_basis != self.Basis.CONSENT:
            raise ValidationError({"legal_basis": _("Marketing texts need consent (RULES C11).")})


def by_path(path: str, purposes: Any = None) -> Purpose:
    """The purpose written ``brand/purpose``.

    Raises:
        Purpose.DoesNotExist: there is none.
    """
    brand, _slash, slug = path.partition("/")
    return (purposes or Purpose.objects).select_related("brand").get(brand__slug=brand, slug=slug)
