"""The admin site: name, dashboard as front page, login with lock-out."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class PlacetAdminSite(AdminSite):
    site_header = "Placet"
    site_title = "Placet"
    index_title = _("Today")
    enable_nav_sidebar = True
