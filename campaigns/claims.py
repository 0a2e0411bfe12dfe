"""Claiming: due texts of a sender are picked, judged and marked in one transaction (P1).

It waits for nobody: rows and contacts somebody else holds are passed over, so that it cannot deadlock with a STOP, and
a STOP that is under way keeps its contact's texts out of the batch.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from campaigns import gate, outcomes
from campaigns.gate import Verdict
from campaigns.models import Campaign, Message, Sender

S = Message.State
MOST_ERRORS = 5  # times a text that cannot be judged or worded is tried again


@dataclass(frozen=True)
class Claim:
    """A batch.

    Attributes:
        ready: claimed texts with what the decision said.
        looked_at: how many were picked, ready or not; none: nothing is due that is free.
    """

    ready: list[tuple[Message, Verdict]]
    looked_at: int


@transaction.atomic
def claim(sender: Sender, token: str, count: int, at: datetime) -> Claim:
    """Claim up to ``count`` due texts of a sender for the worker ``token``; answers to people come first."""
    picked = _pick(sender, count, at)
    if not picked:
        return Claim([], 0)
    verdicts = gate.judge(picked, at)
    _write(picked, verdicts, token, at)
    ready = [(message, verdicts[message.pk]) for message in picked if verdicts[message.pk].allowed]
    for message, verdict in ready:
        message.claim, message.state = token, S.CLAIMED
        message.consent_id, message.proof_id = verdict.consent_id, verdict.proof_id
    return Claim(ready, len(picked))


def due(sender_id: int, at: datetime) -> QuerySet[Message]:
    """The texts of a sender that wait for nothing but their turn, in its order."""
    timely = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
    waiting = Message.objects.filter(timely, sender=sender_id, state=S.QUEUED, not_before__lte=at)
    return waiting.order_by("not_before", "pk")


def sending(sender_id: int) -> list[int]:
    """The ids of a sender's campaigns that may go, in a new order each time, so that none waits for another's end."""
    ids = list(
        Campaign.objects.filter(sender=sender_id, state=Campaign.State.SENDING).order_by().values_list("pk", flat=True)
    )
    random.shuffle(ids)
    return ids


def _pick(sender: Sender, count: int, at: datetime) -> list[Message]:
    """Locked rows with their contacts, at most one for each contact."""
    waiting = due(sender.pk, at)
    # Named by a column that is never empty, so that the contact can be locked with its text.
    with_contact = (
        waiting.filter(contact__uid__isnull=False)
        .select_related("contact", "inbound")
        .select_for_update(skip_locked=True, of=("self", "contact"), no_key=True)
    )
    unknown_numbers = (
        waiting.filter(campaign__isnull=True, contact__isnull=True)
        .select_related("inbound")
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
    )
    sources = [with_contact.filter(campaign__isnull=True), unknown_numbers]
    sources += [with_contact.filter(campaign=pk) for pk in sending(sender.pk)]
    picked: dict[Any, Message] = {}
    for rows in sources:
        for message in rows[: max(0, count - len(picked))]:
            message.sender = sender
            picked.setdefault(message.contact_id or message.phone, message)
        if len(picked) >= count:
            break
    return _with_purposes(list(picked.values()))


def _with_purposes(messages: list[Message]) -> list[Message]:
    from consent.ledger.models import Purpose

    purposes = Purpose.objects.select_related("brand").in_bulk({m.purpose_id for m in messages if m.purpose_id})
    for message in messages:
        message.purpose = purposes.get(message.purpose_id) if message.purpose_id else None
    return messages


def _write(messages: Iterable[Message], verdicts: dict[int, Verdict], token: str, at: datetime) -> None:
    """Store the verdicts, in as many statements as there are different ones."""
    groups: dict[str, tuple[dict[str, Any], list[int]]] = {}
    for message in messages:
        changes = _changes(message, verdicts[message.pk], token, at)
        key = json.dumps(changes, default=str, sort_keys=True)
        groups.setdefault(key, (changes, []))[1].append(message.pk)
    for changes, pks in groups.values():
        Message.objects.filter(pk__in=pks, state=S.QUEUED).update(**changes)


def _changes(message: Message, verdict: Verdict, token: str, at: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {"decision": {**message.decision, **verdict.decision}}
    if (verdict.consent_id, verdict.proof_id) != (message.consent_id, message.proof_id):
        changes |= {"consent_id": verdict.consent_id, "proof_id": verdict.proof_id}
    if verdict.allowed:
        return changes | {"state": S.CLAIMED, "claim": token, "claimed_at": at}
    if verdict.defer_until is not None:
        return changes | {"not_before": verdict.defer_until}
    if verdict.refusal == gate.LATE:
        return changes | {"state": S.LATE, "finished_at": at}
    if verdict.refusal == gate.NOT_DECIDED:
        return changes | again(message, verdict.error, at)
    return changes | {"state": S.REFUSED, "refusal": verdict.refusal, "finished_at": at}


def again(message: Message, error: str, at: datetime) -> dict[str, Any]:
    """What to change of a text that could not be judged or worded: later, and after ``MOST_ERRORS`` never (P9)."""
    noted = {"error": error[:80], "attempts": F("attempts") + 1, "claim": "", "claimed_at": None}
    if message.attempts + 1 >= MOST_ERRORS:
        return noted | {"state": S.REFUSED, "refusal": gate.NOT_DECIDED, "finished_at": at}
    return noted | {"state": S.QUEUED, "not_before": at + outcomes.pause(message.attempts + 1)}
