"""The admin of Placet as an app, so that autodiscovery fills our site."""

from django.contrib.admin.apps import AdminConfig


class PlacetAdminConfig(AdminConfig):
    default_site = "config.admin.PlacetAdminSite"
