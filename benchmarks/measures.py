"""What is measured. Each function runs inside a worker; the two sides of a ratio take turns, the best run counts."""

import csv
import gc
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files import File
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from simple_history.utils import bulk_update_with_history

from benchmarks import by_hand, worlds
from consent.contacts.models import Contact
from consent.core import digests, history, jobs, numbers, sealed
from consent.ledger import decision, explanation, figures, transitions
from consent.ledger.importing import engine
from consent.ledger.importing.reading import COLUMNS
from consent.ledger.models import Consent, ImportBatch, Notice, Proof, Purpose

build = worlds.build


def _seconds(call: Callable[[], Any]) -> float:
    gc.collect()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _best(runs: int, **calls: Callable[[], Any]) -> dict[str, float]:
    """The shortest time of each call, the calls taking turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _run in range(runs):
        for name, call in calls.items():
            times[name].append(_seconds(call))
    return {name: min(found) for name, found in times.items()}


def _undone(call: Callable[[], Any]) -> Callable[[], None]:
    """The call inside a transaction that is taken back; what taking back costs is not part of the call."""

    def run() -> None:
        with transaction.atomic(), history.acting(history.Actor.job("benchmark"), "benchmark"):
            start = time.perf_counter()
            call()
            run.seconds = time.perf_counter() - start  # type: ignore[attr-defined]
            transaction.set_rollback(True)

    return run


def _best_undone(runs: int, **calls: Callable[[], Any]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _run in range(runs):
        for name, call in calls.items():
            gc.collect()
            undone = _undone(call)
            undone()
            times[name].append(undone.seconds)  # type: ignore[attr-defined]
    return {name: min(found) for name, found in times.items()}


# --- audience ------------------------------------------------------------------------------------------------------


def audience(runs: int) -> dict[str, float]:
    """Counts per code for the marketing purpose: ``decision.counts`` against the same in SQL written by hand."""
    purpose = Purpose.objects.select_related("brand").get(slug="offers")
    at = timezone.now()

    def ours() -> dict[str, int]:
        return decision.counts(decision.context_for(purpose, at))

    def theirs() -> dict[str, int]:
        sql, values = by_hand.judged(decision.context_for(purpose, at))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT refusal, COUNT(*) FROM ({sql}) judged GROUP BY refusal", values)
            return {code or "allowed": n for code, n in cursor.fetchall()}

    assert theirs() == {code: n for code, n in ours().items() if n}
    return _best(runs, ours=ours, theirs=theirs)


def explain(runs: int) -> dict[str, float]:
    """One explanation, with all it needs to know, against one contact by primary key through the ORM."""
    purpose = Purpose.objects.select_related("brand").get(slug="offers")
    at = timezone.now()
    chosen = random.Random(1).sample(range(1, Contact.objects.count() + 1), 100)
    people = list(Contact.objects.filter(pk__in=chosen))

    def ours() -> None:
        for contact in people:
            explanation.explain(contact, purpose, at)

    def theirs() -> None:
        for contact in people:
            Contact.objects.get(pk=contact.pk)

    return {name: seconds / len(people) for name, seconds in _best(runs, ours=ours, theirs=theirs).items()}


# --- expiry --------------------------------------------------------------------------------------------------------

_SAMPLE = 1000  # rows of the slow way; its time is taken per row


def expiry(runs: int) -> dict[str, float]:
    """The whole job against UPDATE plus INSERT … SELECT by hand, and against bulk_update_with_history per row."""
    at = timezone.now()
    due = transitions.due_for_expiry(at)
    count = due.count()
    columns = "id, uid, status, phone, effective_at, expires_at, contact_id, purpose_id, proof_id"
    changed = columns.replace("status", "'expired'").replace("effective_at", "expires_at")
    where = "status IN ('requested', 'given', 'renewed') AND expires_at <= %s"

    def by_hand() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO ledger_historicalconsent ({columns}, history_date, history_type, history_change_reason,"
                f" actor) SELECT {changed}, %s, '~', 'r', 'job' FROM ledger_consent WHERE {where}",
                [at, at],
            )
            cursor.execute(
                f"UPDATE ledger_consent SET status = 'expired', effective_at = expires_at WHERE {where}", [at]
            )

    def job() -> None:
        *_steps, last = jobs.get("expire_consents").run(False, None)
        assert last == {"expired": count}, (last, count)

    def slow() -> None:
        rows = list(due[:_SAMPLE])
        for row in rows:
            row.status, row.effective_at = "expired", row.expires_at
        bulk_update_with_history(rows, Consent, ["status", "effective_at"], batch_size=500)

    found = _best_undone(runs, ours=job, theirs=by_hand, slow=slow)
    _tidy()
    return found | {"rows": count, "slow": found["slow"] / min(_SAMPLE, count) * count}


def _tidy() -> None:
    """Rows taken back stay behind as dead ones on PostgreSQL; what is measured next must not wade through them."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ledger_consent, ledger_historicalconsent, contacts_contact, ledger_proof")


# --- import --------------------------------------------------------------------------------------------------------

_FRESH = 5_000_000  # numbers from here on are not in the world yet


_ROW = {
    "country": "IT", "name": "Anna Prova", "kind": "customer", "language": "it", "answer": "yes", "method": "web_form",
    "captured_at": "2026-01-15T10:00:00+01:00", "notice_version": "1", "source": "website", "recorded_by": "web",
    "reference": "https://example.org/f",
}  # fmt: skip


