"""The ledger's jobs: boundaries, simulation, limits, resumption, once per stage (RULES C7)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.ledger import jobs, transitions
from consent.ledger.models import Consent, RenewalTask
from consent.retention import runner
from consent.retention.models import JobRun
from tests import factories

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def ends_in(ahead: timedelta) -> Consent:
    consent = factories.consent()
    Consent.objects.filter(pk=consent.pk).update(expires_at=timezone.now() + ahead)
    consent.refresh_from_db()
    return consent


@pytest.mark.parametrize(("ahead", "status"), [(timedelta(0), "expired"), (-TICK, "expired"), (TICK, "given")])
def test_a_consent_expires_at_its_very_end(clock: Any, ahead: timedelta, status: str) -> None:
    consent = ends_in(ahead)
    end = consent.expires_at
    run = runner.run("expire_consents")
    consent.refresh_from_db()
    assert consent.status == status
    assert run.counts == {"expired": int(status == "expired")}
    if status == "expired":
        entry = consent.history.order_by("-history_id").first()
        assert (consent.effective_at, consent.expires_at) == (end, end)
        assert (entry.status, entry.effective_at, entry.actor) == ("expired", end, "job:expire_consents")
        assert entry.history_change_reason


@pytest.mark.parametrize("status", Consent.Status.values)
def test_only_what_can_expire_expires(clock: Any, status: str) -> None:
    consent = factories.consent(status=status)
    Consent.objects.filter(pk=consent.pk).update(expires_at=timezone.now())
    runner.run("expire_consents")
    consent.refresh_from_db()
    assert consent.status == ("expired" if status in ("requested", "given", "renewed", "expired") else status)


@pytest.mark.parametrize(("limit", "count"), [(None, 5), (3, 3), (0, 0), (9, 5)])
def test_simulating_says_what_then_happens_and_changes_nothing(clock: Any, limit: int | None, count: int) -> None:
    for _person in range(5):
        ends_in(-TICK)
    entries = Consent.history.count()
    simulated = runner.run("expire_consents", simulate=True, limit=limit)
    assert (Consent.history.count(), Consent.objects.filter(status="expired").count()) == (entries, 0)
    done = runner.run("expire_consents", limit=limit)
    assert simulated.counts == done.counts == {"expired": count}
    assert Consent.objects.filter(status="expired").count() == count
    assert Consent.history.count() == entries + count


def test_a_second_run_finds_nothing_to_do(clock: Any) -> None:
    ends_in(-TICK)
    assert [runner.run("expire_consents").counts["expired"] for _run in range(2)] == [1, 0]
    assert Consent.history.filter(status="expired").count() == 1


def test_an_interrupted_run_keeps_its_finished_batches_and_goes_on(clock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    for _person in range(5):
        ends_in(-TICK)
    expire, calls = transitions.expire, []

    def second_breaks(due: Any) -> int:
        calls.append(1)
        count = expire(due)
        if len(calls) == 2:
            raise RuntimeError("+39 312 000 0001 Zoë Prova")
        return count

    monkeypatch.setattr(transitions, "expire", second_breaks)
    failed = runner.run("expire_consents")
    assert (failed.state, failed.counts) == ("failed", {"expired": 2})
    assert Consent.objects.filter(status="expired").count() == 2
    assert Consent.history.filter(status="expired").count() == 2
    finished = runner.run("expire_consents")
    assert (finished.state, finished.counts) == ("done", {"expired": 3})
    assert Consent.history.filter(status="expired").count() == 5
    assert JobRun.objects.count() == 2


def stages() -> list[int]:
    return sorted(RenewalTask.objects.values_list("stage", flat=True))


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(days=60) + TICK, []),
        (timedelta(days=60), [60]),
        (timedelta(days=30) + TICK, [60]),
        (timedelta(days=30), [30]),
        (timedelta(days=7) + TICK, [30]),
        (timedelta(days=7), [7]),
        (TICK, [7]),
        (timedelta(0), []),
    ],
)
def test_reminders_come_at_sixty_thirty_and_seven_days(clock: Any, ahead: timedelta, expected: list[int]) -> None:
    ends_in(ahead)
    simulated = runner.run("remind_expiring", simulate=True)
    assert stages() == []
    done = runner.run("remind_expiring")
    assert (done.state, stages()) == ("done", expected)
    assert simulated.counts == done.counts
    assert sum(done.counts.values()) == len(expected)
    runner.run("remind_expiring")
    assert stages() == expected
    entries = RenewalTask.history.all()
    assert len(entries) == len(expected)
    assert {(e.history_type, e.actor) for e in entries} <= {("+", "job:remind_expiring")}


def test_a_consent_is_listed_once_for_each_stage_as_its_end_comes_nearer(clock: Any) -> None:
    ends_in(timedelta(days=60))
    for days in range(60):
        if days % 6 == 0:
            runner.run("remind_expiring")
        clock.shift(timedelta(days=1))
    assert stages() == [7, 30, 60]


def test_a_renewed_consent_gets_new_reminders(clock: Any) -> None:
    brief = factories.purpose(validity_months=1)
    consent = factories.consent(to=brief, captured_at=timezone.now())
    runner.run("remind_expiring")
    clock.shift(timedelta(days=3))
    with factories.acting():
        transitions.record_answer(consent.contact, brief, factories.act(brief, captured_at=timezone.now()))
    runner.run("remind_expiring")
    consent.refresh_from_db()
    assert consent.status == "renewed"
    assert list(RenewalTask.objects.filter(expires_at=consent.expires_at).values_list("stage", flat=True)) == [30]


@pytest.mark.parametrize("status", Consent.Status.values)
def test_only_permissions_are_listed(clock: Any, status: str) -> None:
    consent = factories.consent(status=status)
    Consent.objects.filter(pk=consent.pk).update(expires_at=timezone.now() + timedelta(days=5))
    runner.run("remind_expiring")
    assert stages() == ([7] if status in ("given", "renewed") else [])


def test_reminders_respect_a_limit_and_go_on_in_batches(clock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    for days in (5, 5, 5, 20, 50):
        ends_in(timedelta(days=days))
    assert sum(runner.run("remind_expiring", simulate=True, limit=4).counts.values()) == 4
    assert sum(runner.run("remind_expiring", limit=4).counts.values()) == 4
    assert sum(runner.run("remind_expiring").counts.values()) == 1
    assert stages() == [7, 7, 7, 30, 60]
    assert RenewalTask.history.count() == 5
