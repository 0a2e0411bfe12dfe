"""Addresses: the admin is the whole site for now."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView
from django.views.i18n import set_language

urlpatterns = [
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
