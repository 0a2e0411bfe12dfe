"""Rotation of the keys behind the digests: contacts and their suppressions move to the newest key together.

The gate compares digests of one key, so a contact and its suppressions change key in one transaction, with the contact
locked: at no moment does a suppression stand under a key its contact does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction

from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import digests, history
from consent.core.distinct import distinct_values

BATCH = 500


@dataclass
class Progress:
    """How far a rotation got.

    Attributes:
        key: the newest key.
        contacts: moved to it.
        suppressions: moved to it.
        remaining: suppressions still under each older key when it was done. Their numbers are not on record, so nobody
            can compute their new digest: keep those keys readable for as long as such rows exist (RULES O8). In a
            simulation: those under each older key now, the ones it would move included.
        unreadable: the older keys in ``remaining`` that are not among SUPPRESSION_KEYS any more.
    """

    key: str
    contacts: int = 0
    suppressions: int = 0
    remaining: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def rotate(*, simulate: bool = False, batch: int = BATCH) -> Iterator[Progress]:
    """Move every contact and its suppressions to the newest key; one yield per committed batch, the last one complete.

    Safe beside running work and when two run at once; interrupted, it goes on where it stopped.

    Args:
        simulate: count what would move and change nothing.
        batch: contacts per transaction.
    """
    progress = Progress(digests.newest_key_id())
    for key in _keys(Contact, "digest_key_id", progress.key):
        last = 0
        while True:
            moved, last = _simulated(key, last, batch) if simulate else _move(key, last, batch)
            if not last:
                break
            progress.contacts += moved[0]
            progress.suppressions += moved[1]
            yield progress
    for key in _keys(Suppression, "key_id", progress.key):
        progress.remaining[key] = Suppression.objects.filter(key_id=key).count()
        if key not in digests.readable_key_ids():
            progress.unreadable.append(key)
    yield progress


def _keys(model: type[Contact] | type[Suppression], name: str, newest: str) -> list[str]:
    return [key for key in distinct_values(model, name) if key != newest]


def _move(key: str, after: int, batch: int) -> tuple[tuple[int, int], int]:
    with transaction.atomic(), history.acting(history.Actor.job("rotate_digests"), "Digests move to the newest key."):
        older = Contact.objects.filter(digest_key_id=key, pk__gt=after).order_by("pk")
        contacts = list(older.select_for_update().only("pk", "phone", "phone_digest", "digest_key_id")[:batch])
        if not contacts:
            return (0, 0), 0
        for contact in contacts:
            contact.phone_digest = digests.digest(contact.phone.as_e164)
            contact.digest_key_id = digests.newest_key_id()
        # The digest is derived and kept out of the history: that a key changed says nothing about the person.
        Contact.objects.bulk_update(contacts, ["phone_digest", "digest_key_id"], batch_size=200)
        suppressions = doors.carry_over_many([contact.phone.as_e164 for contact in contacts])
        return (len(contacts), suppressions), contacts[-1].pk


def _simulated(key: str, after: int, batch: int) -> tuple[tuple[int, int], int]:
    older = Contact.objects.filter(digest_key_id=key, pk__gt=after).order_by("pk")
    rows = list(older.values_list("pk", "phone")[:batch])
    if not rows:
        return (0, 0), 0
    newest = digests.newest_key_id()
    known = [d for _pk, phone in rows for k, d in digests.digests(phone.as_e164).items() if k != newest]
    return (len(rows), Suppression.objects.filter(digest__in=known).count()), rows[-1][0]
