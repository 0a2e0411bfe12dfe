from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from campaigns import rules, timeline
        from campaigns.gateways import checks  # noqa: F401
        from campaigns.receivers import texts  # noqa: F401

        rules.register()
        timeline.register()
