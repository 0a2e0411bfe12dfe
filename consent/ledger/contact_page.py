"""What the page of a contact shows: a card per purpose from the one decision, and a timeline of everything."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext as _

from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import digests
from consent.core.history_page import events
from consent.ledger import decision
from consent.ledger.models import Consent, Proof, Purpose

PER_PAGE = 20
MOST_PAGES = 50


@dataclass(frozen=True)
class Card:
    """May this person be texted for this purpose, and why (not).

    Attributes:
        why: the rules that apply, the decisive one first; empty when allowed.
        waits: nothing refuses; a text only has to wait, such as for the hours of sending.
    """

    purpose: Purpose
    allowed: bool
    why: list[decision.Rule]
    consent: Consent | None
    waits: bool = False

    @property
    def proof(self) -> Proof | None:
        return self.consent.proof if self.consent else None


def standings(
    contacts: QuerySet[Contact], contexts: Iterable[decision.Context], *, every_code: bool = False
) -> list[dict[str, Any]]:
    """The decision about some contacts and several purposes in one query.

    Args:
        contacts: a few contacts, such as a page of a list.
        contexts: the questions (``decision.contexts_for``).
        every_code: say of each rule whether it applies, not only which one decides.

    Returns:
        ``pk``, ``purpose_pk`` and ``refusal`` or, with ``every_code``, what ``decision.applying`` needs.
    """
    columns = decision.asked() if every_code else ("refusal",)
    parts = [
        decision.decide(context, contacts, every_code=every_code, few=True)
        .order_by()
        .annotate(purpose_pk=Value(context.purpose.pk))
        .values("pk", "purpose_pk", *columns)
        for context in contexts
    ]
    return list(parts[0].union(*parts[1:], all=True)) if parts else []


def permitted(contacts: list[Contact], at: datetime) -> dict[int, list[tuple[Purpose, bool]]]:
    """The purposes in use each of these contacts may be texted for, and whether a text has to wait for its hour."""
    purposes = {p.pk: p for p in Purpose.objects.filter(active=True).select_related("brand")}
    judged = Contact.objects.filter(pk__in=[contact.pk for contact in contacts])
    found: dict[int, list[tuple[Purpose, bool]]] = defaultdict(list)
    waiting = decision.deferring()
    for row in standings(judged, decision.contexts_for(purposes.values(), at)):
        if row["refusal"] == "" or row["refusal"] in waiting:
            found[row["pk"]].append((purposes[row["purpose_pk"]], row["refusal"] != ""))
    return found


def cards(contact: Contact, at: datetime) -> list[Card]:
    """A card for each purpose in use, and for each one there is a consent to."""
    consents = {
        c.purpose_id: c
        for c in Consent.objects.filter(contact=contact).select_related("proof__notice", "proof__policy")
    }
    purposes = list(Purpose.objects.filter(Q(active=True) | Q(pk__in=consents)).select_related("brand"))
    contexts = decision.contexts_for(purposes, at)
    rows = standings(Contact.objects.filter(pk=contact.pk), contexts, every_code=True)
    judged = {row["purpose_pk"]: row for row in rows}
    return [_card(purpose, consents.get(purpose.pk), judged[purpose.pk]) for purpose in purposes]


def _card(purpose: Purpose, consent: Consent | None, row: dict[str, Any]) -> Card:
    why = decision.applying(row)
    waits = bool(why) and all(rule.defers for rule in why)
    return Card(purpose=purpose, allowed=not why, why=why, consent=consent, waits=waits)


def stops(contact: Contact) -> QuerySet[Suppression]:
    """The opt-outs in force for the contact's number."""
    return doors.suppressions(contact.phone.as_e164).select_related("brand", "purpose__brand")


def scope(stop: Any) -> str:
    """What an opt-out covers, in people's words."""
    return str(stop.purpose or stop.brand or _("everything"))


@dataclass(frozen=True)
class Event:
    """Something that happened, as the timeline tells it.

    Attributes:
        at: when it was recorded; the order of the timeline.
        happened: when the person did it, where that differs.
        proof: the act behind it.
        text: what was said, where the reader may know it.
        url: the page with more about it, where the reader may open it.
    """

    at: datetime
    title: str
    actor: str
    reason: str = ""
    happened: datetime | None = None
    proof: Proof | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    state: str = ""
    text: str = ""
    url: str = ""


# What the layers above tell on the page of a contact; each costs a constant number of queries.
sources: list[Callable[[Contact, int, Any], list[Event]]] = []  # (contact, newest so many, request) → events
links: list[Callable[[Contact, Any], list[tuple[str, str]]]] = []  # (contact, request) → (address, label)
sent: list[Callable[[Contact, datetime, Any], list[Event]]] = []  # (contact, since when, request) → texts that went out


