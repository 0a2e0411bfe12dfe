"""The figures of the front page, as the last refresh found them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Figures(models.Model):
    """Two rows, of ``ledger.figures``: what takes too long at a million contacts to be found while somebody waits."""

    data = models.JSONField(_("figures"), default=dict)
    computed_at = models.DateTimeField(_("computed"))

    class Meta:
        verbose_name = _("figures")
        verbose_name_plural = _("figures")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.computed_at:%Y-%m-%d %H:%M}"
