"""What the commands that ask the decision have in common."""

from datetime import datetime

from django.core.management.base import CommandError

from consent.core.errors import DomainError
from consent.ledger import explanation
from consent.ledger.models import Purpose
from consent.ledger.models.purposes import by_path


def purpose_and_moment(path: str, at: str | None) -> tuple[Purpose, datetime]:
    """The purpose written ``brand/purpose`` and the moment asked about.

    Raises:
        CommandError: there is no such purpose, or the time cannot be read.
    """
    try:
        purpose = by_path(path)
    except Purpose.DoesNotExist:
        known = ", ".join(sorted(p.path for p in Purpose.objects.select_related("brand"))) or "none"
        raise CommandError(f"There is no purpose “{path}”. Write it as brand/purpose; known: {known}.") from None
    try:
        return purpose, explanation.moment(at or "", purpose)
    except DomainError as error:
        raise CommandError(str(error)) from None
