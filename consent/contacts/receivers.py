"""What contacts do when the core below says so."""

from typing import Any

from django.dispatch import receiver

from consent.contacts.models import Export
from consent.core.signals import exported


@receiver(exported)
def _log(sender: Any, user: Any, what: str, filters: str, reason: str, rows: int, **kwargs: Any) -> None:
    Export.objects.create(what=what, filters=filters, reason=reason, rows=rows, by=user.get_username(), user=user)
