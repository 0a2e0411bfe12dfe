"""Whose numbers a person may see whole: everybody's, or only those of the people they recorded themselves."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from consent.contacts.models import Contact


def sees_numbers(user: Any) -> bool:
    """Whether every number is shown whole."""
    return user.has_perm("contacts.see_numbers")


def own_records(user: Any) -> QuerySet[Contact]:
    """The contacts a recruiter created or recorded an answer of."""
    return Contact.objects.filter(Q(created_by=user) | Q(proofs__recorded_by_user=user)).distinct()


def is_own(user: Any, contact: str = "pk") -> Exists:
    """A condition for annotations: the contact at path ``contact`` is one of the user's own records."""
    return Exists(own_records(user).filter(pk=OuterRef(contact)).values("pk"))
