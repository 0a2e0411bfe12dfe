"""Addresses: the admin, and where gateways call."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

urlpatterns = [
    path("admin/", admin.site.urls),
    path("hooks/", include("campaigns.webhooks.urls")),
    path("language/", set_language, name="set_language"),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
