"""The table of legal moves and the one rule that says which of them an answer makes; nothing here writes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.core.errors import IllegalMove, NewActNeeded
from consent.ledger import proofs
from consent.ledger.models import Consent, Purpose
from consent.ledger.models.proofs import Answer

S = Consent.Status
_NOTHING = None  # the person was never asked about this purpose


@dataclass(frozen=True)
class Move:
    """A legal move: from any of these states (None: no consent yet) to one."""

    sources: frozenset[str | None]
    target: str


_ENDED = {S.WITHDRAWN, S.EXPIRED, S.REVOKED, S.INVALIDATED}
_LIVE = {S.UNKNOWN, S.REQUESTED, S.GIVEN, S.RENEWED}

MOVES: dict[str, Move] = {
    "note": Move(frozenset({_NOTHING}), S.UNKNOWN),
    "request": Move(frozenset({_NOTHING, S.UNKNOWN, S.REFUSED, *_ENDED}), S.REQUESTED),
    "give": Move(frozenset({_NOTHING, S.UNKNOWN, S.REQUESTED, S.REFUSED, *_ENDED}), S.GIVEN),
    "renew": Move(frozenset({S.GIVEN, S.RENEWED}), S.RENEWED),
    "refuse": Move(frozenset({_NOTHING, S.UNKNOWN, S.REQUESTED}), S.REFUSED),
    "withdraw": Move(frozenset(_LIVE), S.WITHDRAWN),
    "expire": Move(frozenset({S.REQUESTED, S.GIVEN, S.RENEWED}), S.EXPIRED),
    "revoke": Move(frozenset(_LIVE), S.REVOKED),
    "invalidate": Move(frozenset(_LIVE), S.INVALIDATED),
}
# States that only a new act of the person, with new proof, leads out of; never an import (RULES O11).
NEEDS_NEW_ACT = frozenset(_ENDED)


def check_move(name: str, status: str | None) -> str:
    """The state that move ``name`` leads to from ``status``.

    Raises:
        IllegalMove: the table does not contain it.
    """
    move = MOVES[name]
    if status not in move.sources:
        label = S(status).label if status else _("not asked yet")
        raise IllegalMove(
            _("This is not possible for a consent that is “%(status)s”.") % {"status": label}, rule="DESIGN §3"
        )
    return move.target


def judge(
    act: proofs.Act,
    purpose: Purpose,
    *,
    country: str,
    status: str | None,
    since: datetime | None,
    stopped_since: datetime | None,
    by_import: bool,
) -> str | None:
    """Which move an answer makes; the one rule for a single answer and for an import of a million.

    Args:
        act: the answer.
        purpose: what it answers.
        country: country of the person's number.
        status, since: the consent on record, both None when there is none.
        stopped_since: when the person opted out of everything, the brand or this purpose, if a suppression holds.
        by_import: whether a list says so rather than the person in front of us.

    Returns:
        A key of ``MOVES``, or None when the answer changes nothing.

    Raises:
        DomainError: the answer must not be recorded.
    """
    if act.answer not in (Answer.YES, Answer.NO):
        return "note" if status is None else None
    proofs.check(act, purpose, country)
    if since is not None and act.captured_at <= since and status != S.UNKNOWN:
        return None  # what is on record is as new or newer
    if act.answer == Answer.NO:
        if status in MOVES["withdraw"].sources - {S.UNKNOWN, S.REQUESTED}:
            return "withdraw"
        return "refuse" if status in MOVES["refuse"].sources else None
    if stopped_since is not None or status in NEEDS_NEW_ACT:
        _check_new_act(act, status, stopped_since, by_import)
    confirm = purpose.needs_confirmation(act.method)
    if status in MOVES["renew"].sources:
        return None if confirm else "renew"
    if confirm:
        return "request" if status in MOVES["request"].sources else None
    return "give"


def _check_new_act(act: proofs.Act, status: str | None, stopped_since: datetime | None, by_import: bool) -> None:
    """Refuse to lift an end by anything but a new act of the person (RULES O11, P4)."""
    opted_out = stopped_since is not None or status == S.WITHDRAWN
    if by_import:
        if opted_out:
            raise NewActNeeded(_("This person opted out. An import cannot lift that; only the person can."), rule="O11")
        raise NewActNeeded(
            _("This consent ended (%(status)s). An import cannot bring it back; ask the person again.")
            % {"status": S(status).label.lower() if status else ""},
            rule="O11",
        )
    if stopped_since is not None and act.captured_at <= stopped_since:
        raise NewActNeeded(_("The opt-out is newer than this yes. Record an act that came after it."), rule="O11")
    if opted_out and act.method not in proofs.WRITTEN:
        raise NewActNeeded(
            _("This person opted out. A spoken yes does not lift that: have a form signed and take a photo of it."),
            rule="O11",
        )


def expiry(move: str, purpose: Purpose, captured_at: datetime) -> datetime | None:
    """When a consent that made ``move`` ends by itself (RULES C7; a request waits REQUEST_DAYS from now)."""
    if move in ("give", "renew"):
        return captured_at + relativedelta(months=purpose.validity_months)
    if move == "request":
        return timezone.now() + timedelta(days=settings.REQUEST_DAYS)
    return None
