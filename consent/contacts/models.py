"""Contacts and what hangs directly on a number."""

import unicodedata
import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from consent.core import digests, history, numbers


def words(name: str) -> list[str]:
    """The distinct words of a name as they are searched: casefolded, accents off, at most twelve."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    plain = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return list(dict.fromkeys(word[:60] for word in plain.split()))[:12]


class Tag(models.Model):
    """A label for contacts, such as a job fair or a store."""

    name = models.CharField(_("name"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person who may or may not be texted. Being on record is not consent (RULES C1)."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        APPLICANT = "applicant", _("Applicant")
        EMPLOYEE = "employee", _("Employee")

    class Channel(models.TextChoices):
        SMS = "sms", _("SMS")
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone call")

    uid = models.UUIDField(_("record id"), default=uuid.uuid4, unique=True, editable=False)
    phone = PhoneNumberField(_("mobile number"), unique=True)
    phone_digest = models.CharField(max_length=64, db_index=True, editable=False)
    digest_key_id = models.CharField(max_length=16, db_index=True, editable=False)
    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.CUSTOMER)
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES, default="en")
    country = models.CharField(_("country"), max_length=2, editable=False)
    region = models.CharField(_("region"), max_length=3, blank=True, editable=False)
    zones = models.CharField(_("possible time zones"), max_length=600, blank=True, editable=False)
    known_zone = models.CharField(
        _("known time zone"), max_length=60, blank=True, help_text=_("Overrides the zones the number can be in.")
    )
    preferred_channel = models.CharField(
        _("preferred channel"), max_length=5, choices=Channel.choices, default=Channel.SMS
    )
    max_per_week = models.PositiveSmallIntegerField(
        _("texts a week at most"), null=True, blank=True, help_text=_("The person's own limit; empty: none stated.")
    )
    source = models.CharField(_("source"), max_length=60, blank=True)
    external_id = models.CharField(_("external id"), max_length=100, blank=True, db_index=True)
    tags = models.ManyToManyField(Tag, verbose_name=_("tags"), blank=True)
    restricted_since = models.DateTimeField(_("restricted since"), null=True, blank=True, editable=False)
    held_since = models.DateTimeField(_("held since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("on record since"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("recorded by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        editable=False,
        related_name="+",
    )

    history = history.tracked(excluded_fields=["phone_digest", "digest_key_id"])

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["-id"]
        permissions = [
            ("see_numbers", _("Can see numbers unmasked")),
            ("export_contact", _("Can export contacts")),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(phone_digest=""), name="contact_has_digest"),
        ]
        indexes = [
            models.Index(fields=["country", "region", "zones", "known_zone"], name="contact_place"),
            models.Index(fields=["kind", "-id"], name="contact_kind"),
            models.Index(fields=["language", "-id"], name="contact_language"),
            models.Index(fields=["country", "-id"], name="contact_country"),
            models.Index(fields=["source", "-id"], name="contact_source"),
            models.Index(fields=["-id"], condition=models.Q(restricted_since__isnull=False), name="contact_restricted"),
            models.Index(fields=["-id"], condition=models.Q(held_since__isnull=False), name="contact_held"),
        ]

    def __str__(self) -> str:
        return self.name or _("Contact %(id)s") % {"id": self.pk}

    @property
    def number(self) -> str:
        """The number in international form."""
        return numbers.international(str(self.phone.as_e164)) if self.phone else ""

    def clean(self) -> None:
        if self.known_zone and self.known_zone not in numbers.ZONES:
            raise ValidationError({"known_zone": _("This is not a time zone. Write it like Europe/Rome.")})

    def set_number(self, number: numbers.Number) -> None:
        """Take over a parsed number with all that follows from it; the caller saves."""
        self.phone = number.e164
        self.country, self.region, self.zones = number.country, number.region, number.zones
        self.phone_digest, self.digest_key_id = digests.digest(number.e164), digests.newest_key_id()

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any) -> "Contact":
        contact = super().from_db(db, field_names, values)
        contact._indexed_name = contact.__dict__.get("name")  # type: ignore[assignment]  # None: the name was not loaded
        return contact

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            if self.name != getattr(self, "_indexed_name", ""):
                NameWord.objects.filter(contact=self).delete()
                NameWord.objects.bulk_create(NameWord(contact=self, word=word) for word in words(self.name))
                self._indexed_name = self.name


class NameWord(models.Model):
    """One word of a contact's name in its searchable form: an index that works alike on both databases."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="name_words")
    word = models.CharField(max_length=60, db_index=True)

    class Meta:
        verbose_name = _("word of a name")
        verbose_name_plural = _("words of names")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.pk}"


class Suppression(models.Model):
    """A number that opted out, as a keyed digest: no personal data, survives erasure (RULES O8).

    It covers everything, one brand, or one purpose. It ends only by a new act of the person (RULES O11).
    """

    class Reason(models.TextChoices):
        STOP = "stop", _("The person said stop")
        OBJECTION = "objection", _("Objection to direct marketing")
        PROVIDER = "provider", _("Opt-out held by the provider")
        REASSIGNED = "reassigned", _("The number belongs to somebody else")

    digest = models.CharField(_("digest"), max_length=64, db_index=True)
    key_id = models.CharField(_("key"), max_length=16, db_index=True)
    brand = models.ForeignKey(
        "ledger.Brand", verbose_name=_("brand"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    purpose = models.ForeignKey(
        "ledger.Purpose", verbose_name=_("purpose"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    since = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted by a new act"), null=True, blank=True)

    history = history.tracked()

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        ordering = ["-since"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(brand__isnull=True) | models.Q(purpose__isnull=True),
                name="suppression_one_scope",
            )
        ]
        indexes = [models.Index(fields=["purpose", "brand", "digest"], name="suppression_scope")]

    def __str__(self) -> str:
        return f"{self.digest[:8]}…"


class Audience(models.Model):
    """A saved filter over contacts: every field that is set must match. There is no segment language."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Contact.Kind.choices, blank=True)
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    tags = models.ManyToManyField(Tag, verbose_name=_("any of these tags"), blank=True)

    history = history.tracked()

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def contacts(self) -> models.QuerySet[Contact]:
        """The contacts it selects, whether they may be texted or not: the decision comes after."""
        chosen = Contact.objects.all()
        for field in ("kind", "language", "country"):
            if value := getattr(self, field):
                chosen = chosen.filter(**{field: value})
        if tags := list(self.tags.values_list("pk", flat=True)):
            chosen = chosen.filter(pk__in=Contact.tags.through.objects.filter(tag__in=tags).values("contact"))
        return chosen


class Export(models.Model):
    """Who took which list out of the system, when and why. Rows are only ever added."""

    what = models.CharField(_("what"), max_length=60)
    filters = models.TextField(_("filters"), blank=True)
    rows = models.PositiveIntegerField(_("rows"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.CharField(_("by"), max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.what} · {self.at:%Y-%m-%d %H:%M}"
