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

    A detail fills what is empty. It replaces what is there only when the row has the external id that is on record;
    where the person first came from (``source``) is never replaced. A row with another external id, or another name,
    is about somebody else: nothing of it is taken over.

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
    differing = {d for d, value in row.items() if record[d] and _differs(d, value, record[d]) and d != "source"}
    if "name" in differing and not same:
        folded.notes[place] = _("The number is on record under another name; those details were kept.")
        return
    if differing and not same:
        folded.notes[place] = _("Some details differ from those on record, which were kept.")
    for detail, value in row.items():
        if detail == "external_id" and differing:
            continue  # it would make the row's other details count the next time
        if not record[detail] or (same and detail in differing):
            record[detail] = value
            folded.touched.add(place)


def _differs(detail: str, one: str, other: str) -> bool:
    return words(one) != words(other) if detail == "name" else one != other
