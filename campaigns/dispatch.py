"""Sending: one worker at one lane of a sender claims, hands over and writes down what became of it.

Each text is marked *handed* in a commit of its own before the gateway hears of it, and never handed again unless the
gateway said that it did not take it. So whatever dies, and wherever, nobody is texted twice (P5): a text marked and
not written down is *unknown*, which the sweep finds.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from campaigns import claims, gateways, lanes, launch, outcomes, queue
from campaigns.gate import Verdict
from campaigns.gateways.base import Accepted, Gateway, OutcomeUnknown, Outgoing, Refused
from campaigns.models import Campaign, CampaignBody, Message, Sender
from consent.core import history
from consent.ledger.models import Consent

log = logging.getLogger(__name__)
S = Message.State
LOST = (OperationalError, InterfaceError)  # the database went away, or is busy for too long

BATCH = 50
WORK_FOR = timedelta(seconds=20)  # then others get a turn
BACK_OFF = timedelta(minutes=1)  # when the gateway refuses us
FAR = timedelta(seconds=5)  # a pace that lets nothing go before then is not waited for
# Kinds that use a permission up (RULES C9); a reconfirmation only asks.
USES = (Message.Kind.CAMPAIGN, Message.Kind.WELCOME, Message.Kind.RENEWAL)
# By hand, because it runs once for each text and Django takes longer to word it than the database to do it. That the
# campaign still sends is asked in the same statement: a pause or a brake is heard although it waits for nobody.
_MARK = """
UPDATE campaigns_message SET state = 'handed', body = %s, encoding = %s, parts = %s, attempts = attempts + 1,
    handed_at = %s
WHERE id = %s AND state = 'claimed' AND claim = %s AND (campaign_id IS NULL
    OR campaign_id IN (SELECT id FROM campaigns_campaign WHERE state = 'sending'))
