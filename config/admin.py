"""The admin site: its name, its front page, and the pages that belong to no single model."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from config import dashboard
from config.navigation import navigation
from consent.ledger.recording import views as recording


class PlacetAdminSite(AdminSite):
    """The staff site. Every page added here checks its own permission: ``admin_view`` only asks for a log-in."""

    site_header = "Placet"
    site_title = "Placet"
    index_title = _("Today")
    enable_nav_sidebar = True

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        return {**context, "navigation": navigation(request) if context["has_permission"] else []}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().index(request, {**dashboard.context(request), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from consent.ledger.admin.explain import explain_view  # registers models, for which this site must exist

        pages: list[URLPattern | URLResolver] = [
            *recording.urls(self),
            path("figures/refresh/", self.admin_view(dashboard.refresh_view), name="refresh_figures"),
            path("explain/", self.admin_view(explain_view), name="explain"),
        ]
        return [*pages, *super().get_urls()]
