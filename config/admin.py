"""The admin site: its name, its front page, and the pages that belong to no single model."""

from django.contrib.admin import AdminSite
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from consent.ledger.recording import views as recording


class PlacetAdminSite(AdminSite):
    """The staff site. Every page added here checks its own permission: ``admin_view`` only asks for a log-in."""

    site_header = "Placet"
    site_title = "Placet"
    index_title = _("Today")
    enable_nav_sidebar = True

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from consent.ledger.admin.explain import explain_view  # registers models, for which this site must exist

        pages: list[URLPattern | URLResolver] = [
            *recording.urls(self),
            path("explain/", self.admin_view(explain_view), name="explain"),
        ]
        return [*pages, *super().get_urls()]