"""
PAUSES = (0.1, 0.3, 1.0, 3.0)  # seconds between attempts to reach the database again


def work(sender_id: int, *, budget: timedelta = WORK_FOR) -> bool:
    """Send what is due for a sender, until nothing is, or ``budget`` is over.

    Returns:
        Whether more is due: the caller wakes another worker then.
    """
    sender = Sender.objects.select_related("brand", "stop_sender").filter(pk=sender_id, active=True).first()
    if sender is None:
        return False
    pace = lanes.next_at(sender_id)
    if pace is not None and pace > timezone.now() + FAR:
        return False
    gateway = gateways.get(sender.gateway)
    lane = lanes.take(sender_id)
    if lane is None:
        return False
    worker = Worker(sender, gateway, lane)
    more = False
    try:
        more = worker.run(timezone.now() + budget)
    finally:
        worker.close()
    launch.finish(sender_id)
    return more


def again_if_lost(call: Callable[[], Any]) -> Any:
    """Do something that may be done twice, again when the database went away meanwhile."""
    for pause in PAUSES:
        try:
            return call()
        except LOST:
            if connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(pause)
    return call()


class Worker:
    """One worker at one lane."""

    def __init__(self, sender: Sender, gateway: Gateway, lane: lanes.Held) -> None:
        self.sender, self.gateway, self.lane = sender, gateway, lane
        self.used: set[int] = set()  # consents texted under since the last ``beat``
        self.bodies: dict[int, dict[str, str]] = {}
        self.measured = lru_cache(maxsize=256)(_measured)

    def run(self, until: datetime) -> bool:
        """Batches until nothing is due (False) or the time is over (True)."""
        while True:
            if not again_if_lost(self.lane.renew):
                return True
            if again_if_lost(self._batch) == 0:
                return False
            if timezone.now() >= until:
                return True

    def close(self) -> None:
        """Leave nothing behind, as far as the database can be reached; the sweep settles the rest."""
        try:
            again_if_lost(self._beat)
            again_if_lost(lambda: queue.give_back(self.lane.token))
            again_if_lost(self.lane.free)
        except LOST:
            log.warning("sender %s: a lane is left to the sweep", self.sender.pk)

    def _batch(self) -> int:
        """One batch; how many texts it looked at."""
        size = max(1, min(BATCH, self.sender.rate_per_second))
        batch = claims.claim(self.sender, self.lane.token, size, timezone.now())
        handed = 0
        try:
            handed = self._hand_over(batch.ready)
        finally:
            if handed < len(batch.ready):
                again_if_lost(lambda: queue.give_back(self.lane.token))
        self._beat()
        return 0 if self.lane.lost else batch.looked_at

    def _hand_over(self, ready: list[tuple[Message, Verdict]]) -> int:
        """Hand a batch over at the sender's pace; how many were."""
        moments = lanes.reserve(self.sender, len(ready)) if ready else []
        handed = 0
        for n, (message, verdict) in enumerate(ready):
            if timezone.now() - moments[n] > lanes.LATE_BY:
                moments[n:] = lanes.reserve(self.sender, len(ready) - n)
            wait = (moments[n] - timezone.now()).total_seconds()
            if wait > 0:
                time.sleep(wait)
            if self.lane.due_for_renewal():
                self._beat()
                if not self.lane.renew():
                    break
            result = self._one(message, verdict)
            handed += result is not None
            if isinstance(result, Refused) and result.ours:
                self._refused_us(message)
                break
        return handed

    def _one(self, message: Message, verdict: Verdict) -> Accepted | Refused | OutcomeUnknown | None:
        """One text; None when it was not handed over."""
        text = self._outgoing(message, verdict)
        if text is None or not self._mark(message, text):
            return None
        result: Accepted | Refused | OutcomeUnknown
        try:
            result = self.gateway.send(text)
        except OutcomeUnknown as error:
            result = error
            again_if_lost(lambda: outcomes.unknown(message, "no_answer"))
        except Exception as error:  # whatever it was, the text may have gone
            log.exception("message %s: the gateway raised", message.pk)
            result, name = OutcomeUnknown(), type(error).__qualname__
            again_if_lost(lambda: outcomes.unknown(message, name))
        else:
            now = timezone.now()
            if isinstance(result, Accepted):
                again_if_lost(lambda: outcomes.accepted(message, result, now))
            else:
                again_if_lost(lambda: outcomes.refused(message, result, now))
        if not isinstance(result, Refused) and message.consent_id and message.kind in USES:
            self.used.add(message.consent_id)
        return result

    def _outgoing(self, message: Message, verdict: Verdict) -> Outgoing | None:
        """What is to be handed over; None when its time is over or it cannot be worded."""
        now = timezone.now()
        ends = min((end for end in (verdict.closes_at, message.expires_at) if end is not None), default=None)
        if ends is not None and now >= ends:
            return None
        try:
            body = self._body(message, verdict)
            encoding, parts = self.measured(body)
        except LOST:
            raise
        except Exception as error:
            log.exception("message %s could not be worded", message.pk)
            mine = Message.objects.filter(pk=message.pk, state=S.CLAIMED, claim=self.lane.token)
            mine.update(**claims.again(message, type(error).__qualname__, now))
            return None
        return Outgoing(
            reference=message.pk,
            sender=self.sender.address,
            to=message.phone,
            text=body,
            encoding=encoding,
            parts=parts,
            validity=None if ends is None else ends - now,
        )

    def _body(self, message: Message, verdict: Verdict) -> str:
        from campaigns import wording

        if message.campaign_id is None:
            if not message.body:
                raise LookupError("a text without words")
            return message.body
        if message.campaign_id not in self.bodies:
            rows = CampaignBody.objects.filter(campaign=message.campaign_id)
            fallback = Campaign.objects.values_list("language", flat=True).get(pk=message.campaign_id)
            bodies = dict(rows.values_list("language", "text"))
            self.bodies[message.campaign_id] = {"": fallback, **bodies}
        bodies = self.bodies[message.campaign_id]
        language = message.language if message.language in bodies else bodies[""]
        assert message.purpose is not None  # noqa: S101 - a campaign's texts have one
        return wording.render(
            bodies[language],
            contact=message.contact,
            sender=self.sender,
            purpose=message.purpose,
            language=language,
            first=verdict.first,
        )

    def _mark(self, message: Message, text: Outgoing) -> bool:
        """Mark a text as handed over, if it is still ours to hand over and its campaign is still sending."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        written: list[Any] = [text.text, text.encoding, text.parts, now, message.pk, self.lane.token]
        try:
            with connection.cursor() as cursor:
                cursor.execute(_MARK, written)
                marked = cursor.rowcount == 1
        except LOST:
            # It may be marked or not, but nobody sent it: let it wait again.
            mine = Message.objects.filter(pk=message.pk, state__in=[S.CLAIMED, S.HANDED], claim=self.lane.token)
            connection.close()
            again_if_lost(lambda: mine.update(state=S.QUEUED, claim="", claimed_at=None, handed_at=None))
            return False
        message.attempts += marked
        return marked

    def _refused_us(self, message: Message) -> None:
        """The gateway refuses us: everything else would be refused too, so the sender waits and the campaign pauses."""
        lanes.hold_off(self.sender.pk, timezone.now() + BACK_OFF)
        if message.campaign_id is None:
            return
        from campaigns import workflow

        with history.acting(history.Actor.job("dispatch"), "The gateway refuses us"):
            try:
                workflow.pause(Campaign.objects.get(pk=message.campaign_id), by=Campaign.PausedBy.GATEWAY)
            except workflow.IllegalMove:  # somebody was faster
                return

    def _beat(self) -> None:
        """Note under which consents texts went."""
        if self.used:
            self.used -= use(self.used, timezone.now())


def use(consents: set[int], at: datetime) -> set[int]:
    """Note that texts went under these consents (ids); without history, for it follows from the messages.

    Returns:
        Those noted; the others are being changed by somebody else.
    """
    from django.db import transaction

    with transaction.atomic():
        free = Consent.objects.filter(pk__in=consents).order_by("pk")
        noted = set(free.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
        Consent.objects.filter(pk__in=noted).update(last_used_at=at)
    return noted


def _measured(body: str) -> tuple[str, int]:
    from campaigns import segments

    found = segments.measure(body)
    return found.encoding, found.parts
