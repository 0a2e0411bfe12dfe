"""A stop takes back what waits, in its own transaction (P2)."""

from typing import Any

from django.dispatch import receiver

from campaigns import queue
from consent.contacts.models import Contact
from consent.contacts.signals import number_changed
from consent.ledger import signals
from consent.ledger.models import Consent


@receiver(signals.stopped, sender=Consent, dispatch_uid="a stop takes back what waits")
def _stopped(sender: Any, contact: Contact, **kwargs: Any) -> None:
    queue.block(contact)


@receiver(signals.answered, sender=Consent, dispatch_uid="a no takes back what waits")
def _answered(sender: Any, moved: list[tuple[int, str]], **kwargs: Any) -> None:
    if ended := [pk for pk, move in moved if move in ("withdraw", "refuse")]:
        queue.block_many(ended)


@receiver(number_changed, sender=Contact, dispatch_uid="a new number takes back what waits for the old one")
def _number_changed(sender: Any, contact: Contact, **kwargs: Any) -> None:
    queue.block(contact)
