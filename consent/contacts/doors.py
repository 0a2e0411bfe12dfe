"""The doors through which contacts change. Each is atomic, locks what it changes and needs ``history.acting``."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from consent.contacts.models import Contact, NameWord, Suppression, words
from consent.contacts.signals import number_changed
from consent.core import digests, history, numbers
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
def register_many(
    people: Sequence[tuple[numbers.Number, dict[str, str]]], *, created_by: Any = None
) -> dict[str, Contact]:
    """Make contacts for numbers that have none, in a constant number of statements.

    Args:
        people: each number once, with its details (any of ``DETAILS``).
        created_by: the user who records them, when a person does.

    Returns:
        The contacts by E.164 number.

    Raises:
        IntegrityError: a number got a contact in the meantime.
    """
    made: dict[str, Contact] = {}
    for number, details in people:
        contact = Contact(created_by=created_by, **{k: v for k, v in details.items() if v})
        contact.set_number(number)
        made[number.e164] = contact
    Contact.objects.bulk_create(made.values())
    _index_names(made.values())
    history.created(Contact.objects.filter(pk__in=[c.pk for c in made.values()]))
    carry_over_many(made)
    return made


@transaction.atomic
def revise_many(contacts: Sequence[Contact]) -> None:
    """Save changed ``DETAILS`` of locked contacts in a constant number of statements."""
    if not contacts:
        return
    Contact.objects.bulk_update(contacts, DETAILS, batch_size=200)
    renamed = [c for c in contacts if c.name != getattr(c, "_indexed_name", "")]
    NameWord.objects.filter(contact__in=renamed).delete()
    _index_names(renamed)
    history.changed(Contact.objects.filter(pk__in=[c.pk for c in contacts]))


def _index_names(contacts: Iterable[Contact]) -> None:
    NameWord.objects.bulk_create(NameWord(contact=c, word=word) for c in contacts for word in words(c.name))
    for contact in contacts:
        contact._indexed_name = contact.name


def carry_over_many(e164s: Iterable[str]) -> int:
    """``carry_over`` for many numbers; only those with a suppression under an older key cost anything.

    Returns:
        How many suppressions were re-keyed.
    """
    if len(digests.readable_key_ids()) == 1:
        return 0
    newest = digests.newest_key_id()
    older = {d: number for number in e164s for k, d in digests.digests(number).items() if k != newest}
    found = Suppression.objects.filter(digest__in=older).order_by().values_list("digest", flat=True).distinct()
    return sum(carry_over(number) for number in {older[digest] for digest in found})


def check_number_free(contact: Contact, number: numbers.Number) -> None:
    """Whether a contact may take this number.

    Raises:
        DomainError: it has the number already, or another contact has.
    """
    holder = locate(number)
    if holder is not None and holder.pk == contact.pk:
        raise DomainError(_("This is the number on record already."))
    if holder is not None:
        raise _taken()


def _taken() -> DomainError:
    return DomainError(_("Another contact has this number already. Open that contact instead."), rule="C15")


def _follow(old: str, new: str) -> None:
    """What a person opted out of holds at the new number too: it was the person who said so, not the number (P4)."""
    personal = (Suppression.Reason.STOP, Suppression.Reason.OBJECTION)
    for stop in suppressions(old).filter(reason__in=personal).select_related("brand", "purpose"):
        suppress(new, reason=stop.reason, since=stop.since, brand=stop.brand, purpose=stop.purpose)


@transaction.atomic
def change_number(contact: Contact, number: numbers.Number) -> None:
    """Give a contact another number. What was given for the old one is revoked by the ledger (RULES C15); what the
    person opted out of stays in force at both.

    Raises:
        DomainError: another contact has the number.
    """
    locked = Contact.objects.select_for_update().get(pk=contact.pk)
    old = locked.phone.as_e164
    if old == number.e164:
        return
    check_number_free(locked, number)
    locked.set_number(number)
    try:
        with transaction.atomic():
            locked.save()
    except IntegrityError:  # another request was faster
        raise _taken() from None
    contact.set_number(number)
    carry_over(number.e164)
    _follow(old, number.e164)
    number_changed.send(sender=Contact, contact=locked, old=old)


@transaction.atomic
def suppress(number: str, *, reason: str, since: Any, brand: Any = None, purpose: Any = None) -> Suppression:
    """Suppress a number for everything, a brand or a purpose; one already in force stays, and takes
    over the time of a later stop, so that no yes from before that stop lifts it.

    Args:
        number: E.164; needs no contact.
        reason: one of ``Suppression.Reason``.
        since: when the person did it.
        brand, purpose: the scope; neither: everything.
    """
    # The contact first, as everywhere: a rotation of keys locks in the same order.
    keyed_by = list(Contact.objects.select_for_update().filter(phone=number).values_list("digest_key_id", flat=True))
    carry_over(number)
    key_id, digest = digests.newest_key_id(), digests.digest(number)
    if any(key != key_id for key in keyed_by):
        Contact.objects.filter(phone=number).update(phone_digest=digest, digest_key_id=key_id)
    scope = {"digest": digest, "brand": brand, "purpose": purpose, "lifted_at": None}
    found = Suppression.objects.filter(digest=digest, brand=brand, purpose=purpose, lifted_at__isnull=True).first()
    if found is None:
        return Suppression.objects.create(key_id=key_id, reason=reason, since=since, **scope)
    if found.since < since:
        found.since = since
        found.save()
    return found


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


@transaction.atomic
def hold(contact: Contact, since: Any) -> None:
    """Hold all sending to a contact while a person looks at a reply that may mean stop (RULES O4).

    Args:
        contact: who; held already stays held since then.
        since: from when on.
    """
    locked = Contact.objects.select_for_update().get(pk=contact.pk)
    if locked.held_since is None:
        locked.held_since = since
        locked.save()


@transaction.atomic
def release(contact: Contact) -> None:
    """End the hold on a contact; sending goes on as far as the decision allows."""
    locked = Contact.objects.select_for_update().get(pk=contact.pk)
    if locked.held_since is not None:
        locked.held_since = None
        locked.save()
