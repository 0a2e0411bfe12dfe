from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "consent.core"
    label = "core"

    def ready(self) -> None:
        from consent.core import digests, lookups, roles, triggers  # noqa: F401

        digests.readable_key_ids()  # broken keys are found now, not at the first opt-out
        post_migrate.connect(triggers.install, dispatch_uid="placet.triggers")
        post_migrate.connect(roles.grant, dispatch_uid="placet.roles")
