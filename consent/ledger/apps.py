from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "consent.ledger"
    label = "ledger"
    verbose_name = _("Consents")

    def ready(self) -> None:
        from consent.ledger import figures, jobs, receivers  # noqa: F401
