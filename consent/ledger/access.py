"""Whose record a person's is: the one answer to who sees a contact unmasked (DESIGN §6)."""

from typing import Any

from django.db.models import Q

from consent.contacts.models import Contact
from consent.ledger.models import Proof


def own(user: Any) -> Q:
    """The contacts that are ``user``'s own: created by them, or with a proof they recorded; a filter of Contact."""
    recorded = Proof.objects.filter(recorded_by_user=user).order_by().values("contact")
    return Q(created_by=user) | Q(pk__in=recorded)


def sees(user: Any, contact: Contact) -> bool:
    """Whether ``user`` may see name and number of this contact."""
    return user.has_perm("contacts.see_numbers") or Contact.objects.filter(own(user), pk=contact.pk).exists()
