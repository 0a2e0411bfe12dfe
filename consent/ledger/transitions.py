"""The doors through which consents change, over the table of legal moves in ``moves``.

Every door is atomic, locks the contact first (that serialises everything about one person), needs ``history.acting``
and writes exactly one history row for each change (P3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.contacts import doors as contact_doors
from consent.contacts.models import Contact, Suppression
from consent.core import history
from consent.core.errors import DomainError, IllegalMove
from consent.ledger import proofs, signals
from consent.ledger.models import Brand, Consent, Proof, Purpose
from consent.ledger.moves import MOVES, check_move, expiry, judge

S = Consent.Status


@dataclass(frozen=True)
class Entry:
    """One answer of one person to one purpose, to be recorded."""

    contact: Contact
    purpose: Purpose
    act: proofs.Act


@dataclass
class Result:
    """What became of an entry: the consent as it stands and the move made (None: nothing changed), or the error."""

    consent: Consent | None = None
    move: str | None = None
    error: DomainError | None = None


def record_answer(contact: Contact, purpose: Purpose, act: proofs.Act) -> Result:
    """Record one answer of one person.

    Args:
        contact: who.
        purpose: to what.
        act: how, when, with what evidence.

    Raises:
        DomainError: the answer cannot be recorded; nothing was written.
    """
    result = record_answers([Entry(contact, purpose, act)])[0]
    if result.error:
        raise result.error
    return result


@transaction.atomic
def record_answers(entries: Sequence[Entry], *, by_import: bool = False) -> list[Result]:
    """Record many answers in a constant number of statements per round; each entry succeeds or fails on its own.

    Two answers to the same purpose by the same person are recorded one after the other, in the order given, so that
    each has its history row.

    Args:
        entries: what to record.
        by_import: whether a list says so (RULES C1, O11).
    """
    results = [Result() for _entry in entries]
    rounds: list[dict[tuple[int, int], int]] = []
    for index, entry in enumerate(entries):
        key = (entry.contact.pk, entry.purpose.pk)
        target = next((r for r in rounds if key not in r), None)
        if target is None:
            rounds.append(target := {})
        target[key] = index
    _lock([e.contact for e in entries])
    for indexes in rounds:
        _record_round([(entries[i], results[i]) for i in indexes.values()], by_import)
    return results


def _lock(contacts: Sequence[Contact]) -> None:
    """Lock the contacts in one order and take over a number that changed since the caller read them."""
    locked = Contact.objects.select_for_update().filter(pk__in={c.pk for c in contacts}).order_by("pk")
    digests = dict(locked.values_list("pk", "phone_digest"))
    for contact in contacts:
        if contact.phone_digest != digests[contact.pk]:
            contact.refresh_from_db(fields=["phone", "phone_digest", "digest_key_id", "country", "region", "zones"])


def _record_round(pairs: list[tuple[Entry, Result]], by_import: bool) -> None:
    standing = {
        (c.contact_id, c.purpose_id): c
        for c in Consent.objects.select_for_update()
        .filter(contact__in=[e.contact.pk for e, _r in pairs], purpose__in={e.purpose.pk for e, _r in pairs})
        .order_by("pk")
    }
    stops = _stops([e.contact for e, _r in pairs])
    moves: list[tuple[Entry, Result, Consent]] = []
    for entry, result in pairs:
        consent = standing.get((entry.contact.pk, entry.purpose.pk))
        result.consent = consent
        covering = [s for s in stops.get(entry.contact.phone_digest, []) if _covers(s, entry.purpose)]
        in_force = [s for s in covering if s.lifted_at is None]
        live = consent is not None and consent.status in Consent.PERMITTING
        try:
            result.move = judge(
                entry.act,
                entry.purpose,
                country=entry.contact.country,
                status=consent.status if consent else None,
                since=consent.effective_at if consent else None,
                # A yes to one purpose lifts a stop of everything; it speaks for no other purpose on somebody's list.
                stopped_since=max((s.since for s in (covering if by_import and not live else in_force)), default=None),
                by_import=by_import,
            )
        except DomainError as error:
            result.error = error
            continue
        if result.move is None:
            continue
        if result.move in ("give", "renew"):  # a yes that still waits for its confirmation lifts nothing
            _lift(in_force)
        if result.move == "withdraw":  # a "no" to a live consent is a stop for this purpose (RULES O8)
            contact_doors.suppress(
                entry.contact.phone.as_e164,
                reason=Suppression.Reason.STOP,
                since=entry.act.captured_at,
                purpose=entry.purpose,
            )
        result.consent = consent or Consent(contact=entry.contact, purpose=entry.purpose)
        moves.append((entry, result, result.consent))
    _write(moves)


def _write(moves: list[tuple[Entry, Result, Consent]]) -> None:
    with_proof = [(e.act.proof(e.contact, e.purpose), c) for e, r, c in moves if r.move != "note"]
    Proof.objects.bulk_create([proof for proof, _c in with_proof])
    for proof, consent in with_proof:
        consent.proof = proof
    for entry, result, consent in moves:
        if result.move is None:
            continue
        consent.status = check_move(result.move, consent.status or None)
        consent.phone = entry.contact.phone
        consent.effective_at = entry.act.captured_at
        consent.expires_at = expiry(result.move, entry.purpose, entry.act.captured_at)
        if result.move == "give":
            consent.last_used_at = None  # nothing was sent under this yes yet (RULES C9)
    new = [c for _e, _r, c in moves if c.pk is None]
    known = [c for _e, _r, c in moves if c.pk is not None]
    Consent.objects.bulk_create(new)
    Consent.objects.bulk_update(
        known, ["status", "phone", "effective_at", "expires_at", "proof", "last_used_at"], batch_size=200
    )
    history.created(Consent.objects.filter(pk__in=[c.pk for c in new]))
    history.changed(Consent.objects.filter(pk__in=[c.pk for c in known]))
    if moves:
        signals.answered.send(sender=Consent, moved=[(c.pk, r.move) for _e, r, c in moves])


def _stops(contacts: Iterable[Contact]) -> dict[str, list[Suppression]]:
    found: dict[str, list[Suppression]] = {}
    digests = {c.phone_digest for c in contacts}
    for row in Suppression.objects.filter(digest__in=digests):
        found.setdefault(row.digest, []).append(row)
    return found


def _covers(stop: Suppression, purpose: Purpose) -> bool:
    if stop.purpose_id:
        return stop.purpose_id == purpose.pk
    return stop.brand_id in (None, purpose.brand_id)


def _lift(stops: list[Suppression]) -> None:
    for stop in stops:
        if stop.lifted_at:  # by another answer of the same act
            continue
        stop.lifted_at = timezone.now()
        stop.save()


@transaction.atomic
def withdraw(
    contact: Contact, purpose: Purpose, act: proofs.Act, *, scope: str, reason: str = Suppression.Reason.STOP
) -> list[Consent]:
    """The person said stop: suppress the number and withdraw every consent in scope (RULES C6, O3, O6, O8).

    Args:
        contact: who said it.
        purpose: the purpose it was said about.
        act: how and when; its time may lie in the past, not before the answer it ends.
        scope: one of ``Brand.StopScope``.
        reason: one of ``Suppression.Reason``.

    Returns:
        The consents withdrawn; empty when none was live (the suppression holds all the same).

    Raises:
        DomainError: the act is incomplete, or lies before a newer answer of the person within the scope.
    """
    proofs.check(act, purpose, contact.country)
    locked = Contact.objects.select_for_update().get(pk=contact.pk)
    live = list(
        Consent.objects.select_for_update(of=("self",))
        .filter(_in_scope(scope, purpose), contact=locked, status__in=MOVES["withdraw"].sources)
        .select_related("purpose")
        .order_by("pk")
    )
    newer = next((c for c in live if c.effective_at > act.captured_at and c.status != S.UNKNOWN), None)
    if newer:
        raise IllegalMove(
            _("The person said yes to %(purpose)s again on %(date)s, after this stop. Check the date or the scope.")
            % {"purpose": newer.purpose.name, "date": timezone.localtime(newer.effective_at).date().isoformat()},
            rule="C6",
        )
    contact_doors.suppress(
        locked.phone.as_e164,
        reason=reason,
        since=act.captured_at,
        brand=purpose.brand if scope == Brand.StopScope.BRAND else None,
        purpose=purpose if scope == Brand.StopScope.PURPOSE else None,
    )
    proofs_of = [act.proof(locked, consent.purpose) for consent in live]
    Proof.objects.bulk_create(proofs_of)
    for consent, proof in zip(live, proofs_of, strict=True):
        consent.proof = proof
        _end(consent, "withdraw", act.captured_at)
    signals.stopped.send(sender=Consent, contact=locked, ended=live)
    return live


def _in_scope(scope: str, purpose: Purpose) -> Q:
    if scope == Brand.StopScope.ALL:
        return Q()
    return Q(purpose__brand=purpose.brand_id) if scope == Brand.StopScope.BRAND else Q(purpose=purpose)


@transaction.atomic
def end(consent: Consent, move: str, *, effective_at: datetime) -> Consent:
    """End a consent for a reason that is not the person's: ``revoke`` (RULES C15) or ``invalidate``.

    Raises:
        IllegalMove: the consent is not live, or the time lies in the future.
    """
    if effective_at > timezone.now():
        raise IllegalMove(_("The date is in the future. Write when it happened."), rule="C15")
    contact = Contact.objects.select_for_update().get(pk=consent.contact_id)
    locked = Consent.objects.select_for_update().get(pk=consent.pk)
    _end(locked, move, effective_at)
    signals.stopped.send(sender=Consent, contact=contact, ended=[locked])
    return locked


def _end(consent: Consent, move: str, effective_at: datetime) -> None:
    consent.status = check_move(move, consent.status)
    consent.effective_at = effective_at
    consent.expires_at = None
    consent.save(update_fields=["status", "effective_at", "expires_at", "proof"])


def revoke_for_number(contact: Contact) -> int:
    """Revoke what was given for a number the contact no longer has (RULES C15).

    Returns:
        How many consents were revoked.
    """
    live = Consent.objects.filter(contact=contact, status__in=MOVES["revoke"].sources)
    return history.update(live, status=S.REVOKED, effective_at=timezone.now(), expires_at=None)


def expire(due: QuerySet[Consent]) -> int:
    """Expire consents whose time is over; the caller chose them by ``due_for_expiry``.

    Returns:
        How many expired.
    """
    return history.update(due, status=S.EXPIRED, effective_at=F("expires_at"))


def due_for_expiry(at: datetime) -> QuerySet[Consent]:
    """The consents whose time is over at ``at`` (RULES C7)."""
    return Consent.objects.filter(status__in=MOVES["expire"].sources, expires_at__lte=at)
