"""The worklist of consents that end soon."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from consent.ledger.models import RenewalTask
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "admin:ledger_renewaltask_changelist"


def task(days: int = 30, **fields: Any) -> RenewalTask:
    consent = factories.consent()
    with factories.acting():
        return RenewalTask.objects.create(
            consent=consent, expires_at=timezone.now() + timedelta(days=days), stage=30, created_at=timezone.now(),
            **fields,
        )  # fmt: skip


def page(row: RenewalTask) -> str:
    return reverse("admin:ledger_renewaltask_change", args=[row.pk])


def test_an_officer_marks_a_task_done_with_a_note_and_opens_it_again(officer: Any, sign_in: Any) -> None:
    row, client = task(), sign_in(officer)
    refused = client.post(page(row), {"done": "on", "note": " "})
    assert "Write what was done" in refused.content.decode()
    client.post(page(row), {"done": "on", "note": "Called, will sign"})
    row.refresh_from_db()
    done = row.done_at
    assert done
    client.post(page(row), {"done": "on", "note": "Signed"})
    row.refresh_from_db()
    assert (row.done_at, row.note) == (done, "Signed")
    client.post(page(row), {"note": "Signed"})
    row.refresh_from_db()
    assert row.done_at is None
    assert row.history.count() == 4
    assert row.history.first().actor == "officer"


@pytest.mark.parametrize(
    ("query", "expected"), [("", {"open"}), ("?done=yes", {"done"}), ("?done=all", {"open", "done"})]
)
def test_the_worklist_shows_what_is_open(query: str, expected: set[str], officer: Any, sign_in: Any) -> None:
    rows = {"open": task(), "done": task(done_at=timezone.now(), note="Called")}
    shown = {r.pk for r in sign_in(officer).get(reverse(LIST) + query).context["cl"].result_list}
    assert shown == {rows[name].pk for name in expected}


def test_the_task_links_to_the_contact_and_an_auditor_only_reads(auditor: Any, sign_in: Any) -> None:
    row, client = task(), sign_in(auditor)
    assert (
        reverse("admin:contacts_contact_change", args=[row.consent.contact_id])
        in client.get(page(row)).content.decode()
    )
    assert client.post(page(row), {"done": "on", "note": "x"}).status_code == 403


@pytest.mark.parametrize("who", ["recruiter", "manager"])
def test_others_have_no_worklist(who: str, request: Any, sign_in: Any) -> None:
    assert sign_in(request.getfixturevalue(who)).get(reverse(LIST)).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        task()
    client = sign_in(officer)
    with django_assert_num_queries(6):
        client.get(reverse(LIST))
