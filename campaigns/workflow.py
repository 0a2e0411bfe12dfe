"""The doors through which a campaign changes, over one table of legal moves.

Every door is atomic, locks the campaign, checks the table and saves with who and why; what follows (launching, sending)
is woken after the commit. Writing and approving are two people's work: whoever approves wrote nothing of it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import waking
from campaigns.models import Campaign, CampaignBody, Message
from consent.contacts.models import Audience
from consent.core import history
from consent.core.errors import DomainError, IllegalMove
from consent.ledger.models import Purpose

S = Campaign.State


class NotReady(DomainError):
    """A campaign that lacks something before it can go on."""


@dataclass(frozen=True)
class Move:
    """A legal move: from where, to where, and what the history says when nobody gives a reason."""

    sources: tuple[str, ...]
    target: str
    reason: Any


MOVES: dict[str, Move] = {
    "edited": Move((S.DRAFT, S.IN_REVIEW, S.APPROVED, S.SCHEDULED), S.DRAFT, gettext_lazy("Edited")),
    "submit": Move((S.DRAFT,), S.IN_REVIEW, gettext_lazy("Submitted for review")),
    "send_back": Move((S.IN_REVIEW, S.APPROVED, S.SCHEDULED), S.DRAFT, gettext_lazy("Back to draft")),
    "approve": Move((S.IN_REVIEW,), S.APPROVED, gettext_lazy("Approved")),
    "schedule": Move((S.APPROVED, S.SCHEDULED), S.SCHEDULED, gettext_lazy("Scheduled")),
    "start": Move((S.SCHEDULED,), S.SENDING, gettext_lazy("Launched")),
    "pause": Move((S.SENDING,), S.PAUSED, gettext_lazy("Paused")),
    "resume": Move((S.PAUSED,), S.SENDING, gettext_lazy("Resumed")),
    "cancel": Move(
        (S.DRAFT, S.IN_REVIEW, S.APPROVED, S.SCHEDULED, S.SENDING, S.PAUSED), S.CANCELLED, gettext_lazy("Cancelled")
    ),
    "complete": Move((S.SENDING,), S.COMPLETED, gettext_lazy("Nothing waits any more")),
}
EDITABLE = MOVES["edited"].sources
APPROVED = (S.APPROVED, S.SCHEDULED)


def legal(state: str) -> list[str]:
    """The moves from a state, in the order of ``MOVES``."""
    return [name for name, move in MOVES.items() if state in move.sources]


def check_move(move: str, state: str) -> str:
    """The state a move leads to.

    Raises:
        IllegalMove: it does not start there.
    """
    if state not in MOVES[move].sources:
        words = {"state": S(state).label}
        raise IllegalMove(_("This campaign is “%(state)s” now. Reload the page to see what can be done.") % words)
    return MOVES[move].target


@contextmanager
def _moving(campaign: Campaign, move: str, user: Any, reason: str) -> Iterator[Campaign]:
    """The campaign, locked and in the new state; saved at the end, and taken over by the caller's object."""
    with transaction.atomic():
        # Its key stays free: a STOP that names the campaign it answers must not wait for this.
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        stood = _values(locked)
        locked.state = check_move(move, locked.state)
        actor = history.Actor.of(user) if user is not None else history.current().actor
        if user is None and not reason:
            reason = history.current().reason
        with history.acting(actor, reason.strip() or str(MOVES[move].reason)):
            yield locked
            if _values(locked) != stood:  # the same person going on with a draft changes nothing here
                locked.save()
    for name, value in _values(locked).items():
        setattr(campaign, name, value)
    campaign._state.fields_cache.clear()  # the approver and the like, read before


def _values(campaign: Campaign) -> dict[str, Any]:
    return {field.attname: getattr(campaign, field.attname) for field in Campaign._meta.concrete_fields}


# --- what is approved --------------------------------------------------------------------------------------


def content(campaign: Campaign) -> str:
    """A fingerprint of what is approved: purpose, audience definition, sender, language and texts as they stand."""
    # Asked for anew: the caller's object may carry an audience or sender from before somebody changed it.
    row = Campaign.objects.select_related("purpose__brand", "sender__stop_sender").get(pk=campaign.pk)
    audience = Audience.objects.get(pk=row.audience_id)
    stands = [
        [row.purpose_id, row.purpose.kind, row.purpose.name, row.purpose.brand.name],
        [audience.pk, audience.kind, audience.language, audience.country],
        sorted(audience.tags.values_list("pk", flat=True)),
        [row.sender_id, row.sender.address, row.sender.type, row.sender.two_way, row.sender.stop_address],
        row.language,
        sorted(row.bodies.values_list("language", "text")),
    ]
    return hashlib.sha256(json.dumps(stands).encode()).hexdigest()


