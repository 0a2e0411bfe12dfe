"""Jobs in the admin: what ran, and run or simulate one now."""

from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from django.urls import reverse
from django.utils import timezone

from consent.ledger.models import Consent
from consent.retention.admin import schedule_in_words
from consent.retention.models import JobRun
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "admin:retention_jobrun_changelist"


def run_page(name: str = "expire_consents") -> str:
    return reverse("admin:retention_jobrun_run", args=[name])


def over() -> Consent:
    consent = factories.consent()
    Consent.objects.filter(pk=consent.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return consent


@pytest.mark.parametrize(("data", "status", "simulated"), [({}, "expired", False), ({"simulate": "1"}, "given", True)])
def test_an_officer_runs_or_simulates_a_job(
    data: dict, status: str, simulated: bool, officer: Any, sign_in: Any, django_capture_on_commit_callbacks: Any
) -> None:
    consent, client = over(), sign_in(officer)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        assert client.post(run_page(), data).status_code == 302
        assert not JobRun.objects.exists()
    assert len(callbacks) >= 1
    run = JobRun.objects.get()
    assert (run.simulated, run.counts, run.started_by) == (simulated, {"expired": 1}, officer)
    consent.refresh_from_db()
    assert consent.status == status
    text = client.get(reverse(LIST)).content.decode()
    assert "1 expired" in text
    assert "every hour at minute 05" in text
    assert "every day at 06:15" in text
    assert "1 expired" in client.get(reverse("admin:retention_jobrun_change", args=[run.pk])).content.decode()


@pytest.mark.parametrize("who", ["recruiter", "manager", "auditor", "stranger"])
def test_only_officers_run_jobs(who: str, request: Any, sign_in: Any, django_capture_on_commit_callbacks: Any) -> None:
    client = sign_in(request.getfixturevalue(who))
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(run_page()).status_code == (302 if who == "stranger" else 403)
    assert not JobRun.objects.exists()


def test_looking_runs_nothing_and_unknown_jobs_are_not_found(
    officer: Any, sign_in: Any, django_capture_on_commit_callbacks: Any
) -> None:
    client = sign_in(officer)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.get(run_page()).status_code == 405
        assert client.post(run_page("nothing")).status_code == 404
    assert not JobRun.objects.exists()


def test_an_auditor_reads_runs_and_nobody_changes_them(auditor: Any, superuser: Any, sign_in: Any) -> None:
    now = timezone.now()
    run = JobRun.objects.create(
        job="expire_consents", started_at=now, heartbeat_at=now, finished_at=now + timedelta(seconds=95),
        state="failed", error="ValueError in consent.ledger.jobs:12",
    )  # fmt: skip
    page = reverse("admin:retention_jobrun_change", args=[run.pk])
    text = sign_in(auditor).get(page).content.decode()
    assert "ValueError in consent.ledger.jobs:12" in text
    assert "2 minutes" in text
    assert "Run now" not in sign_in(auditor).get(reverse(LIST)).content.decode()
    for name in ("change", "delete"):
        url = reverse(f"admin:retention_jobrun_{name}", args=[run.pk])
        assert sign_in(superuser).post(url, {"post": "yes"}).status_code == 403
    assert sign_in(superuser).get(reverse("admin:retention_jobrun_add")).status_code == 403


@pytest.mark.parametrize("who", ["recruiter", "manager"])
def test_others_see_no_jobs(who: str, request: Any, sign_in: Any) -> None:
    assert sign_in(request.getfixturevalue(who)).get(reverse(LIST)).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any) -> None:
    now = timezone.now()
    JobRun.objects.bulk_create(
        JobRun(job="expire_consents", started_at=now, heartbeat_at=now, started_by=officer) for _ in range(rows)
    )
    client = sign_in(officer)
    with django_assert_num_queries(8):
        client.get(reverse(LIST))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (crontab(minute=5), "every hour at minute 05"),
        (crontab(hour=6, minute=15), "every day at 06:15"),
        (crontab(), "every minute"),
        (crontab(minute="*/10"), "every 10 minutes"),
        (crontab(hour=6, minute=15, day_of_week="mon"), "15 6 * * mon"),
    ],
)
def test_schedules_in_words(schedule: crontab, words: str) -> None:
    assert schedule_in_words(schedule) == words
