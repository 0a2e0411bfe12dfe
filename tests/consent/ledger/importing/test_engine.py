"""Rows → answers: what each cell may be, what becomes of it, and that nothing is ever done twice."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.contacts import doors
from consent.contacts.models import Contact, NameWord, Suppression
from consent.core import digests, history
from consent.core.errors import ImportRefused
from consent.ledger import transitions
from consent.ledger.importing import batches, engine, scratch
from consent.ledger.models import Consent, ImportBatch, ImportRow, Proof
from tests import factories
from tests.consent.ledger.importing.conftest import DATA, GOOD, NO_COUNTS, counts, csv_file, only, outcomes

pytestmark = pytest.mark.django_db


def everything() -> list[Any]:
    """What an import may change, history included."""
    rows = [list(m.objects.order_by("pk").values_list()) for m in (Contact, Consent, Proof, NameWord, Suppression)]
    return [*rows, Contact.history.count(), Consent.history.count()]


def test_a_good_row_makes_contact_proof_and_consent_with_history(load: Any) -> None:
    batch = load(csv_file({}))
    contact, proof, consent = Contact.objects.get(), Proof.objects.get(), Consent.objects.get()
    assert counts(batch) == NO_COUNTS | {"applied": 1}
    assert (contact.phone.as_e164, contact.name, contact.kind, contact.language) == (
        "+393123456789",
        "Ada Prova",
        "applicant",
        "it",
    )
    assert contact.phone_digest == digests.digest("+393123456789")
    assert [w.word for w in contact.name_words.all()] == ["ada", "prova"]
    assert (proof.method, proof.notice.language, proof.notice.version, proof.reference) == (
        "web_form",
        "it",
        1,
        "https://example.org/optin/1",
    )
    assert (consent.status, consent.effective_at) == ("given", datetime(2026, 5, 1, 8, tzinfo=UTC))
    for row in (contact, consent):
        made = row.history.get()
        assert (made.history_type, made.actor, made.history_change_reason) == ("+", "job:test", "Job fair")


# --- people on record -----------------------------------------------------------------------------------------------


def test_blank_never_erases_and_what_is_empty_is_filled(load: Any) -> None:
    factories.contact("Ada Prova", typed="312 345 6789", email="ada@example.org", kind="employee", language="de")
    batch = load(csv_file({"email": "", "kind": "", "language": "it", "source": "fair"}))
    contact = Contact.objects.get()
    assert counts(batch)["applied"] == 1
    assert (contact.email, contact.kind, contact.language) == ("ada@example.org", "employee", "de")
    assert (contact.external_id, contact.source) == ("", "fair")
    assert only(batch)[2] == "Some details differ from those on record, which were kept."


def test_an_external_id_is_adopted_when_nothing_speaks_against_it(load: Any) -> None:
    factories.contact("Àda PROVA", typed="312 345 6789", kind="applicant", language="it")
    batch = load(csv_file({"email": "ada@example.org"}))
    contact = Contact.objects.get()
    assert (contact.name, contact.email, contact.external_id) == ("Àda PROVA", "ada@example.org", "E1")
    assert not outcomes(batch)


def test_the_same_external_id_updates(load: Any) -> None:
    factories.contact("Ada Prova", typed="312 345 6789", external_id="E1", email="old@example.org")
    load(csv_file({"name": "Ada Nuova", "email": "new@example.org"}))
    contact = Contact.objects.get()
    assert (contact.name, contact.email, contact.kind) == ("Ada Nuova", "new@example.org", "applicant")
    assert [w.word for w in contact.name_words.all()] == ["ada", "nuova"]
    assert contact.history.first().history_type == "~"


@pytest.mark.parametrize(
    ("cells", "words"),
    [({"external_id": "E2", "name": "Bo"}, "another external id"), ({"external_id": "", "name": "Bo"}, "another name")],
)
def test_somebody_elses_details_do_not_mix_in_but_the_answer_counts(
    load: Any, cells: dict[str, str], words: str
) -> None:
    factories.contact("Ada Prova", typed="312 345 6789", external_id="E1")
    batch = load(csv_file({**cells, "email": "bo@example.org"}))
    contact = Contact.objects.get()
    assert (contact.name, contact.email, contact.external_id) == ("Ada Prova", "", "E1")
    assert counts(batch) == NO_COUNTS | {"applied": 1}
    assert words in only(batch)[2]
    assert Consent.objects.get().status == "given"


def test_a_stop_is_never_lifted(load: Any, world: Any) -> None:
    """RULES O11, P4: neither a withdrawal nor a suppression without contact, not even under an older key."""
    contact = factories.contact(typed="312 345 6789")
    factories.consent(
        contact, world["job-alerts"], status="withdrawn", captured_at=timezone.now() - timedelta(days=900)
    )
    with factories.acting():
        doors.suppress("+393123456780", reason="stop", since=timezone.now() - timedelta(days=900))
    batch = load(csv_file({}, {"phone": "312 345 6780", "external_id": "E2"}))
    assert counts(batch) == NO_COUNTS | {"rejected": 2}
    assert all("Only the person" in r or "only the person" in r for _o, _c, r in outcomes(batch).values())
    assert not Suppression.objects.filter(lifted_at__isnull=False).exists()
    assert Consent.objects.get().status == "withdrawn"


def test_a_stop_under_an_older_key_holds(load: Any, settings: Any) -> None:
    older, newer = settings.SUPPRESSION_KEYS, "new:bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleS0="
    with factories.acting():
        doors.suppress("+393123456789", reason="stop", since=timezone.now())
    settings.SUPPRESSION_KEYS = f"{newer},{older}"
    assert only(load(csv_file({})))[0] == "rejected"


@pytest.mark.parametrize("status", ["expired", "revoked", "invalidated"])
def test_what_ended_is_not_brought_back(load: Any, world: Any, status: str) -> None:
    contact = factories.contact(typed="312 345 6789")
    factories.consent(contact, world["job-alerts"], status=status, captured_at=timezone.now() - timedelta(days=1500))
    if status == "expired":
        with factories.acting():
            history.update(Consent.objects.all(), effective_at=timezone.now() - timedelta(days=300))
    batch = load(csv_file({"captured_at": (timezone.now() - timedelta(hours=1)).isoformat()}))
    assert counts(batch) == NO_COUNTS | {"rejected": 1}
    assert Consent.objects.get().status == status


# --- rows beside each other -----------------------------------------------------------------------------------------


def test_yes_and_no_at_the_same_time_are_both_left_out(load: Any) -> None:
    fillers = [{"phone": f"312 99 {n:05d}", "external_id": f"F{n}"} for n in range(3)]
    batch = load(csv_file({}, *fillers, {"answer": "no"}, {"answer": "no", "phone": "+39 312 345 6789"}))
    found = outcomes(batch)
    assert {n: o for n, (o, _c, _r) in found.items()} == {2: "conflicting", 6: "conflicting", 7: "conflicting"}
    assert "Rows 6, 7" in found[2][2]
    assert "Row 2" in found[7][2]
    assert counts(batch) == NO_COUNTS | {"applied": 3, "conflicting": 3}
    assert not Contact.objects.filter(phone="+393123456789").exists()


def test_yes_and_no_of_two_people_with_one_number_are_both_left_out(load: Any) -> None:
    batch = load(csv_file({}, {"answer": "no", "captured_at": "2026-06-01", "external_id": "E2"}))
    assert counts(batch) == NO_COUNTS | {"conflicting": 2}


def test_far_apart_rows_meet(load: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(engine, "CHUNK", 2)
    fillers = [{"phone": f"312 99 {n:05d}", "external_id": f"F{n}"} for n in range(7)]
    batch = load(csv_file({}, *fillers, {"answer": "no"}))
    assert counts(batch) == NO_COUNTS | {"applied": 7, "conflicting": 2}


def test_a_row_that_cannot_be_read_contradicts_nothing(load: Any) -> None:
    batch = load(csv_file({}, {"answer": "maybe", "captured_at": "31/02/2026"}))
    assert counts(batch) == NO_COUNTS | {"applied": 1, "rejected": 1}


def test_a_change_of_mind_is_recorded_in_order_of_time(load: Any) -> None:
    batch = load(csv_file({"captured_at": "2026-05-02"}, {"answer": "no", "captured_at": "2026-05-01"}))
    consent = Consent.objects.get()
    assert counts(batch) == NO_COUNTS | {"applied": 2}
    assert [h.status for h in consent.history.order_by("history_id")] == ["refused", "given"]


def test_the_same_row_again_changes_nothing_and_names_the_first(load: Any) -> None:
    batch = load(csv_file({}, {}, {}))
    assert counts(batch) == NO_COUNTS | {"applied": 1, "unchanged": 2}
    assert outcomes(batch)[4] == ("unchanged", "", "The same answer stands in row 2.")
    assert Consent.objects.get().history.count() == 1


def test_a_number_that_stands_in_the_file_too_often_is_bounded(load: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(scratch, "MAX_PER_NUMBER", 3)
    batch = load(csv_file(*[{}] * 5))
    assert counts(batch) == NO_COUNTS | {"applied": 1, "unchanged": 2, "rejected": 2}


# --- twice, interrupted, at once --------------------------------------------------------------------------------------

MESS = st.fixed_dictionaries(
    {},
    optional={
        "phone": st.sampled_from(["312 345 6789", "+39 312 345 6780", "02 1234567", ""]),
        "name": st.sampled_from(["Ada Prova", "Bo", "", "<b>"]),
        "email": st.sampled_from(["", "a@example.org", "b@example.org"]),
        "kind": st.sampled_from(["", "customer", "employee"]),
        "answer": st.sampled_from(["yes", "no", "", "maybe"]),
        "captured_at": st.sampled_from(["2026-05-01", "2026-05-02", "2026-05-03", "", "2031-01-01"]),
        "external_id": st.sampled_from(["", "E1", "E2"]),
        "notice_version": st.sampled_from(["1", "", "99"]),
        "purpose": st.sampled_from(["job-alerts", "interview-reminders"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MESS, min_size=1, max_size=8))
def test_the_preview_tells_what_happens_and_a_second_time_changes_nothing(
    load: Any, rows: list[dict[str, str]]
) -> None:
    content = csv_file(*rows)
    with transaction.atomic():
        before = everything()
        previewed = load(content, state="checking")
        assert everything() == before
        applied = load(content)
        assert (counts(previewed), outcomes(previewed)) == (counts(applied), outcomes(applied))
        assert sum(counts(applied).values()) == applied.total == len(rows)
        after = everything()
        again = load(content)
        assert everything() == after
        assert counts(again)["applied"] == 0
        transaction.set_rollback(True)


class Killed(BaseException):
    """Like SIGKILL: nothing gets a chance to clean up."""


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("state", ["checking", "running"])
def test_killed_between_or_inside_steps_and_continued_equals_one_run(
    load: Any, monkeypatch: Any, state: str, step: int
) -> None:
    content = csv_file(
        *[{"phone": f"312 {n // 2:07d}", "external_id": f"E{n // 2}"} for n in range(9)], {"answer": "?"}
    )
    monkeypatch.setattr(engine, "CHUNK", 3)
    keep, steps = engine._keep, iter(range(1, 100))

    def break_in(*args: Any, **kwargs: Any) -> None:
        keep(*args, **kwargs)
        if next(steps) == step:
            raise Killed

    monkeypatch.setattr(engine, "_keep", break_in)
    with pytest.raises(Killed):
        load(content, state=state)
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.next_row > 0) == (state, step > 1)
    batches.run(batch)
    assert counts(batch) == NO_COUNTS | {"applied": 5, "unchanged": 4, "rejected": 1}
    assert batch.rows.values("number").distinct().count() == batch.rows.count()
    if state == "running":
        assert (Contact.objects.count(), Proof.objects.count(), Consent.history.count()) == (5, 5, 5)
    else:
        assert not Contact.objects.exists()


def test_an_error_keeps_what_was_done_says_no_data_and_can_be_continued(load: Any, monkeypatch: Any) -> None:
    content = csv_file(*[{"phone": f"312 {n:07d}", "external_id": f"E{n}"} for n in range(4)])
    monkeypatch.setattr(engine, "CHUNK", 2)
    record = transitions.record_answers

    def fail_once(entries: Any, **kwargs: Any) -> Any:
        if Contact.objects.count() > 2:
            monkeypatch.setattr(transitions, "record_answers", record)
            raise RuntimeError("312 0000003 Ada Prova")
        return record(entries, **kwargs)

    monkeypatch.setattr(transitions, "record_answers", fail_once)
    batch = load(content)
    assert (batch.state, batch.next_row, batch.error) == ("failed", 2, "Stopped by an error (RuntimeError).")
    assert Contact.objects.count() == 2
    batch = batches.start(batch)
    batches.run(batch)
    assert (batch.state, counts(batch)) == ("done", NO_COUNTS | {"applied": 4})


def test_a_second_worker_on_the_same_import_finds_nothing_left_to_do(load: Any, monkeypatch: Any) -> None:
    content = csv_file(*[{"phone": f"312 {n:07d}", "external_id": f"E{n}"} for n in range(6)])
    monkeypatch.setattr(engine, "CHUNK", 2)
    step, inside = engine._step, []

    def overtaken(*args: Any) -> bool:
        more = step(*args)
        if not inside:
            inside.append(True)
            engine.apply(ImportBatch.objects.get())  # the other worker runs to the end meanwhile
        return more

    monkeypatch.setattr(engine, "_step", overtaken)
    batch = load(content)
    assert (batch.state, counts(batch)) == ("done", NO_COUNTS | {"applied": 6})
    assert Proof.objects.count() == 6


def test_a_file_broken_far_down_is_refused_before_anything_is_applied(load: Any) -> None:
    content = csv_file(*[{"phone": f"312 {n:07d}", "external_id": f"E{n}"} for n in range(4)]) + b'1;"'
    content += b"x" * 150_000
    batch = load(content)
    assert (batch.state, batch.next_row) == ("failed", 0)
    assert "cannot be read" in batch.error
    assert not Contact.objects.exists()
    checked = load(content, state="checking")
    assert checked.state == "discarded"


def test_a_header_alone_is_refused_at_the_door(load: Any) -> None:
    with pytest.raises(ImportRefused, match="no rows"):
        load(csv_file())


def test_cells_are_kept_only_of_rows_to_correct(load: Any) -> None:
    content = csv_file(
        {}, {}, {"phone": "", "name": "Bo"}, {"phone": "312 345 6780", "answer": "", "external_id": "E2"}
    )
    kept = {r.outcome: bool(r.cells) for r in load(content).rows.all()}
    assert kept == {"unchanged": False, "rejected": True, "unknown": True}
    assert ImportRow.objects.get(outcome="rejected").cells["name"] == "Bo"
    sampled = {r.outcome: bool(r.cells) for r in load(csv_file({"phone": "312 345 6781"}), state="checking").rows.all()}
    assert sampled == {"applied": True}


def test_statements_do_not_grow_with_rows(load: Any) -> None:
    taken = []
    for size in (2, 20):
        people = [{"phone": f"312 {size:02d}{n:05d}", "external_id": f"E{size}{n}"} for n in range(size)]
        with CaptureQueriesContext(connection) as queries:
            load(csv_file(*people))
        taken.append(len(queries))
    assert taken[0] == taken[1]


# --- the real files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("opt_ins.csv", {"applied": 1706, "unchanged": 20, "unknown": 18, "conflicting": 91, "rejected": 165}),
        ("opt_ins.xlsx", {"applied": 260, "unchanged": 2, "unknown": 5, "conflicting": 8, "rejected": 25}),
    ],
)
def test_the_real_files_come_out_as_counted_by_hand(load: Any, clock: Any, name: str, expected: dict[str, int]) -> None:
    batch = load((DATA / name).read_bytes())
    assert counts(batch) == expected
    assert sum(expected.values()) == batch.total
    assert all(reason.endswith(".") for _outcome, _column, reason in outcomes(batch).values())
    assert GOOD["brand"] in {
        p.brand.slug for p in (c.purpose for c in Consent.objects.select_related("purpose__brand"))
    }


def test_the_upload_is_identified_by_its_content() -> None:
    assert batches.digest(io.BytesIO(b"")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
