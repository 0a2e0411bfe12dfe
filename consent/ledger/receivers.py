"""What the ledger does when a layer below changes."""

from typing import Any

from django.dispatch import receiver

from consent.contacts.models import Contact
from consent.contacts.signals import number_changed
from consent.ledger import transitions


@receiver(number_changed, sender=Contact)
def _revoke(sender: Any, contact: Contact, **kwargs: Any) -> None:
    transitions.revoke_for_number(contact)
