"""Two at once, with real threads and real transactions, on PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import history
from consent.core.errors import DomainError
from consent.ledger import decision, transitions
from consent.ledger.models import Consent, Proof
from consent.retention import runner
from tests import factories

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together; each result is a value or the domain error."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            with factories.acting():
                results[index] = call()
        except DomainError as error:
            results[index] = error
        except BaseException as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    unexpected = [r for r in results if isinstance(r, BaseException) and not isinstance(r, DomainError)]
    assert not unexpected, unexpected
    return results


def last_row_is_the_row(consent: Consent) -> None:
    consent = Consent.objects.get(pk=consent.pk)
    entry = consent.history.order_by("-history_id").first()
    for field in history.history_of(Consent).tracked_fields:  # type: ignore[attr-defined]
        assert getattr(entry, field.attname) == getattr(consent, field.attname)


def test_two_answers_at_once_make_one_consent() -> None:
    purpose, contact = factories.purpose(), factories.contact()
    acts = [factories.act(purpose, captured_at=timezone.now() - timedelta(hours=h)) for h in (1, 2)]
    at_once(*(lambda act=act: transitions.record_answer(contact, purpose, act) for act in acts))
    consent = Consent.objects.get()
    assert consent.effective_at == acts[0].captured_at
    assert consent.history.count() == Proof.objects.count()
    last_row_is_the_row(consent)


@pytest.mark.parametrize("attempt", range(3))
def test_a_stop_and_an_older_yes_at_once_end_in_a_stop(attempt: int) -> None:
    consent = factories.consent()
    yes = factories.act(consent.purpose, captured_at=timezone.now() - timedelta(hours=2))
    no = factories.act(consent.purpose, "no", captured_at=timezone.now() - timedelta(hours=1))
    calls = [
        lambda: transitions.record_answer(Contact.objects.get(), consent.purpose, yes),
        lambda: transitions.withdraw(Contact.objects.get(), consent.purpose, no, scope="all"),
    ]
    at_once(*calls[:: 1 if attempt % 2 else -1])
    judged = decision.decide(decision.context_for(consent.purpose, timezone.now())).get()
    assert judged.refusal == "suppressed"
    consent.refresh_from_db()
    assert consent.status == "withdrawn"
    last_row_is_the_row(consent)


def test_two_expiry_jobs_at_once_write_one_history_row_each() -> None:
    for _person in range(20):
        factories.consent(captured_at=timezone.now() - timedelta(days=1000))
    runs = at_once(*(lambda: runner.run("expire_consents") for _job in range(2)))
    assert [run.state for run in runs] == ["done", "done"]
    assert sum(run.counts["expired"] for run in runs) == 20
    assert Consent.history.filter(status="expired").count() == 20


def test_the_worklist_is_filled_once_by_two_jobs() -> None:
    from consent.ledger.models import RenewalTask

    for _person in range(5):
        factories.consent(captured_at=timezone.now() - timedelta(days=700))
    at_once(*(lambda: runner.run("remind_expiring") for _job in range(2)))
    assert (RenewalTask.objects.count(), RenewalTask.history.count()) == (5, 5)


def test_an_answer_and_the_expiry_job_at_once() -> None:
    consent = factories.consent(captured_at=timezone.now() - timedelta(days=1000))
    again = factories.act(consent.purpose, captured_at=timezone.now() - timedelta(minutes=1))
    at_once(
        lambda: transitions.record_answer(consent.contact, consent.purpose, again),
        lambda: runner.run("expire_consents"),
    )
    consent.refresh_from_db()
    steps = list(consent.history.order_by("history_id").values_list("status", flat=True))
    assert steps in (["given", "expired", "given"], ["given", "renewed"])
    last_row_is_the_row(consent)


def test_one_number_registered_twice_at_once_is_one_contact() -> None:
    number = factories.number()
    results = at_once(*(lambda: doors.register(number, name="Zoë Prova") for _call in range(4)))
    assert len({contact.pk for contact, _new in results}) == Contact.objects.count() == 1
    assert [new for _contact, new in results].count(True) == 1
    assert Contact.history.count() == 1


def test_two_stops_at_once_are_one_suppression() -> None:
    consent = factories.consent()
    act = factories.act(consent.purpose, "no", captured_at=timezone.now())
    at_once(*(lambda: transitions.withdraw(consent.contact, consent.purpose, act, scope="all") for _call in range(2)))
    assert (Suppression.objects.count(), Consent.history.filter(status="withdrawn").count()) == (1, 1)


def test_a_stop_and_a_new_number_at_once_leave_nothing_to_text() -> None:
    consent = factories.consent()
    number = factories.number()
    no = factories.act(consent.purpose, "no", captured_at=timezone.now())
    at_once(
        lambda: transitions.withdraw(Contact.objects.get(), consent.purpose, no, scope="all"),
        lambda: doors.change_number(Contact.objects.get(), number),
    )
    consent.refresh_from_db()
    assert consent.status in ("withdrawn", "revoked")
    assert consent.history.count() == 2
    assert decision.decide(decision.context_for(consent.purpose, timezone.now())).get().refusal
    last_row_is_the_row(consent)
