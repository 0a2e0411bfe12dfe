"""The admin site: its name, its front page, and the pages that belong to no single model."""

from django.contrib.admin import AdminSite
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _


class PlacetAdminSite(AdminSite):
    """The staff site. Every page added here checks its own permission: ``admin_view`` only asks for a log-in."""

    site_header = "Placet"
    site_title = "Placet"
    index_title = _("Today")
    enable_nav_sidebar = True

    def get_urls(self) -> list[URLPattern | URLResolver]:
        pages: list[URLPattern | URLResolver] = []
        return [*pages, *super().get_urls()]
