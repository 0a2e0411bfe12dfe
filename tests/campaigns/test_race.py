"""STOP and claim at the same moment, a thousand times (P2)."""

import threading
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from campaigns import claims, dispatch, gate, gateways, launch, queue, waking
from campaigns.gateways.base import Accepted, Outgoing
from campaigns.models import Message
from consent.ledger import transitions
from tests import factories
from tests.campaigns import world
from tests.campaigns.stub_gateway import Memory

TIMES = 1000
# Where the worker tells the stop to begin, and how far it lets it come before it hands over.
POINTS = ("before the decision", "after the decision", "before the hand-over", "in the hand-over")
STAGES = TOLD, BEGUN, BLOCKING, BLOCKED, COMMITTED = range(5)
pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def hasten() -> None:
    """Nobody pulls a plug here: commits need not wait for the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")


class Stopper(threading.Thread):
    """Withdraws for one person after another, each at the moment it is told to."""

    def __init__(self, purpose: Any) -> None:
        super().__init__(daemon=True)
        self.purpose, self.people = purpose, {}
        self.told: int | None = None
        self.stage = 0
        self.turn = threading.Condition()
        self.at_commit: dict[int, str] = {}  # message → its state as the stop's own transaction left it
        self.committed: dict[int, Any] = {}
        self.error: BaseException | None = None

    def tell(self, message: Message) -> None:
        """Stop this one now; waits until the one before is done, never for this one."""
        with self.turn:
            assert self.turn.wait_for(lambda: self.told is None or self.error, 30)
            self.told, self.stage = message.pk, 0
            self.turn.notify_all()

    def reached(self, stage: int) -> None:
        """Say, or wait, until the stop under way has come so far (``STAGES``)."""
        with self.turn:
            if threading.current_thread() is self:
                self.stage = stage
                self.turn.notify_all()
            else:
                assert self.turn.wait_for(lambda: self.stage >= stage or self.error, 30)

    def run(self) -> None:
        try:
            hasten()
            while True:
                with self.turn:
                    assert self.turn.wait_for(lambda: self.told is not None, 30)
                    told = self.told
                if told == -1:
                    return
                self._withdraw(told or 0)
                with self.turn:
                    self.told = None
                    self.turn.notify_all()
        except BaseException as error:
            with self.turn:
                self.error = error
                self.turn.notify_all()
        finally:
            connections.close_all()

    def _withdraw(self, pk: int) -> None:
        self.reached(BEGUN)
        with factories.acting(), transaction.atomic():
            act = factories.act(self.purpose, answer="no", method="keyword", captured_at=timezone.now())
            transitions.withdraw(self.people[pk], self.purpose, act, scope="all")
            self.at_commit[pk] = Message.objects.values_list("state", flat=True).get(pk=pk)
        self.committed[pk] = timezone.now()
        self.reached(COMMITTED)


def test_after_a_stop_is_committed_nothing_goes(
    manager: Any, officer: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(waking, "_listeners", [])
    stub = Memory()
    monkeypatch.setattr(gateways, "get", lambda name: stub)
    monkeypatch.setattr(dispatch, "BATCH", 3)
    with factories.acting():
        purpose = factories.purpose()
        world.people(TIMES, purpose)
        sender = factories.sender(rate_per_second=30_000)
        campaign = world.scheduled(manager, officer, purpose, sender=sender)
    hasten()
    launch.launch(campaign)
    stopper = Stopper(purpose)
    stopper.people = {m.pk: m.contact for m in Message.objects.select_related("contact")}

    judge, write, mark, block = gate.judge, claims._write, dispatch.Worker._mark, queue.block

    told: set[int] = set()

    def at(point: str, message: Message) -> None:
        if POINTS[message.pk % len(POINTS)] == point and message.pk not in told:
            told.add(message.pk)
            stopper.tell(message)

    def judged(messages: Any, moment: Any) -> Any:
        if threading.current_thread() is not stopper:
            at("before the decision", messages[0])
        return judge(messages, moment)

    def written(messages: Any, *rest: Any) -> None:
        at("after the decision", messages[0])
        write(messages, *rest)

    def marked(worker: Any, message: Message, text: Outgoing) -> bool:
        for point in POINTS[:3]:  # the claim is over for all but the first of a batch
            at(point, message)
        if message.pk in told:
            stopper.reached(STAGES[message.pk // len(POINTS) % len(STAGES)])
        return mark(worker, message, text)

    def answer(text: Outgoing) -> Accepted:
        at("in the hand-over", Message(pk=text.reference))
        return Accepted()

    def blocked(*args: Any) -> int:
        stopper.reached(BLOCKING)
        found = block(*args)
        stopper.reached(BLOCKED)
        return found

    monkeypatch.setattr(queue, "block", blocked)
    monkeypatch.setattr(gate, "judge", judged)
    monkeypatch.setattr(claims, "_write", written)
    monkeypatch.setattr(dispatch.Worker, "_mark", marked)
    stub.answer = answer
    stopper.start()
    while Message.objects.filter(state="queued").exists():
        dispatch.work(sender.pk)
        assert stopper.error is None
    stopper.tell(Message(pk=-1))
    stopper.join(30)
    assert stopper.error is None

    went = {text.reference for text in stub.texts}
    assert len(went) == len(stub.texts)
    assert len(stopper.at_commit) == TIMES
    for message in Message.objects.all():
        left = stopper.at_commit[message.pk]
        # The stop itself saw the text either gone already or not to go any more; never still about to go.
        assert left in (*Message.GONE, "blocked", "refused")
        assert (message.pk in went) == (left in Message.GONE)
        if message.handed_at:
            assert message.handed_at <= stopper.committed[message.pk]
    # Both won often enough: those stopped in the hand-over had gone, those that let the stop commit had not.
    assert TIMES / 4 <= len(went) <= TIMES - TIMES * 3 / 4 / len(STAGES)


@pytest.mark.parametrize("lanes", [2])
def test_two_workers_hand_over_each_text_once(
    manager: Any, officer: Any, monkeypatch: pytest.MonkeyPatch, lanes: int
) -> None:
    monkeypatch.setattr(waking, "_listeners", [])
    stub = Memory()
    monkeypatch.setattr(gateways, "get", lambda name: stub)
    with factories.acting():
        purpose = factories.purpose()
        world.people(300, purpose)
        sender = factories.sender(rate_per_second=30_000)
        campaign = world.scheduled(manager, officer, purpose, sender=sender)
    launch.launch(campaign)
    errors: list[BaseException] = []

    def send() -> None:
        try:
            dispatch.work(sender.pk)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _n in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    dispatch.work(sender.pk)
    assert errors == []
    assert sorted(t.reference for t in stub.texts) == sorted(Message.objects.values_list("pk", flat=True))
    campaign.refresh_from_db()
    assert campaign.state == "completed"
