"""The runner records every run: when, how many, what went wrong, and never anybody's data (P10)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from celery.schedules import crontab
from django.core.management import CommandError, call_command
from django.utils import timezone

from consent.core import jobs
from consent.retention import runner, tasks
from consent.retention.models import JobRun
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def register(monkeypatch: Any) -> Any:
    """Register a job for one test."""
    monkeypatch.setattr(jobs, "_jobs", dict(jobs._jobs))
    return lambda run: jobs.register(jobs.Job("trial", "Trial", crontab(), run))


def test_a_run_is_recorded_with_its_counts_and_who_asked(clock: Any, officer: Any, register: Any) -> None:
    def work(simulate: bool, limit: int | None) -> Iterator[jobs.Counts]:
        clock.shift(timedelta(minutes=2))
        yield {"done": 1}
        yield {"done": 2, "limit": limit or 0}

    register(work)
    start = timezone.now()
    run = runner.run("trial", limit=5, started_by=officer)
    run.refresh_from_db()
    assert (run.state, run.counts, run.error) == ("done", {"done": 2, "limit": 5}, "")
    assert (run.started_at, run.finished_at) == (start, start + timedelta(minutes=2))
    assert (run.started_by, run.simulated) == (officer, False)


def test_progress_is_visible_while_it_runs(clock: Any, register: Any) -> None:
    seen = []

    def work(simulate: bool, limit: int | None) -> Iterator[jobs.Counts]:
        for n in range(3):
            yield {"done": n}
            run = JobRun.objects.get()
            seen.append((run.state, run.counts, run.heartbeat_at))
            clock.shift(60)

    register(work)
    runner.run("trial")
    assert [(state, counts["done"]) for state, counts, _beat in seen] == [("running", n) for n in range(3)]
    assert seen[2][2] - seen[0][2] == timedelta(minutes=2)


def test_a_failure_keeps_the_counts_and_tells_the_place_but_no_data(register: Any, caplog: Any) -> None:
    def work(simulate: bool, limit: int | None) -> Iterator[jobs.Counts]:
        yield {"done": 7}
        raise ValueError("+39 312 000 0001 belongs to Zoë Prova")

    register(work)
    run = runner.run("trial")
    run.refresh_from_db()
    assert (run.state, run.counts) == ("failed", {"done": 7})
    assert run.error.startswith("ValueError in tests.consent.retention.test_runner:")
    assert "312" not in run.error
    assert "Zoë" not in run.error
    assert run.finished_at is not None


def test_a_run_whose_process_died_is_marked_by_the_next_and_a_live_one_is_not(clock: Any, register: Any) -> None:
    register(lambda simulate, limit: iter([{}]))
    now = timezone.now()
    ages = {"dead": runner.SILENT_FOR + timedelta(microseconds=1), "live": runner.SILENT_FOR}
    runs = {
        name: JobRun.objects.create(job="trial", started_at=now - age, heartbeat_at=now - age)
        for name, age in ages.items()
    }
    other = JobRun.objects.create(job="other", started_at=now, heartbeat_at=now - timedelta(days=1))
    runner.run("trial")
    for run in (*runs.values(), other):
        run.refresh_from_db()
    assert (runs["dead"].state, runs["dead"].finished_at) == ("interrupted", now)
    assert (runs["live"].state, runs["live"].finished_at) == ("running", None)
    assert other.state == "running"


def test_an_unknown_job_is_not_recorded() -> None:
    with pytest.raises(KeyError):
        runner.run("nothing")
    assert not JobRun.objects.exists()


def test_the_task_runs_the_job_for_whoever_asked(officer: Any) -> None:
    tasks.run_job("expire_consents", simulate=True, user_id=officer.pk)
    run = JobRun.objects.get()
    assert (run.job, run.simulated, run.started_by, run.state) == ("expire_consents", True, officer, "done")


@pytest.mark.parametrize("name", ["expire_consents", "remind_expiring"])
def test_the_command_prints_and_records(name: str, clock: Any) -> None:
    factories.consent(captured_at=timezone.now() - timedelta(days=1000))
    out = StringIO()
    call_command(name, "--simulate", "--json", stdout=out)
    printed = json.loads(out.getvalue())
    assert (printed["job"], printed["simulated"], printed["state"]) == (name, True, "done")
    assert printed["counts"] == JobRun.objects.get().counts


def test_the_command_fails_with_a_sentence_when_the_job_does(monkeypatch: Any, clock: Any) -> None:
    from consent.ledger import transitions

    factories.consent(captured_at=timezone.now() - timedelta(days=1000))
    monkeypatch.setattr(transitions, "expire", lambda due: 1 / 0)
    with pytest.raises(CommandError, match="run it again"):
        call_command("expire_consents", stdout=StringIO())
