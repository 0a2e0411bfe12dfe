"""Working through a file: the check and the import are the same steps; the check takes each one back.

A step is one transaction over a chunk of rows: contacts, answers, outcomes and how far we got are committed together,
so an interruption at any moment loses nothing and repeats nothing. The batch row is locked for the length of a step,
so two workers on one batch take turns instead of doing anything twice.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.contacts import doors
from consent.contacts.models import Contact
from consent.core import history
from consent.core.errors import ImportRefused
from consent.ledger import transitions
from consent.ledger.importing import people, reading, rows
from consent.ledger.importing.scratch import MAX_PER_NUMBER, Item, Scratch
from consent.ledger.models import ImportBatch, ImportRow
from consent.ledger.models.proofs import Answer

log = logging.getLogger(__name__)
State = ImportBatch.State
Outcome = ImportRow.Outcome

CHUNK = 1000  # rows of a step
SAMPLES = 5  # applied rows that a check keeps for its preview
_ATTEMPTS = 3
_BEAT = 5000  # rows read between two signs of life
_CELL = 500  # characters of a cell that are kept
_NAMED = 5  # other rows named in a reason
# Rows whose cells are kept, so that they can be downloaded, corrected and imported again.
KEPT = (Outcome.UNKNOWN, Outcome.CONFLICTING, Outcome.REJECTED)


@dataclass
class Verdict:
    """What became of a row."""

    item: Item
    outcome: str
    column: str = ""
    reason: str = ""


def check(batch: ImportBatch) -> None:
    """Find out what applying a file would do and record only that: counts and outcomes."""
    _work_through(batch, State.CHECKING)


def apply(batch: ImportBatch) -> None:
    """Apply a file from where it stands to its end."""
    _work_through(batch, State.RUNNING)


def _work_through(batch: ImportBatch, state: str) -> None:
    """Take steps until the file ends or the batch leaves ``state``; an error stops it and is kept with the batch."""
    ImportBatch.objects.filter(pk=batch.pk, state=state).update(heartbeat_at=timezone.now())
    try:
        with batch.file.open("rb") as file, Scratch() as scratch:
            world = rows.World.load(batch.country)
            total = scratch.fill(_glances(batch, file.file, world))
            if total == 0:
                raise ImportRefused(_("The file has a header but no rows."))
            ImportBatch.objects.filter(pk=batch.pk).update(total=total)
            while _step(batch.pk, state, scratch, world):
                pass
    except ImportRefused as refused:
        _stop(batch, state, str(refused), State.DISCARDED if state == State.CHECKING else State.FAILED)
    except Exception as error:
        log.exception("import %s stopped", batch.pk)
        # The kind of error only: its message may quote a person's data (P10).
        _stop(batch, state, _("Stopped by an error (%(kind)s).") % {"kind": type(error).__qualname__}, State.FAILED)
    batch.refresh_from_db()


@transaction.atomic
def _stop(batch: ImportBatch, state: str, error: str, into: str) -> None:
    locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if locked.state != state:
        return  # another worker has finished it, or somebody discarded it
    if state == State.CHECKING:  # nothing was applied: the next check begins anew
        ImportRow.objects.filter(batch=locked).delete()
        locked.next_row = 0
        for name in Outcome.values:
            setattr(locked, name, 0)
    locked.state, locked.error, locked.finished_at = into, error, timezone.now()
    locked.save()


def _glances(
    batch: ImportBatch, file: IO[bytes], world: rows.World
) -> Iterator[tuple[int, reading.Cells, rows.Glance]]:
    for index, (number, cells) in enumerate(reading.rows(file)):
        if index % _BEAT == 0:
            ImportBatch.objects.filter(pk=batch.pk).update(heartbeat_at=timezone.now())
        yield number, cells, rows.glance(cells, world)


def _step(pk: int, state: str, scratch: Scratch, world: rows.World) -> bool:
    """One chunk in one transaction; False when there is nothing more to do."""
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                return _locked_step(pk, state, scratch, world)
        except IntegrityError:
            # Somebody recorded one of these people at the same moment; now the chunk finds them on record.
            if attempt == _ATTEMPTS - 1:
                raise
    return False


def _locked_step(pk: int, state: str, scratch: Scratch, world: rows.World) -> bool:
    batch = ImportBatch.objects.select_for_update().get(pk=pk)
    if batch.state != state:
        return False
    simulated = state == State.CHECKING
    items = scratch.chunk(batch.next_row, CHUNK)
    if not items:
        batch.state = State.CHECKED if simulated else State.DONE
        batch.finished_at = timezone.now()
        batch.save(update_fields=["state", "finished_at"])
        return False
    actor = history.Actor(batch.actor, batch.created_by_id)
    with transaction.atomic(), history.acting(actor, batch.reason):
        verdicts = process(items, world)
        if simulated:
            transaction.set_rollback(True)
    _keep(batch, verdicts, samples=SAMPLES if simulated else 0)
    batch.next_row += len(items)
    batch.heartbeat_at = timezone.now()
    batch.save(update_fields=["next_row", "heartbeat_at", *Outcome.values])
    return True


def _keep(batch: ImportBatch, verdicts: Sequence[Verdict], samples: int) -> None:
    kept = []
    for verdict in verdicts:
        sample = verdict.outcome == Outcome.APPLIED and batch.applied < samples
        setattr(batch, verdict.outcome, getattr(batch, verdict.outcome) + 1)
        if verdict.outcome != Outcome.APPLIED or verdict.reason or sample:
            cells = verdict.item.cells if verdict.outcome in KEPT or sample else {}
            kept.append(
                ImportRow(
                    batch=batch,
                    number=verdict.item.row,
                    outcome=verdict.outcome,
                    field=verdict.column,
                    reason=verdict.reason[:400],
                    cells={name: cell[:_CELL].replace("\0", "") for name, cell in cells.items() if name},
                )
            )
    ImportRow.objects.bulk_create(kept)


# --- a chunk ------------------------------------------------------------------------------------------------------


def process(items: Sequence[Item], world: rows.World) -> list[Verdict]:
    """Record the rows of a chunk inside ``acting``; all rows of a number are in it.

    Returns:
        A verdict for each row, in order.
    """
    verdicts: dict[int, Verdict] = _contradictions(items)
    numbers = {i.glance.number.e164 for i in items if i.glance.number}
    found = Contact.objects.select_for_update().filter(phone__in=numbers).order_by("pk")
    known = {c.phone.as_e164: c for c in found}
    pending: list[tuple[Item, rows.Parsed]] = []
    for item in items:
        number = item.glance.number
        try:
            parsed = rows.parse(item.cells, item.glance, world, known.get(number.e164) if number else None)
        except rows.Refused as refused:
            verdicts.setdefault(item.row, Verdict(item, Outcome.REJECTED, refused.column, refused.reason))
            continue
        if item.surplus:
            reason = _("This number stands in the file more than %(n)s times. Is this the right file?")
            verdicts[item.row] = Verdict(item, Outcome.REJECTED, "phone", reason % {"n": MAX_PER_NUMBER})
        elif item.row not in verdicts:
            pending.append((item, parsed))
    for verdict in _record(pending, known):
        verdicts[verdict.item.row] = verdict
    return [verdicts[item.row] for item in items]


def _contradictions(items: Sequence[Item]) -> dict[int, Verdict]:
    """Rows that say yes and no for the same number and purpose, at the same time or about different people.

    None of them is applied: nobody can know which one is right.
    """
    topics: dict[tuple, list[Item]] = defaultdict(list)
    for item in items:
        seen = item.glance
        if seen.readable and seen.number and seen.answer in (Answer.YES, Answer.NO) and not item.surplus:
            topics[(seen.number.e164, seen.topic)].append(item)
    verdicts: dict[int, Verdict] = {}
    for same in topics.values():
        if len({i.glance.answer for i in same}) < 2:
            continue
        for item in same:
            others = [other.row for other in same if _contradict(item.glance, other.glance)]
            if others:
                verdicts[item.row] = Verdict(item, Outcome.CONFLICTING, "answer", _contradiction(sorted(others)))
    return verdicts


def _contradiction(others: list[int]) -> str:
    named = ", ".join(map(str, others[:_NAMED])) + (" …" if len(others) > _NAMED else "")
    return ngettext(
        "Row %(rows)s says the opposite for the same number and purpose. Find out which one is right.",
        "Rows %(rows)s say the opposite for the same number and purpose. Find out which one is right.",
        len(others),
    ) % {"rows": named}


def _contradict(one: rows.Glance, other: rows.Glance) -> bool:
    if one.answer == other.answer:
        return False
    different_people = bool(one.person and other.person and one.person != other.person)
    return one.at == other.at or different_people


def _record(pending: Sequence[tuple[Item, rows.Parsed]], known: dict[str, Contact]) -> Iterator[Verdict]:
    touched, notes = _settle(pending, known)
    entries = [transitions.Entry(known[p.number.e164], p.purpose, p.act) for _item, p in pending]
    results = transitions.record_answers(entries, by_import=True)
    first: dict[tuple, int] = {}
    for (item, parsed), result in zip(pending, results, strict=True):
        note = " ".join(filter(None, [parsed.note, notes.get(item.row, "")]))
        twin = first.setdefault((parsed.number.e164, parsed.purpose.pk, parsed.act.answer, item.glance.at), item.row)
        if result.error:
            yield Verdict(item, Outcome.REJECTED, "answer", str(result.error))
        elif parsed.doubt:
            yield Verdict(item, Outcome.UNKNOWN, parsed.column, " ".join(filter(None, [parsed.doubt, note])))
        elif result.move or item.row in touched:
            yield Verdict(item, Outcome.APPLIED, "", note)
        else:
            why = _why_unchanged(item, twin, result, parsed)
            yield Verdict(item, Outcome.UNCHANGED, "", " ".join(filter(None, [why, note])))


def _why_unchanged(item: Item, twin: int, result: transitions.Result, parsed: rows.Parsed) -> str:
    if twin != item.row:
        return _("The same answer stands in row %(row)s.") % {"row": twin}
    if result.consent and result.consent.effective_at == parsed.act.captured_at:
        return _("This answer is already on record.")
    if result.consent and result.consent.effective_at > parsed.act.captured_at:
        return _("A newer answer is on record.")
    return _("What is on record says the same.")


def _settle(pending: Sequence[tuple[Item, rows.Parsed]], known: dict[str, Contact]) -> tuple[set[int], dict[int, str]]:
    """Bring the contacts to what the rows say; ``known`` gains the new ones.

    Returns:
        The rows that changed a contact, and notes by row.
    """
    groups: dict[str, list[tuple[Item, rows.Parsed]]] = defaultdict(list)
    for item, parsed in pending:
        groups[parsed.number.e164].append((item, parsed))
    touched: set[int] = set()
    notes: dict[int, str] = {}
    new, revised = [], []
    for e164, group in groups.items():
        contact = known.get(e164)
        record = people.details_of(contact or Contact(**group[0][1].details))
        folded = people.fold(record, [p.details for _item, p in group])
        touched |= {group[place][0].row for place in folded.touched}
        notes |= {group[place][0].row: note for place, note in folded.notes.items()}
        if contact is None:
            touched.add(group[0][0].row)
            new.append((group[0][1].number, folded.details))
        elif folded.details != record:
            for name, value in folded.details.items():
                setattr(contact, name, value)
            revised.append(contact)
    known.update(doors.register_many(new))
    doors.revise_many(revised)
    return touched, notes
