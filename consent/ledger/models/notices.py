"""The words people say yes to, and the privacy policies they point at. Both freeze when published (P8)."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.core import history
from consent.core.errors import Immutable
from consent.ledger.models.purposes import Brand, Purpose


class Publishable(models.Model):
    """Draft → published. A draft can be edited and thrown away, a published version never changes."""

    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES)
    version = models.PositiveSmallIntegerField(_("version"), editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    published_by = models.CharField(_("published by"), max_length=200, blank=True, editable=False)

    frozen_when = "OLD.published_at IS NOT NULL"

    class Meta:
        abstract = True

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any) -> Any:
        row = super().from_db(db, field_names, values)
        row._was_published = row.__dict__.get("published_at") is not None
        return row

    def siblings(self) -> models.QuerySet:
        """Every version of the same text, this one included."""
        raise TypeError(f"{type(self).__name__} does not say what its versions share.")

    def save(self, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "_was_published", False):
            raise Immutable(_("A published version never changes. Make a new version instead."), rule="P8")
        if self._state.adding and not self.version:
            last = self.siblings().aggregate(last=models.Max("version"))["last"] or 0
            self.version = last + 1
        super().save(*args, **kwargs)
        self._was_published = self.is_published

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "_was_published", False):
            raise Immutable(_("A published version is evidence and cannot be deleted."), rule="P8")
        return super().delete(*args, **kwargs)


class PrivacyPolicy(Publishable):
    """A brand's privacy policy in one language and version."""

    brand = models.ForeignKey(Brand, verbose_name=_("brand"), on_delete=models.PROTECT, related_name="policies")
    url = models.URLField(_("public address"), help_text=_("Where people read it; notices must contain it."))
    body = models.TextField(_("text"))

    history = history.tracked()

    class Meta:
        verbose_name = _("privacy policy")
        verbose_name_plural = _("privacy policies")
        ordering = ["brand__name", "language", "-version"]
        permissions = [("publish_privacypolicy", _("Can publish a privacy policy"))]
        constraints = [
            models.UniqueConstraint(fields=["brand", "language", "version"], name="policy_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.brand.name} · {self.language} · v{self.version}"

    def siblings(self) -> models.QuerySet:
        return PrivacyPolicy.objects.filter(brand=self.brand, language=self.language)


class Notice(Publishable):
    """What a person reads or hears before saying yes or no to a purpose, in one language and version."""

    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="notices")
    text = models.TextField(_("text"), help_text=_("Shown on forms and read out word for word."))
    frequency = models.CharField(
        _("frequency"), max_length=80, help_text=_("As the text says it, such as “up to 2 messages a week”.")
    )
    material_change = models.BooleanField(
        _("material change"),
        default=False,
        help_text=_("Consents to earlier versions must be renewed (RULES C17). Leave empty for an editorial change."),
    )

    history = history.tracked()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["purpose__brand__name", "purpose__name", "language", "-version"]
        permissions = [("publish_notice", _("Can publish a notice"))]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "language", "version"], name="notice_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} · {self.language} · v{self.version}"

    def siblings(self) -> models.QuerySet:
        return Notice.objects.filter(purpose=self.purpose, language=self.language)


def current(rows: models.QuerySet, **scope: Any) -> Any:
    """The newest published version within ``rows``, or None."""
    return rows.filter(published_at__isnull=False, **scope).order_by("-version").first()
