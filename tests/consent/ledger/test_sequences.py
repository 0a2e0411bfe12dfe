"""Any sequence of doors: the history replays to the record, and no import lifts a stop (P3, P4)."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from consent.contacts import doors
from consent.contacts.models import Suppression
from consent.core import history
from consent.core.errors import DomainError
from consent.ledger import decision, moves, transitions
from consent.ledger.models import Consent
from tests import factories
from tests.model import LEGAL, TARGET

pytestmark = pytest.mark.django_db

STEPS = {(source, TARGET[move]) for move, sources in LEGAL.items() for source in sources}


class Ledger(RuleBasedStateMachine):
    """Two people and two purposes under any sequence of doors, while the clock runs."""

    person = st.integers(0, 1)
    topic = st.integers(0, 1)

    @initialize()
    def world(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.purposes = [factories.purpose(), factories.purpose("offers", of=factories.brand("mercato"))]
        for purpose in self.purposes:
            factories.notice(purpose)
        self.contacts = [factories.contact(), factories.contact()]
        self.now = timezone.now() - timedelta(days=300)
        self.versions: dict[int, tuple] = {}
        self.changes: dict[int, int] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def later(self) -> Any:
        self.now += timedelta(minutes=1)
        return self.now

    def attempt(self, door: Callable[[], Any]) -> None:
        try:
            with factories.acting():
                door()
        except DomainError:
            pass
        for row in Consent.objects.values_list():
            if self.versions.get(row[0]) != row:
                self.versions[row[0]] = row
                self.changes[row[0]] = self.changes.get(row[0], 0) + 1

    @rule(
        person=person,
        topic=topic,
        answer=st.sampled_from(["yes", "no"]),
        method=st.sampled_from(["web_form", "verbal"]),
    )
    def answers(self, person: int, topic: int, answer: str, method: str) -> None:
        purpose = self.purposes[topic]
        act = factories.act(purpose, answer, method, captured_at=self.later())
        self.attempt(lambda: transitions.record_answer(self.contacts[person], purpose, act))

    @rule(
        rows=st.lists(st.tuples(person, topic, st.sampled_from(["yes", "no", "none"])), min_size=1, max_size=4),
        back=st.integers(0, 4),
    )
    def imports(self, rows: list, back: int) -> None:
        """P4: whatever a list says, who opted out stays out."""
        self.later()
        ended = set(Consent.objects.filter(status__in=["withdrawn", "expired", "revoked", "invalidated"]).values_list())
        stopped = set(Suppression.objects.filter(lifted_at=None).values_list("pk", flat=True))
        entries = [
            transitions.Entry(
                self.contacts[p],
                self.purposes[t],
                factories.act(self.purposes[t], answer, captured_at=self.now - timedelta(minutes=back)),
            )
            for p, t, answer in rows
        ]
        self.attempt(lambda: transitions.record_answers(entries, by_import=True))
        assert ended <= set(Consent.objects.values_list())
        assert stopped <= set(Suppression.objects.filter(lifted_at=None).values_list("pk", flat=True))

    @rule(person=person, topic=topic, scope=st.sampled_from(["all", "brand", "purpose"]), back=st.integers(0, 3))
    def stops(self, person: int, topic: int, scope: str, back: int) -> None:
        purpose = self.purposes[topic]
        act = factories.act(purpose, "no", captured_at=self.later() - timedelta(minutes=back))
        self.attempt(lambda: transitions.withdraw(self.contacts[person], purpose, act, scope=scope))

    @rule(person=person, topic=topic, move=st.sampled_from(["revoke", "invalidate"]))
    def ends(self, person: int, topic: int, move: str) -> None:
        consent = Consent.objects.filter(contact=self.contacts[person], purpose=self.purposes[topic]).first()
        if consent:
            self.attempt(lambda: transitions.end(consent, move, effective_at=self.later()))

    @rule()
    def time_passes(self) -> None:
        self.attempt(lambda: transitions.expire(transitions.due_for_expiry(self.now + timedelta(days=9000))))

    @rule(person=person)
    def moves(self, person: int) -> None:
        number = factories.number()
        self.attempt(lambda: doors.change_number(self.contacts[person], number))

    @invariant()
    def the_last_history_row_is_the_row(self) -> None:
        for consent in Consent.objects.all():
            entries = list(consent.history.order_by("history_id"))
            for field in history.history_of(Consent).tracked_fields:  # type: ignore[attr-defined]
                assert getattr(entries[-1], field.attname) == getattr(consent, field.attname), field.name
            assert [e.history_type for e in entries] == ["+"] + ["~"] * (len(entries) - 1)
            assert len(entries) == self.changes[consent.pk]
            for older, newer in itertools.pairwise(entries):
                assert any(
                    older.status in move.sources and move.target == newer.status for move in moves.MOVES.values()
                )

    @invariant()
    def nobody_who_opted_out_may_be_texted(self) -> None:
        for purpose in getattr(self, "purposes", []):
            allowed = decision.decide(decision.context_for(purpose, self.now)).filter(refusal="")
            for contact in allowed:
                stops = doors.suppressions(contact.phone.as_e164)
                assert not [
                    s for s in stops if s.purpose_id in (None, purpose.pk) and s.brand_id in (None, purpose.brand_id)
                ]
                assert contact.consents.get(purpose=purpose).status in ("given", "renewed")


def test_any_sequence_of_doors() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=hypothesis_settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
