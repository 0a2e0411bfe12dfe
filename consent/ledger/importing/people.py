"""What the rows of a file say about a person on record: blank never erases, another person's details never mix in."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from consent.contacts.doors import DETAILS
from consent.contacts.models import Contact, words


@dataclass
class Folded:
    """A person after the rows of a file.

    Attributes:
        details: what should be on record.
        touched: places of the rows that changed something.
        notes: by place, why a row's details were not taken over.
    """

    details: dict[str, str]
    touched: set[int] = field(default_factory=set)
    notes: dict[int, str] = field(default_factory=dict)


def details_of(contact: Contact) -> dict[str, str]:
    """What is on record of a person."""
    return {name: getattr(contact, name) for name in DETAILS}


def fold(record: dict[str, str], rows: Sequence[dict[str, str]]) -> Folded:
    """Work the rows about one number into what is on record.

    A detail fills what is empty. It replaces what is there only when the row has the external id that is on record.
    A row with another external id, or another name, is about somebody else: nothing of it is taken over.

    Args:
        record: what is on record.
        rows: the details of each row, in the order they count; blank ones left out.
    """
    folded = Folded(dict(record))
    # Repeated until nothing moves, so that the same file applied again finds nothing to do.
    for _round in range(len(DETAILS)):
        before = dict(folded.details)
        folded.notes.clear()
        for place, row in enumerate(rows):
            _take(folded, place, row)
        if folded.details == before:
            break
    if folded.details == record:
        folded.touched.clear()
    return folded


def _take(folded: Folded, place: int, row: dict[str, str]) -> None:
    record = folded.details
    theirs, ours = row.get("external_id", ""), record["external_id"]
    same = bool(ours) and theirs == ours
    if ours and theirs and not same:
        folded.notes[place] = _("The number is on record with another external id; those details were kept.")
        return
    name = row.get("name", "")
    if name and record["name"] and not same and words(name) != words(record["name"]):
        folded.notes[place] = _("The number is on record under another name; those details were kept.")
        return
    for detail, value in row.items():
        if value != record[detail] and (same or not record[detail]):
            record[detail] = value
            folded.touched.add(place)
