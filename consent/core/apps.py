from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "consent.core"
    label = "core"

    def ready(self) -> None:
        from consent.core import lookups, roles, triggers  # noqa: F401

        post_migrate.connect(triggers.install, dispatch_uid="placet.triggers")
        post_migrate.connect(roles.grant, dispatch_uid="placet.roles")