def links_of(contact: Contact, request: Any) -> list[tuple[str, str]]:
    """Pages about a contact that the layers above have: address and label."""
    return [link for source in links for link in source(contact, request)]


def sent_since(contact: Contact, moment: datetime, request: Any) -> list[Event]:
    """The texts that went out to a contact since a moment, such as that of a stop recorded later; newest first."""
    return [event for source in sent for event in source(contact, moment, request)]


def timeline(
    contact: Contact, page: int, words_of: Callable[[Any, Any, Any], str], request: Any = None
) -> tuple[list[Event], bool]:
    """A page of everything on record about a contact, newest first, in a constant number of queries.

    Args:
        contact: who.
        page: from 1 to ``MOST_PAGES``.
        words_of, request: the reader's view of a contact's field, as for ``history_page.events``.

    Returns:
        The events of the page, and whether older ones follow.
    """
    page = max(1, min(page, MOST_PAGES))
    want = page * PER_PAGE + 1
    everything = [
        *_consent_events(contact, want),
        *_proof_events(contact, want),
        *_stop_events(contact, want),
        *_contact_events(contact, want, words_of, request),
        *(event for source in sources for event in source(contact, want, request)),
    ]
    everything.sort(key=lambda event: event.at, reverse=True)
    shown = everything[(page - 1) * PER_PAGE : page * PER_PAGE]
    return shown, len(everything) > page * PER_PAGE and page < MOST_PAGES


def _newest(rows: Any, want: int) -> list[Any]:
    return list(rows.order_by("-history_date", "-history_id")[:want])


def _consent_events(contact: Contact, want: int) -> list[Event]:
    rows = Consent.history.filter(contact=contact.pk).select_related("purpose__brand", "proof")
    rows = _newest(rows, want)
    told = []
    for index, row in enumerate(rows):
        before = next((r for r in rows[index + 1 :] if r.id == row.id), None)
        same = before is not None and (before.status, before.proof_id) == (row.status, row.proof_id)
        label = _("Updated") if same else row.get_status_display()
        late = abs(row.history_date - row.effective_at) > timedelta(minutes=1)
        told.append(
            Event(
                at=row.history_date,
                title=f"{label}: {row.purpose}",
                actor=row.actor,
                reason=row.history_change_reason or "",
                happened=row.effective_at if late and not same else None,
                proof=None if same or (before and before.proof_id == row.proof_id) else row.proof,
                state=_STATES.get(row.status, "muted"),
            )
        )
    return told


_STATES = {
    Consent.Status.GIVEN: "ok",
    Consent.Status.RENEWED: "ok",
    Consent.Status.REQUESTED: "warn",
    Consent.Status.UNKNOWN: "warn",
    Consent.Status.REFUSED: "stop",
    Consent.Status.WITHDRAWN: "stop",
    Consent.Status.REVOKED: "stop",
    Consent.Status.INVALIDATED: "stop",
}


def _proof_events(contact: Contact, want: int) -> list[Event]:
    """Proofs that no consent ever rested on, such as an answer that changed nothing."""
    used = Consent.history.filter(contact=contact.pk, proof__isnull=False).order_by().values("proof")
    rows = Proof.objects.filter(contact=contact).exclude(pk__in=used).select_related("purpose__brand")
    return [
        Event(
            at=proof.recorded_at,
            title=_("Proof recorded: %s") % proof.purpose,
            actor=proof.recorded_by,
            happened=proof.captured_at,
            proof=proof,
        )
        for proof in rows.order_by("-recorded_at")[:want]
    ]


def _stop_events(contact: Contact, want: int) -> list[Event]:
    keyed = digests.digests(contact.phone.as_e164).values()
    rows = Suppression.history.filter(digest__in=keyed).select_related("brand", "purpose__brand")
    told = []
    for row in _newest(rows, want):
        if row.lifted_at is not None:
            title, state = _("Opt-out lifted: %s"), "ok"
        else:
            title, state = (_("Opted out: %s") if row.history_type == "+" else _("Opt-out updated: %s")), "stop"
        told.append(
            Event(
                at=row.history_date,
                title=title % scope(row),
                actor=row.actor,
                reason=row.history_change_reason or "",
                happened=row.since if row.history_type == "+" else None,
                state=state,
            )
        )
    return told


def _contact_events(contact: Contact, want: int, words_of: Any, request: Any) -> list[Event]:
    manager = contact.history
    rows = manager.order_by("-history_date", "-history_id")[:want]
    titles = {"+": _("Put on record"), "~": _("Details changed"), "-": _("Deleted")}
    return [
        Event(
            at=told["at"],
            title=_("Number changed") if told["type"] == "~" and "phone" in told["names"] else titles[told["type"]],
            actor=told["actor"],
            reason=told["reason"] or "",
            changes=told["changes"] if told["type"] == "~" else [],
        )
        for told in events(Contact, rows, manager, words_of, request)
    ]
