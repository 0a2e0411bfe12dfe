"""Imports in the admin: who may, what it shows, and that only a confirmed POST changes anything."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from consent.contacts.models import Contact, Export
from consent.core import history
from consent.ledger.importing import batches, tasks
from consent.ledger.models import ImportBatch
from tests.consent.ledger.importing.conftest import csv_file, world  # noqa: F401 - world is a fixture

pytestmark = pytest.mark.django_db
ADD = "admin:ledger_importbatch_add"
LIST = "admin:ledger_importbatch_changelist"
CONTENT = (
    {},
    {"phone": "02 1234567", "name": "Bo Landline", "reference": "=1+1"},
    {"phone": "312 345 6780", "external_id": "E2", "answer": ""},
)


def page(batch: ImportBatch, name: str = "change") -> str:
    return reverse(f"admin:ledger_importbatch_{name}", args=[batch.pk])


def make(*rows: dict[str, str], state: str = "checking") -> ImportBatch:
    batch = batches.upload(
        io.BytesIO(csv_file(*rows)),
        filename="fair.csv",
        country="IT",
        reason="Job fair",
        actor=history.Actor.job("test"),
        state=state,
    )
    batches.run(batch)
    return batch


@pytest.fixture
def checked(world: Any) -> ImportBatch:  # noqa: F811
    return make(*CONTENT)


@pytest.fixture
def worker(monkeypatch: Any) -> None:
    """A worker that acts at once."""
    for task in (tasks.check_import, tasks.run_import):
        monkeypatch.setattr(task, "delay", task)


def test_from_file_to_applied_and_the_rows_to_correct(
    world: Any,  # noqa: F811
    worker: None,
    officer: Any,
    sign_in: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = sign_in(officer)
    form = client.get(reverse(ADD)).content.decode()
    assert "notice_version" in form
    upload = SimpleUploadedFile("fair.csv", csv_file(*CONTENT))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse(ADD), {"file": upload, "country": "it", "reason": "Job fair Milano"})
    batch = ImportBatch.objects.get()
    assert answer.url == page(batch)
    assert (batch.state, batch.country, batch.actor, batch.created_by) == ("checked", "IT", "officer", officer)

    preview = client.get(page(batch)).content.decode()
    assert "Nothing has been changed yet" in preview
    assert "This number is a landline" in preview
    assert "Ada Prova" in preview  # the first of those that would be applied
    assert not Contact.objects.exists()

    assert client.get(page(batch, "apply")).status_code == 200
    assert not Contact.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page(batch, "apply"))
    batch.refresh_from_db()
    assert (batch.state, batch.applied, batch.unknown, batch.rejected) == ("done", 1, 1, 1)
    made = Contact.objects.get(phone="+393123456789").history.get()
    assert (made.actor, made.history_user, made.history_change_reason) == ("officer", officer, "Job fair Milano")

    rows = b"".join(client.post(page(batch, "rows")).streaming_content)
    found = list(csv.DictReader(io.StringIO(rows.decode("utf-8-sig")), delimiter=";"))
    assert [(r["row"], r["outcome"], r["column"]) for r in found] == [
        ("3", "rejected", "phone"),
        ("4", "unknown", "answer"),
    ]
    assert (found[0]["name"], found[0]["reference"]) == ("Bo Landline", "'=1+1")
    assert Export.objects.get().rows == 2
    corrected = rows.replace(b"02 1234567", b"312 345 6799").replace(b"'=1+1", b"ATS-1")
    again = make_from(corrected)
    assert again.applied == 1


def make_from(content: bytes) -> ImportBatch:
    batch = batches.upload(
        io.BytesIO(content), filename="x", country="IT", reason="r", actor=history.Actor.job("t"), state="running"
    )
    batches.run(batch)
    return batch


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"file": b"phone\n1\n"}, "These columns are missing"),
        ({"file": b"\x89PNG\0"}, "neither a CSV file"),
        ({"country": "XX"}, "not a country"),
        ({"reason": ""}, "required"),
    ],
)
def test_what_cannot_be_taken_in_is_said_on_the_form(
    world: Any,  # noqa: F811
    officer: Any,
    sign_in: Any,
    data: dict[str, Any],
    words: str,
) -> None:
    upload = SimpleUploadedFile("fair.csv", data.pop("file", csv_file({})))
    answer = sign_in(officer).post(reverse(ADD), {"file": upload, "country": "IT", "reason": "fair"} | data)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not ImportBatch.objects.exists()


def test_discarding_deletes_the_file(
    checked: ImportBatch, officer: Any, sign_in: Any, django_capture_on_commit_callbacks: Any
) -> None:
    client = sign_in(officer)
    assert client.get(page(checked, "discard")).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page(checked, "discard"))
    checked.refresh_from_db()
    assert (checked.state, checked.file.name, checked.rows.count()) == ("discarded", "", 0)
    answer = client.post(page(checked, "apply"), follow=True)
    assert "Upload the file again" in answer.content.decode()
    assert not Contact.objects.exists()


def test_rows_can_be_filtered_and_paged(world: Any, officer: Any, sign_in: Any) -> None:  # noqa: F811
    batch = make(*[{"phone": "", "name": f"Person {n}"} for n in range(60)], {"answer": ""})
    client = sign_in(officer)
    first = client.get(page(batch)).content.decode()
    assert "Person 49" in first
    assert "Person 50" not in first
    assert "Person 50" in client.get(page(batch), {"p": 2}).content.decode()
    unknown = client.get(page(batch), {"outcome": "unknown"}).content.decode()
    assert "this is not consent" in unknown
    assert "Person 1" not in unknown
    assert client.get(page(batch), {"outcome": "nonsense"}).status_code == 200


@pytest.mark.parametrize("seconds", [0, 60])
def test_progress_is_told_and_a_missing_worker_is_named(
    checked: ImportBatch, auditor: Any, sign_in: Any, seconds: int
) -> None:
    heard = timezone.now() - timedelta(seconds=seconds)
    ImportBatch.objects.update(state="running", next_row=1, heartbeat_at=heard)
    client = sign_in(auditor)
    told = client.get(page(checked, "progress")).json()
    assert (told["state"], told["done"], told["total"]) == ("running", 1, 3)
    assert ("Waiting for the worker" in told["text"]) is bool(seconds)
    shown = client.get(page(checked)).content.decode()
    assert "<progress" in shown
    assert "placet/progress.js" in shown
    assert told["text"] in shown


WHO = {"officer": 200, "auditor": 200, "recruiter": 403, "manager": 403}


@pytest.mark.parametrize("role", WHO)
def test_who_may_what(checked: ImportBatch, role: str, request: Any, sign_in: Any) -> None:
    client = sign_in(request.getfixturevalue(role))
    for address in (reverse(LIST), page(checked), page(checked, "progress")):
        assert client.get(address).status_code == WHO[role]
    officer = 200 if role == "officer" else 403
    for address in (reverse(ADD), page(checked, "apply"), page(checked, "discard"), page(checked, "continue")):
        assert client.get(address).status_code == officer
    assert client.post(page(checked, "rows")).status_code == officer
    assert client.get(page(checked, "rows")).status_code == 405
    assert client.get(reverse("admin:ledger_importbatch_delete", args=[checked.pk])).status_code == 403
    if role != "officer":
        for move in ("apply", "discard", "continue"):
            assert client.post(page(checked, move)).status_code == 403
        assert "Download the rows" not in client.get(page(checked)).content.decode()
    checked.refresh_from_db()
    assert checked.state == "checked"


@pytest.mark.parametrize("size", [1, 3])
def test_the_list_asks_the_same_however_long(
    world: Any,  # noqa: F811
    officer: Any,
    sign_in: Any,
    size: int,
    django_assert_num_queries: Any,
) -> None:
    for _number in range(size):
        make({})
    client = sign_in(officer)
    client.get(reverse(LIST))
    with django_assert_num_queries(6):
        assert client.get(reverse(LIST)).content.decode().count("fair.csv") == size


def test_an_address_with_a_number_that_is_none_is_not_found(officer: Any, sign_in: Any) -> None:
    assert sign_in(officer).get(reverse("admin:ledger_importbatch_progress", args=[99])).status_code == 404
