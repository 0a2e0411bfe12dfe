"""The figures of the front page, as the last refresh found them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Figures(models.Model):
    """One row: counts over everything, which at a million contacts are too slow to take while somebody waits."""

    data = models.JSONField(_("figures"), default=dict)
    computed_at = models.DateTimeField(_("computed"))

    class Meta:
        verbose_name = _("figures")
        verbose_name_plural = _("figures")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.computed_at:%Y-%m-%d %H:%M}"
