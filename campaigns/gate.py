"""The gate every text passes when it is claimed: the one decision, taken in the claim's own transaction (P1).

Nothing in here opens by accident: what cannot be judged is not sent (P9).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import CharField, F
from django.db.models.functions import Cast

from campaigns import openings, rules
from campaigns.models import Conversation, Message, Sender
from consent.contacts import doors
from consent.contacts.models import Contact
from consent.ledger import decision

log = logging.getLogger(__name__)
K = Message.Kind

# What a text that asks for a confirmation may overlook: that the confirmation is missing (RULES C9, C13).
TOLERATED: dict[str, frozenset[str]] = {
    K.CAMPAIGN: frozenset(),
    K.WELCOME: frozenset(),
    K.RENEWAL: frozenset(),
    K.RECONFIRMATION: frozenset({"reconfirmation_due"}),
    K.DOUBLE_OPT_IN: frozenset({"requested", "reconfirmation_due"}),
}
# Answers to the person: neither hours nor caps hold them back (RULES §3).
EXEMPT = (K.OPT_OUT, K.HELP, K.REPLY)

ANSWER_STOP_WITHIN = timedelta(minutes=5)  # RULES O5
HELD_FOR = timedelta(minutes=15)  # a held text is asked about again after this
CAP_UNKNOWN = timedelta(hours=1)  # when nobody can say when a cap frees
SOON = timedelta(seconds=1)
NOT_IN_USE = "not_in_use"  # the sender may not send this purpose any more (RULES C4)
NOT_DECIDED = "error"  # the refusal of what could not be judged
LATE = "late"


@dataclass(frozen=True)
class Verdict:
    """What the decision said about one text.

    Attributes:
        refusal: the code; empty: it may go now. ``late`` when its time is over, ``error`` when it could not be judged.
        defer_until: with a refusal that passes: when to ask again.
        consent_id, proof_id: what allows it.
        closes_at: when the hours end at the place; None: no end known.
        first: nothing went out under this consent yet (RULES §7).
        decision: what is stored with the message; ids and codes, no personal data.
        error: the kind of exception that kept it from being judged.
    """

    refusal: str = ""
    defer_until: datetime | None = None
    consent_id: int | None = None
    proof_id: int | None = None
    closes_at: datetime | None = None
    first: bool = False
    decision: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the text may be handed over now."""
        return self.refusal == ""


def judge(messages: Sequence[Message], at: datetime) -> dict[int, Verdict]:
    """Judge texts; call it inside the transaction that acts on the answer, with their contacts locked.

    Args:
        messages: any; ``contact``, ``purpose`` and ``sender`` are read.
        at: the moment judged.

    Returns:
        A verdict for each message id; what raised is refused with ``error``, the others are judged all the same.

    Raises:
        OperationalError, InterfaceError: the database went away; nothing was judged.
    """
    found: dict[int, Verdict] = {}
    groups: dict[tuple[int | None, str], list[Message]] = {}
    for message in messages:
        groups.setdefault((message.purpose_id, message.kind), []).append(message)
    for group in groups.values():
        try:
            with transaction.atomic():
                found |= _judge_group(group, at)
        except Exception as error:
            _reraise_if_lost(error)
            found |= _one_by_one(group, at)
    return found


def _one_by_one(group: list[Message], at: datetime) -> dict[int, Verdict]:
    """What one broken row costs must not be paid by its neighbours."""
    found: dict[int, Verdict] = {}
    for message in group:
        try:
            with transaction.atomic():
                found |= _judge_group([message], at)
        except Exception as error:
            _reraise_if_lost(error)
            log.exception("message %s could not be judged", message.pk)
            name = type(error).__qualname__
            found[message.pk] = Verdict(NOT_DECIDED, error=name, decision=_noted(message, at, [NOT_DECIDED]))
    return found


def _reraise_if_lost(error: Exception) -> None:
    if isinstance(error, OperationalError | InterfaceError):
        raise error


def _judge_group(group: list[Message], at: datetime) -> dict[int, Verdict]:
    kind = group[0].kind
    if kind in EXEMPT:
        return {message.pk: _answer(message, at) for message in group}
    if kind not in TOLERATED or group[0].purpose is None:
        raise LookupError("no rule for this kind of text")
    return _by_decision(group, at)


