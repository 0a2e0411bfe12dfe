"""The doors through which contacts change. Each is atomic, locks what it changes and needs ``history.acting``."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from consent.contacts.models import Contact, Suppression
from consent.contacts.signals import number_changed
from consent.core import digests, numbers
from consent.core.errors import DomainError

# What a caller may say about a person; the rest follows from the number or belongs to other doors.
DETAILS = ("name", "email", "kind", "language", "source", "external_id")


def locate(number: numbers.Number) -> Contact | None:
    """The contact with this number, if any."""
    return Contact.objects.filter(phone=number.e164).first()


@transaction.atomic
def register(number: numbers.Number, *, created_by: Any = None, **details: str) -> tuple[Contact, bool]:
    """The contact with this number: found, or made now. Details fill what is empty and never erase (RULES O11).

    Args:
        number: a parsed number.
        created_by: the user who records it, when a person does.
        details: any of ``DETAILS``; applied in full to a new contact, only to empty fields of a known one.

    Returns:
        The contact and whether it is new.
    """
    contact = Contact.objects.select_for_update().filter(phone=number.e164).first()
    if contact is None:
        contact = Contact(created_by=created_by, **{k: v for k, v in details.items() if v})
        contact.set_number(number)
        try:
            with transaction.atomic():
                contact.save()
        except IntegrityError:  # another request was faster
            return register(number, created_by=created_by, **details)
        carry_over(number.e164)
        return contact, True
    missing = {k: v for k, v in details.items() if v and not getattr(contact, k)}
    if missing:
        for field, value in missing.items():
            setattr(contact, field, value)
        contact.save()
    return contact, False


@transaction.atomic
def change_number(contact: Contact, number: numbers.Number) -> None:
    """Give a contact another number. What was given for the old one is revoked by the ledger (RULES C15).

    Raises:
        DomainError: another contact has the number.
    """
    locked = Contact.objects.select_for_update().get(pk=contact.pk)
    old = locked.phone.as_e164
    if old == number.e164:
        return
    if Contact.objects.filter(phone=number.e164).exists():
        raise DomainError(_("Another contact has this number already. Open that contact instead."), rule="C15")
    locked.set_number(number)
    locked.save()
    contact.set_number(number)
    carry_over(number.e164)
    number_changed.send(sender=Contact, contact=locked, old=old)


@transaction.atomic
def suppress(number: str, *, reason: str, since: Any, brand: Any = None, purpose: Any = None) -> Suppression:
    """Suppress a number for everything, a brand or a purpose; a suppression already in force stays as it is.

    Args:
        number: E.164; needs no contact.
        reason: one of ``Suppression.Reason``.
        since: when the person did it.
        brand, purpose: the scope; neither: everything.
    """
    carry_over(number)
    key_id, digest = digests.newest_key_id(), digests.digest(number)
    Contact.objects.filter(phone=number).exclude(digest_key_id=key_id).update(phone_digest=digest, digest_key_id=key_id)
    scope = {"digest": digest, "brand": brand, "purpose": purpose, "lifted_at": None}
    found = Suppression.objects.filter(digest=digest, brand=brand, purpose=purpose, lifted_at__isnull=True).first()
    return found or Suppression.objects.create(key_id=key_id, reason=reason, since=since, **scope)


def suppressions(number: str) -> Any:
    """The suppressions in force for an E.164 number, under whichever key."""
    return Suppression.objects.filter(digest__in=digests.digests(number).values(), lifted_at__isnull=True)


def carry_over(number: str) -> int:
    """Re-key the suppressions of a number that are still under an older key, so that the gate sees them.

    Returns:
        How many were re-keyed.
    """
    key_id, digest = digests.newest_key_id(), digests.digest(number)
    older = [d for k, d in digests.digests(number).items() if k != key_id]
    count = 0
    for row in Suppression.objects.filter(digest__in=older):
        row.digest, row.key_id = digest, key_id
        row.save()
        count += 1
    return count
