from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    name = "consent.contacts"
    label = "contacts"
    verbose_name = _("Contacts")

    def ready(self) -> None:
        from consent.contacts import receivers  # noqa: F401