def _file(people: int, first: int) -> Path:
    """A CSV of two complete answers of each of so many new people."""
    path = Path(tempfile.mkstemp(suffix=".csv")[1])
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, restval="")
        writer.writeheader()
        for i in range(first, first + people):
            for brand, purpose in (("officina-lavoro", "job-alerts"), ("mercado-vivo", "offers")):
                writer.writerow({**_ROW, "phone": worlds.phone(i), "brand": brand, "purpose": purpose})
    return path


def _apply(path: Path) -> None:
    with path.open("rb") as file:
        batch = ImportBatch(
            filename="b.csv", file_sha256="", country="IT", reason="benchmark", state=ImportBatch.State.RUNNING,
            actor="benchmark",
        )  # fmt: skip
        batch.file.save("b.csv", File(file), save=False)
        batch.save()
    engine.apply(batch)
    assert batch.state == ImportBatch.State.DONE, (batch.state, batch.error)
    assert batch.applied == batch.total, (batch.applied, batch.rejected, batch.unknown)


def _bare(people: int, first: int) -> None:
    """The same rows with bulk_create: no history, no validation, no reading."""
    key, now = digests.newest_key_id(), timezone.now()
    purposes = list(Purpose.objects.order_by("pk"))
    notices = {n.purpose_id: n for n in Notice.objects.all()}
    with transaction.atomic():
        contacts = Contact.objects.bulk_create(
            [
                Contact(
                    phone=worlds.phone(i), phone_digest=digests.digest(worlds.phone(i)), digest_key_id=key,
                    name="Anna Prova", language="it", country="IT", zones="Europe/Rome",
                    source="website",
                )
                for i in range(first, first + people)
            ],
            batch_size=1000,
        )  # fmt: skip
        proofs = Proof.objects.bulk_create(
            [
                Proof(
                    contact=contact, purpose=purpose, phone=contact.phone, method="web_form", answer="yes",
                    captured_at=now, notice=notices[purpose.pk], recorded_by="web", source="website",
                    reference="https://example.org/f",
                )
                for contact in contacts
                for purpose in purposes
            ],
            batch_size=1000,
        )  # fmt: skip
        Consent.objects.bulk_create(
            [
                Consent(
                    contact=proof.contact, purpose=proof.purpose, status="given", phone=proof.phone, effective_at=now,
                    expires_at=now, proof=proof,
                )
                for proof in proofs
            ],
            batch_size=1000,
        )  # fmt: skip


def importing(runs: int, people: int) -> dict[str, float]:
    """Applying a file of two answers each, against a bare bulk_create of the same contacts, proofs and consents."""
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    first = _FRESH
    for _run in range(runs):
        path = _file(people, first)
        times["ours"].append(_seconds(lambda path=path: _apply(path)))
        path.unlink()
        first += people
        times["theirs"].append(_seconds(lambda first=first: _bare(people, first)))
        first += people
    return {name: min(found) for name, found in times.items()} | {"rows": 2 * people}


# --- memory: in a fresh process ------------------------------------------------------------------------------------


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_of_job(name: str, limit: int) -> dict[str, float]:
    """The peak of a job that touches at most ``limit`` rows, in MB, above what the process had before."""
    done: dict[str, int] = {}

    def run() -> None:
        for counts in jobs.get(name).run(False, limit):
            done.update(counts)

    Contact.objects.exists()
    before = _peak()
    _undone(run)()
    return {"mb": _peak() - before, "rows": sum(v for v in done.values() if isinstance(v, int))}


def memory_of_import(people: int, first: int) -> dict[str, float]:
    """The peak of applying a file, in MB, above what the process had before."""
    path = _file(people, first)
    numbers.parse(worlds.phone(1))  # loads its tables
    before = _peak()
    _apply(path)
    path.unlink()
    return {"mb": _peak() - before, "rows": 2 * people}


def job_names() -> list[str]:
    """Every registered job."""
    return [job.name for job in jobs.registered()]


# --- pages ---------------------------------------------------------------------------------------------------------

_clients: dict[str, Client] = {}


def _client() -> Client:
    if "officer" not in _clients:
        client = _clients["officer"] = Client()
        client.force_login(
            get_user_model().objects.get(username="officer"), backend="django.contrib.auth.backends.ModelBackend"
        )
        figures.refresh()
    return _clients["officer"]


def pages() -> list[str]:
    """The pages that are measured."""
    return list(_addresses())


def _addresses() -> dict[str, str]:
    contacts = reverse("admin:contacts_contact_changelist")
    found = Contact.objects.get(pk=4321)
    searches = {
        "number": worlds.phone(4321).removeprefix("+39"),
        "name": found.name.split()[1],
        "full name": found.name,
        "external id": "E4321",
    }
    return {
        "contact list": contacts,
        **{f"contact search, {way}": f"{contacts}?q={sealed.seal(typed)}" for way, typed in searches.items()},
        "contact page": reverse("admin:contacts_contact_change", args=[found.pk]),
        "dashboard": reverse("admin:index"),
    }


def page(name: str, count_queries: bool = False) -> float:
    """Seconds that a page takes, or the number of its queries."""
    client, address = _client(), _addresses()[name]
    if count_queries:
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)
    start = time.perf_counter()
    response = client.get(address)
    seconds = time.perf_counter() - start
    assert response.status_code == 200, (name, response.status_code)
    return seconds