def outdated(campaign: Campaign) -> bool:
    """Whether an approval no longer covers what would be sent: audience, sender or purpose changed since."""
    return campaign.state in APPROVED and campaign.approved_content != content(campaign)


def _void(campaign: Campaign) -> None:
    campaign.approver = None
    campaign.approved_at = campaign.scheduled_at = None
    campaign.approved_content, campaign.approved_counts = "", None


def void_if_outdated(campaign: Campaign, *, launching: bool = False) -> bool:
    """Take an approval back that no longer covers what would be sent; inside ``history.acting``.

    Args:
        campaign: approved or scheduled; any other stays as it is.
        launching: also take it back when something stands against sending by now (``problems``).

    Returns:
        Whether it was taken back: the campaign is a draft again and must not be launched.
    """
    if outdated(campaign):
        reason = _("Audience, sender or purpose changed after the approval, which is void")
    elif launching and (found := problems(campaign)):
        reason = " ".join(found)
    else:
        return False
    with _moving(campaign, "edited", None, reason) as locked:
        _void(locked)
    return True


def editors(campaign: Campaign) -> set[int]:
    """The ids of everybody who ever wrote or changed the campaign or one of its texts."""
    wrote = set(Campaign.history.filter(id=campaign.pk).values_list("editor_id", flat=True))
    texts = CampaignBody.history.filter(campaign_id=campaign.pk)
    return {campaign.author_id, campaign.editor_id} | wrote | set(texts.values_list("history_user_id", flat=True))


def problems(campaign: Campaign) -> list[str]:
    """What stands against submitting or sending a campaign, as sentences; none when it is ready."""
    from campaigns import gateways

    row = Campaign.objects.select_related("purpose__brand", "sender__brand", "sender__stop_sender").get(pk=campaign.pk)
    found = []
    if not row.purpose.active:
        found.append(_("The purpose is no longer in use. Choose another one."))
    if row.purpose.kind == Purpose.Kind.CONVERSATIONAL:
        found.append(_("Conversations are answered one by one, never by a campaign (RULES C10)."))
    if barred := row.sender.barred(row.purpose):
        found.append(barred)
    if row.sender.gateway not in gateways.configured():
        words = {"gateway": row.sender.get_gateway_display()}
        found.append(
            _("The gateway %(gateway)s is not set up. Choose another sender or ask whoever runs the site.") % words
        )
    return list(dict.fromkeys(found + _of_texts(row)))


_OF_ALL = ("sender", "opt_out")  # what the lint says about the sender is the same in every language


def _of_texts(campaign: Campaign) -> list[str]:
    from campaigns import lint

    bodies = list(campaign.bodies.all())
    found = []
    if campaign.language not in {body.language for body in bodies}:
        words = {"language": campaign.get_language_display()}
        found.append(_("There is no text in %(language)s, the language for everybody else. Write one.") % words)
    for body in bodies:
        for finding in lint.findings(body.text, body.language, purpose=campaign.purpose, sender=campaign.sender):
            if finding.level == lint.STOP:
                said = finding.sentence
                found.append(said if finding.code in _OF_ALL else f"{body.get_language_display()}: {said}")
    return found


def _require_ready(campaign: Campaign) -> None:
    if found := problems(campaign):
        raise NotReady(" ".join(found))


# --- writing and approving ---------------------------------------------------------------------------------


def edited(campaign: Campaign, user: Any) -> Campaign:
    """Somebody changed the campaign or a text of it: they count as an editor, and an approval is void.

    Call it in the transaction of the edit, before or after it.

    Raises:
        IllegalMove: it was launched already; nothing of it can be edited any more.
    """
    state = Campaign.objects.values_list("state", flat=True).get(pk=campaign.pk)
    reason = "" if state not in APPROVED else _("Edited after the approval, which is void")
    with _moving(campaign, "edited", user, reason) as locked:
        locked.editor = user
        _void(locked)
    return campaign


def submit(campaign: Campaign, user: Any, reason: str = "") -> Campaign:
    """Hand a draft over to somebody who did not write it.

    Raises:
        IllegalMove: it is not a draft.
        NotReady: it lacks something; the sentence says what.
    """
    with _moving(campaign, "submit", user, reason):
        _require_ready(campaign)
    return campaign


def send_back(campaign: Campaign, user: Any, reason: str = "") -> Campaign:
    """Back to draft, by the reviewer or by the author; an approval is void.

    Raises:
        IllegalMove: it is not in review, approved or scheduled.
    """
    with _moving(campaign, "send_back", user, reason) as locked:
        _void(locked)
    return campaign


