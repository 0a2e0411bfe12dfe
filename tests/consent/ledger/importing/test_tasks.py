"""The worker's side: waking, sweeping, forgetting; and the moves an officer may make."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from consent.contacts.models import Contact
from consent.core import history
from consent.core.errors import IllegalMove
from consent.ledger import tasks
from consent.ledger.importing import batches
from consent.ledger.importing import tasks as importing_tasks
from consent.ledger.models import ImportBatch
from tests.consent.ledger.importing.conftest import counts, csv_file

pytestmark = pytest.mark.django_db
State = ImportBatch.State


@pytest.fixture
def batch(world: Any) -> ImportBatch:
    """Uploaded, not checked yet."""
    return batches.upload(
        io.BytesIO(csv_file({}, {"phone": ""})),
        filename="list.csv",
        country="IT",
        reason="Job fair",
        actor=history.Actor.job("test"),
    )


@pytest.fixture
def woken(monkeypatch: Any) -> list[tuple[str, tuple]]:
    """What was sent to the broker."""
    sent: list[tuple[str, tuple]] = []
    for task in (importing_tasks.check_import, importing_tasks.run_import):
        monkeypatch.setattr(task, "delay", lambda *a, name=task.name: sent.append((name, a)))
    return sent


def test_a_message_carries_an_id_after_commit_and_nothing_else(
    batch: ImportBatch, woken: list, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        importing_tasks.enqueue(batch)
        assert woken == []
    assert woken == [("ledger.check_import", (batch.pk,))]


def test_check_then_apply_through_the_tasks(batch: ImportBatch) -> None:
    tasks.run_import(batch.pk)  # not started by anybody: nothing happens
    tasks.check_import(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, counts(batch)["applied"], Contact.objects.count()) == (State.CHECKED, 1, 0)
    batches.start(batch)
    tasks.check_import(batch.pk)  # a late message from before
    tasks.run_import(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, counts(batch)["applied"], counts(batch)["rejected"]) == (State.DONE, 1, 1)
    assert Contact.objects.count() == 1
    tasks.run_import(batch.pk)
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(("seconds", "swept"), [(120, False), (121, True)])
@pytest.mark.parametrize("state", ["checking", "running"])
def test_the_sweep_wakes_a_worker_after_two_minutes_of_silence(
    batch: ImportBatch,
    woken: list,
    clock: Any,
    seconds: int,
    swept: bool,
    state: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    silent = timezone.now() - timedelta(seconds=seconds)
    ImportBatch.objects.update(state=state, heartbeat_at=silent, created_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_imports()
    assert bool(woken) is swept


@pytest.mark.parametrize(("days", "forgotten"), [(30, False), (31, True)])
def test_files_and_cells_are_forgotten_after_their_time(
    batch: ImportBatch, clock: Any, days: int, forgotten: bool, django_capture_on_commit_callbacks: Any
) -> None:
    tasks.check_import(batch.pk)
    path = Path(batch.file.path)
    ImportBatch.objects.update(created_at=timezone.now() - timedelta(days=days))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_imports()
    batch.refresh_from_db()
    rejected = batch.rows.get(outcome="rejected")
    assert path.exists() is not forgotten
    assert bool(rejected.cells) is not forgotten
    assert rejected.reason
    assert batch.state == (State.DISCARDED if forgotten else State.CHECKED)
    assert counts(batch)["rejected"] == 1


@pytest.mark.parametrize("state", State.values)
def test_what_may_be_started(batch: ImportBatch, state: str) -> None:
    ImportBatch.objects.update(state=state, next_row=1)
    if state in (State.DONE, State.DISCARDED):
        with pytest.raises(IllegalMove):
            batches.start(batch)
    else:
        expected = State.CHECKING if state == State.CHECKING else State.RUNNING
        assert batches.start(batch).state == expected


@pytest.mark.parametrize("next_row", [0, 1])
@pytest.mark.parametrize("state", State.values)
def test_what_may_be_discarded(
    batch: ImportBatch, state: str, next_row: int, django_capture_on_commit_callbacks: Any
) -> None:
    path = Path(batch.file.path)
    ImportBatch.objects.update(state=state, next_row=next_row)
    allowed = state in (State.CHECKING, State.CHECKED) or (state == State.FAILED and not next_row)
    with django_capture_on_commit_callbacks(execute=True):
        if allowed:
            batches.discard(batch)
        else:
            with pytest.raises(IllegalMove):
                batches.discard(batch)
    assert path.exists() is not allowed
    assert (ImportBatch.objects.get().state == State.DISCARDED) is (allowed or state == State.DISCARDED)
