from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from campaigns import rules, tasks, timeline, waking
        from campaigns.gateways import checks  # noqa: F401
        from campaigns.receivers import stops, texts  # noqa: F401

        rules.register()
        waking.listen(tasks.wake)
        timeline.register()