def check_four_eyes(campaign: Campaign, user: Any) -> None:
    """Raise ``IllegalMove`` when ``user`` wrote or changed any of the campaign; superusers are no exception."""
    if user.pk in editors(campaign):
        raise IllegalMove(_("You wrote or changed this campaign. Somebody else must approve it."), rule="DESIGN §5")


def approve(campaign: Campaign, user: Any, reason: str = "", *, read: str = "") -> Campaign:
    """Allow a campaign to be sent as it stands.

    Args:
        campaign: in review.
        user: who approves; not among its ``editors``.
        reason: for the history.
        read: the ``content`` the approver read, where there is one.

    Raises:
        IllegalMove: it is not in review, the approver wrote some of it, or it changed since it was read.
        NotReady: it lacks something by now.
    """
    from campaigns import preflight

    check_move("approve", campaign.state)
    check_four_eyes(campaign, user)
    if not preflight.covers(campaign):
        preflight.run(campaign, timezone.now())
    with _moving(campaign, "approve", user, reason) as locked:
        check_four_eyes(locked, user)
        _require_ready(locked)
        stands = content(locked)
        if (read and read != stands) or (locked.preflight or {}).get("content") != stands:
            raise IllegalMove(_("The campaign changed since you opened it. Read it again."), rule="DESIGN §5")
        locked.approver, locked.approved_at = user, timezone.now()
        locked.approved_content, locked.approved_counts = stands, locked.preflight
    return campaign


# --- sending -----------------------------------------------------------------------------------------------


def schedule(campaign: Campaign, user: Any, at: datetime | None = None, reason: str = "") -> Campaign:
    """Have an approved campaign launched.

    Args:
        campaign: approved, or scheduled for another moment.
        user: who decides so.
        at: when (aware); now when not given.
        reason: for the history.

    Raises:
        IllegalMove: it is not approved, the moment is past, or what was approved changed meanwhile; then it is a draft.
        NotReady: the sender may no longer send it.
    """
    now = timezone.now()
    if at is not None and at < now:
        raise IllegalMove(_("This moment is past. Choose a later one, or start now."))
    check_move("schedule", campaign.state)
    with history.acting(history.Actor.of(user), reason or str(MOVES["schedule"].reason)):
        if void_if_outdated(campaign):
            raise IllegalMove(
                _("Audience, sender or purpose changed after the approval: it is a draft again. Submit it anew.")
            )
    with _moving(campaign, "schedule", user, reason) as locked:
        _require_ready(locked)
        locked.scheduled_at = at or now
        if at is None:
            _after_commit("launch", locked.pk)
    return campaign


def pause(campaign: Campaign, user: Any = None, *, by: str = Campaign.PausedBy.PERSON, reason: str = "") -> Campaign:
    """Hand nothing more over until somebody resumes; what a worker has claimed is taken back.

    Args:
        campaign: sending.
        user: who decides so; a job acts inside ``history.acting`` instead.
        by: one of ``Campaign.PausedBy``.
        reason: for the history.

    Raises:
        IllegalMove: it is not sending.
    """
    from campaigns import queue

    with _moving(campaign, "pause", user, reason) as locked:
        locked.paused_by = by
        queue.take_back(locked)
    return campaign


def resume(campaign: Campaign, user: Any, reason: str = "") -> Campaign:
    """Go on sending.

    Raises:
        IllegalMove: it is not paused.
    """
    with _moving(campaign, "resume", user, reason) as locked:
        locked.paused_by = ""
        waking.wake([locked.sender_id])
    return campaign


def cancel(campaign: Campaign, user: Any, reason: str = "") -> Campaign:
    """Stop a campaign for good; what was sent stays sent, what waits is cancelled.

    Raises:
        IllegalMove: it is over already.
    """
    with _moving(campaign, "cancel", user, reason) as locked:
        locked.paused_by, locked.scheduled_at = "", None
        locked.finished_at = timezone.now()
        _cancel_messages(locked)
    return campaign


def complete(campaign: Campaign, user: Any = None, reason: str = "") -> Campaign:
    """Close a campaign of which nothing waits; inside ``history.acting``.

    Raises:
        IllegalMove: it is not sending.
    """
    with _moving(campaign, "complete", user, reason) as locked:
        locked.finished_at = timezone.now()
    return campaign


def _cancel_messages(campaign: Campaign) -> None:
    waiting = Message.objects.filter(campaign=campaign, state__in=Message.OPEN)
    waiting.update(state=Message.State.CANCELLED, finished_at=timezone.now(), claim="", claimed_at=None)


def _after_commit(task: str, pk: int) -> None:
    """Enqueue a task of ``campaigns.tasks``, found by name: tasks stand above the doors."""
    # Where the broker cannot be reached, the sweep finds what is due.
    transaction.on_commit(lambda: getattr(import_module("campaigns.tasks"), task).delay(pk), robust=True)