def _by_decision(group: list[Message], at: datetime) -> dict[int, Verdict]:
    purpose = group[0].purpose
    assert purpose is not None  # noqa: S101 - for the type checker; asked above
    context = decision.context_for(purpose, at, group[0].campaign_id, TOLERATED[group[0].kind])
    people = Contact.objects.filter(pk__in={m.contact_id for m in group if m.contact_id})
    rows = (
        decision.decide(context, people, few=True)
        .annotate(used_at=F("held__last_used_at"), number=Cast("phone", CharField()))
        .order_by()
        .values(
            "pk", "number", "refusal", "consent_id", "proof_id", "used_at", "country", "region", "zones", "known_zone"
        )
    )
    judged: dict[int | None, Any] = {row["pk"]: row for row in rows}
    batch = _Batch(context)
    found = {}
    for message in group:
        row = judged.get(message.contact_id)
        refusal = _code(message, row)
        if refusal == "" and batch.barred(message.sender):
            refusal = NOT_IN_USE
        verdict = Verdict(refusal)
        if row is not None:
            place = openings.Place(row["country"], row["region"], row["known_zone"] or row["zones"])
            verdict = Verdict(
                refusal,
                defer_until=batch.until(refusal, place),
                consent_id=row["consent_id"],
                proof_id=row["proof_id"],
                closes_at=batch.closes(place) if refusal == "" else None,
                first=row["used_at"] is None,
                decision=batch.noted(refusal, place),
            )
        found[message.pk] = verdict
    capped = {m.contact_id for m in group if m.contact_id and found[m.pk].refusal == "frequency_cap"}
    free = rules.frees_at(capped, context) if capped else {}
    for message in group:
        if found[message.pk].refusal == "frequency_cap":
            # A moment that is not in the future would turn in circles.
            until = max(free.get(message.contact_id or 0, at + CAP_UNKNOWN), at + SOON)
            found[message.pk] = replace(found[message.pk], defer_until=until)
    return found


def _code(message: Message, row: Any) -> str:
    if row is None:
        return "no_consent"
    # Who may be texted may be texted at the number they have; the one frozen in the message must be it (RULES C15).
    if row["refusal"] == "" and row["number"] != message.phone:
        return "number_changed"
    return str(row["refusal"])


class _Batch:
    """What is the same for every text of a batch at one place, worked out once."""

    def __init__(self, context: decision.Context) -> None:
        self.context, self.at = context, context.at
        self.hours = rules.hours_of(context)
        self._barred: dict[int, bool] = {}
        self._closings: dict[openings.Place, datetime | None] = {}
        self._windows: dict[openings.Place, list[int]] = {}

    def barred(self, sender: Sender) -> bool:
        if sender.pk not in self._barred:
            self._barred[sender.pk] = bool(sender.barred(self.context.purpose))
        return self._barred[sender.pk]

    def closes(self, place: openings.Place) -> datetime | None:
        if place not in self._closings:
            self._closings[place] = self.hours.closing(place, self.at)
        return self._closings[place]

    def until(self, refusal: str, place: openings.Place) -> datetime | None:
        """Until when a refusal that passes makes the text wait; a place that never opens is refused for good."""
        if refusal == "held":
            return self.at + HELD_FOR
        return self.hours.next_opening(place, self.at) if refusal == "outside_window" else None

    def noted(self, refusal: str, place: openings.Place) -> dict[str, Any]:
        if place not in self._windows:
            self._windows[place] = rules.row_ids(place, self.at, self.hours)
        return {
            "at": self.at.isoformat(),
            "codes": [refusal] if refusal else [],
            "purpose": self.context.purpose.pk,
            "material_version": self.context.material_version,
            "windows": self._windows[place],
        }


# --- answers ---------------------------------------------------------------------------------------------------------


def _answer(message: Message, at: datetime) -> Verdict:
    refusal = _answer_refused(message, at)
    return Verdict(
        refusal,
        defer_until=at + HELD_FOR if refusal == "held" else None,
        consent_id=message.consent_id,
        proof_id=message.proof_id,
        decision=_noted(message, at, [refusal] if refusal else []),
    )


def _answer_refused(message: Message, at: datetime) -> str:
    """Why an answer may not go: it needs no consent, for the person wrote first (RULES O5, O9, C10)."""
    person = Contact.objects.get(pk=message.contact_id) if message.contact_id else None
    if person is not None and person.phone.as_e164 != message.phone:
        return "number_changed"
    if person is not None and person.restricted_since is not None:
        return "restricted"
    if message.kind == K.OPT_OUT:
        stopped_at = message.inbound.received_at if message.inbound else message.created_at
        return LATE if at > stopped_at + ANSWER_STOP_WITHIN else ""
    if person is not None and person.held_since is not None:
        return "held"
    if any(_covers(stop, message) for stop in doors.suppressions(message.phone)):
        return "suppressed"
    if message.kind == K.REPLY:
        live = Conversation.objects.filter(contact=person, sender=message.sender_id, closes_at__gt=at)
        if person is None or not live.exists():
            return "no_conversation"
    return ""


def _covers(stop: Any, message: Message) -> bool:
    if stop.purpose_id:
        return bool(stop.purpose_id == message.purpose_id)
    return stop.brand_id in (None, message.sender.brand_id)


def _noted(message: Message, at: datetime, codes: list[str]) -> dict[str, Any]:
    return {"at": at.isoformat(), "codes": codes, "purpose": message.purpose_id}
