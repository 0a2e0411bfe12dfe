"""All answers of one person as one transaction: recorded together or not at all."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import history, numbers
from consent.core.errors import DomainError
from consent.ledger import proofs, transitions
from consent.ledger.models import Proof, Purpose


@dataclass(frozen=True)
class Recorded:
    """What became of a submission.

    Attributes:
        contact: whose answers they are.
        changed: ids of the purposes whose record it changed.
        again: the same form was recorded before; nothing was written now.
    """

    contact: Contact
    changed: list[int]
    again: bool = False


class NotRecorded(Exception):
    """Nothing was written: at least one answer was refused.

    Args:
        errors: the refusals, by purpose id.
    """

    def __init__(self, errors: dict[int, DomainError]) -> None:
        super().__init__("an answer was refused")
        self.errors = errors


def record(
    number: numbers.Number, acts: Sequence[tuple[Purpose, proofs.Act]], *, by: Any, token: UUID, **details: str
) -> Recorded:
    """Record what one person answered.

    Args:
        number: the person's.
        acts: one answer for each purpose that was asked.
        by: the user who records it.
        token: of the form that was sent; what came with it before is not recorded again.
        details: what ``contacts.doors.register`` takes.

    Raises:
        NotRecorded: an answer was refused; nothing was written, not even the contact.
    """
    for purpose, act in acts:
        act.uid = _uid(token, number, purpose, act)
    try:
        with transaction.atomic(), history.acting(history.Actor.of(by), _("Answer recorded in person")):
            contact, _new = doors.register(number, created_by=by, **details)
            if before := _seen(acts):
                return Recorded(contact, before, again=True)
            results = transitions.record_answers([transitions.Entry(contact, p, a) for p, a in acts])
            errors = {p.pk: r.error for (p, _act), r in zip(acts, results, strict=True) if r.error}
            if errors:
                raise NotRecorded(errors)
    except IntegrityError:  # the same form arrived twice at once; the other one was faster
        known, before = doors.locate(number), _seen(acts)
        if known is None or not before:
            refusal = DomainError(_("Somebody else recorded this person at the same moment. Save again."))
            raise NotRecorded({purpose.pk: refusal for purpose, _act in acts}) from None
        return Recorded(known, before, again=True)
    return Recorded(contact, [p.pk for (p, _act), r in zip(acts, results, strict=True) if r.move])


def _seen(acts: Sequence[tuple[Purpose, proofs.Act]]) -> list[int]:
    uids = [act.uid for _purpose, act in acts]
    return list(Proof.objects.filter(uid__in=uids).values_list("purpose", flat=True))


def _uid(token: UUID, number: numbers.Number, purpose: Purpose, act: proofs.Act) -> UUID:
    """The record id of the proof that this form makes: unique in the database, so made once.

    A page that the browser brings back has its old token; another person or another answer is another act.
    """
    act_of_form = f"{number.e164} {purpose.pk} {act.answer}"
    return UUID(bytes=hashlib.sha256(token.bytes + act_of_form.encode()).digest()[:16], version=4)
