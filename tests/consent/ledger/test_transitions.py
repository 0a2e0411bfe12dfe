"""The doors: every move from every state, nothing half done, one history row a change, no import lifts a stop."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import history
from consent.core.errors import DomainError, IllegalMove, NewActNeeded, ProofIncomplete, ProofTooWeak
from consent.ledger import decision, evidence, transitions
from consent.ledger.models import Consent, Proof
from tests import factories, files
from tests.model import LIVE, TARGET

pytestmark = pytest.mark.django_db

STATUSES = Consent.Status.values


def snapshot() -> dict[str, list]:
    """Everything the doors write, history and files included."""
    tables = [Contact, Suppression, Consent, Proof, Contact.history.model, Suppression.history.model]
    rows = {m._meta.db_table: list(m.objects.order_by("pk").values_list()) for m in tables}
    rows["consent history"] = list(Consent.history.order_by("history_id").values_list())
    return rows


def on_disk(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("move", ["revoke", "invalidate"])
def test_ending_a_consent_from_every_state(acting: None, move: str, status: str) -> None:
    consent = factories.consent(status=status)
    before = snapshot()
    if status in LIVE:
        ended = transitions.end(consent, move, effective_at=timezone.now())
        assert (ended.status, ended.expires_at) == (TARGET[move], None)
        assert len(snapshot()["consent history"]) == len(before["consent history"]) + 1
    else:
        with pytest.raises(IllegalMove):
            transitions.end(consent, move, effective_at=timezone.now())
        assert snapshot() == before


@pytest.mark.parametrize("status", STATUSES)
def test_a_stop_suppresses_from_every_state_and_withdraws_only_what_lives(acting: None, status: str) -> None:
    consent = factories.consent(status=status)
    entries = consent.history.count()
    stop = factories.act(consent.purpose, "no", captured_at=timezone.now())
    ended = transitions.withdraw(consent.contact, consent.purpose, stop, scope="all")
    consent.refresh_from_db()
    assert [c.pk for c in ended] == ([consent.pk] if status in LIVE else [])
    assert consent.status == ("withdrawn" if status in LIVE else status)
    assert consent.history.count() == entries + (status in LIVE)
    context = decision.context_for(consent.purpose, timezone.now())
    assert decision.decide(context).get(pk=consent.contact_id).refusal == "suppressed"


# What a yes and a no make of each state: in person (written), in person (spoken), by import; None: nothing changes;
# an exception: refused. The marketing purpose with a spoken yes asks for confirmation first.
WRITTEN_YES: dict[str, Any] = {
    "unknown": "given", "requested": "given", "given": "renewed", "renewed": "renewed", "refused": "given",
    "withdrawn": "given", "expired": "given", "revoked": "given", "invalidated": "given",
}  # fmt: skip
SPOKEN_YES = WRITTEN_YES | {"withdrawn": NewActNeeded}
IMPORTED_YES = WRITTEN_YES | dict.fromkeys(("withdrawn", "expired", "revoked", "invalidated"), NewActNeeded)
NO: dict[str, Any] = {
    "unknown": "refused", "requested": "refused", "given": "withdrawn", "renewed": "withdrawn", "refused": None,
    "withdrawn": None, "expired": None, "revoked": None, "invalidated": None,
}  # fmt: skip
CASES = [
    *(("yes", "web_form", False, status, WRITTEN_YES[status]) for status in STATUSES),
    *(("yes", "verbal", False, status, SPOKEN_YES[status]) for status in STATUSES),
    *(("yes", "web_form", True, status, IMPORTED_YES[status]) for status in STATUSES),
    *(("no", "web_form", by_import, status, NO[status]) for by_import in (False, True) for status in STATUSES),
    *(("none", "import", True, status, None) for status in STATUSES),
]


@pytest.mark.parametrize(("answer", "method", "by_import", "status", "expected"), CASES)
def test_answers_from_every_state(
    acting: None, clock: Any, answer: str, method: str, by_import: bool, status: str, expected: Any
) -> None:
    consent = factories.consent(status=status)
    if status == "expired":
        clock.shift(timedelta(days=800))
    else:
        clock.shift(timedelta(seconds=60))
    before = snapshot()
    act = factories.act(consent.purpose, answer, method, captured_at=timezone.now())
    (result,) = transitions.record_answers(
        [transitions.Entry(consent.contact, consent.purpose, act)], by_import=by_import
    )
    after = snapshot()
    if expected is None or not isinstance(expected, str):
        assert (type(result.error) if result.error else None) == expected
        assert after == before
        return
    assert result.error is None
    consent.refresh_from_db()
    assert consent.status == expected
    assert consent.effective_at == act.captured_at
    assert len(after["consent history"]) == len(before["consent history"]) + 1
    entry = consent.history.order_by("-history_id").first()
    assert (entry.actor, entry.history_change_reason) == ("job:test", "test")
    assert (entry.effective_at, entry.proof_id) == (act.captured_at, consent.proof_id)
    assert consent.proof.captured_at == act.captured_at


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"captured_at": "future"}, ProofIncomplete),
        ({"source": " Purchased "}, ProofTooWeak),
        ({"notice": None}, ProofIncomplete),
        ({"reference": ""}, ProofIncomplete),
        ({"method": "verbal", "read_verbatim": False}, ProofIncomplete),
        ({"method": "verbal", "read_verbatim": None}, ProofIncomplete),
        ({"method": "verbal", "place": ""}, ProofIncomplete),
        ({"method": "paper", "recorded_by": ""}, ProofIncomplete),
        ({"method": "paper", "reference": ""}, ProofIncomplete),
        ({"method": "import"}, ProofTooWeak),
        ({"method": "relationship"}, ProofTooWeak),
    ],
)
def test_a_yes_without_its_proof_writes_nothing(acting: None, change: dict, error: type[DomainError]) -> None:
    purpose, contact = factories.purpose(), factories.contact()
    if change.get("captured_at") == "future":
        change = {"captured_at": timezone.now() + timedelta(minutes=1)}
    act = factories.act(purpose, **change)
    before = snapshot()
    with pytest.raises(error):
        transitions.record_answer(contact, purpose, act)
    assert snapshot() == before


def test_a_notice_of_another_purpose_or_a_draft_proves_nothing(acting: None) -> None:
    purpose, other = factories.purpose(), factories.purpose("other")
    for notice in (factories.notice(other), factories.notice(purpose, published=False)):
        with pytest.raises(ProofIncomplete):
            transitions.record_answer(factories.contact(), purpose, factories.act(purpose, notice=notice))


def test_a_spoken_yes_to_marketing_waits_for_its_confirmation(acting: None, clock: Any, settings: Any) -> None:
    offers, contact = factories.purpose(kind="marketing"), factories.contact()
    result = transitions.record_answer(contact, offers, factories.act(offers, method="verbal"))
    assert result.move == "request"
    assert result.consent is not None
    assert result.consent.expires_at == timezone.now() + timedelta(days=settings.REQUEST_DAYS)


def test_a_spoken_yes_to_marketing_in_the_united_states_is_refused(acting: None) -> None:
    offers = factories.purpose(kind="marketing")
    with pytest.raises(ProofTooWeak):
        transitions.record_answer(factories.contact(country="US"), offers, factories.act(offers, method="verbal"))


def stopped_at(when: Any, contact: Contact, purpose: Any) -> None:
    transitions.withdraw(contact, purpose, factories.act(purpose, "no", captured_at=when), scope="all")


def test_only_a_written_act_after_the_last_stop_leads_back(acting: None, clock: Any) -> None:
    consent = factories.consent()
    contact, purpose = consent.contact, consent.purpose
    first = timezone.now() - timedelta(hours=5)
    last = first + timedelta(hours=2)
    stopped_at(first, contact, purpose)
    stopped_at(last, contact, purpose)
    for when in (first + timedelta(hours=1), last):
        with pytest.raises(NewActNeeded):
            transitions.record_answer(contact, purpose, factories.act(purpose, captured_at=when))
    after = factories.act(purpose, captured_at=last + timedelta(microseconds=1))
    assert transitions.record_answer(contact, purpose, after).move == "give"
    assert decision.decide(decision.context_for(purpose, timezone.now())).get().refusal == ""


def test_a_yes_that_waits_for_confirmation_does_not_lift_the_stop(acting: None, clock: Any) -> None:
    purpose, contact = factories.purpose(double_opt_in=True), factories.contact()
    stopped_at(timezone.now() - timedelta(hours=1), contact, purpose)
    result = transitions.record_answer(contact, purpose, factories.act(purpose, captured_at=timezone.now()))
    assert result.move == "request"
    assert doors.suppressions(contact.phone.as_e164).exists()


def test_two_answers_of_one_act_lift_a_stop_once(acting: None, clock: Any) -> None:
    purposes, contact = [factories.purpose(), factories.purpose("other")], factories.contact()
    stopped_at(timezone.now() - timedelta(hours=1), contact, purposes[0])
    results = transitions.record_answers(
        [transitions.Entry(contact, p, factories.act(p, captured_at=timezone.now())) for p in purposes]
    )
    assert [r.move for r in results] == ["give", "give"]
    assert Suppression.history.count() == 2  # made, lifted


def test_a_no_to_something_live_suppresses_that_purpose(acting: None, clock: Any) -> None:
    consent = factories.consent()
    no = factories.act(consent.purpose, "no", captured_at=timezone.now())
    transitions.record_answer(consent.contact, consent.purpose, no)
    assert [s.purpose_id for s in doors.suppressions(consent.phone.as_e164)] == [consent.purpose_id]


def test_a_stop_before_a_newer_yes_is_refused_and_writes_nothing(acting: None, clock: Any) -> None:
    consent = factories.consent()
    before = snapshot()
    with pytest.raises(IllegalMove):
        stopped_at(consent.effective_at - timedelta(microseconds=1), consent.contact, consent.purpose)
    assert snapshot() == before
    stopped_at(consent.effective_at, consent.contact, consent.purpose)
    consent.refresh_from_db()
    assert consent.status == "withdrawn"


def test_a_changed_number_revokes_and_an_old_copy_of_the_contact_changes_nothing(acting: None, clock: Any) -> None:
    consent = factories.consent()
    stale = Contact.objects.get(pk=consent.contact_id)
    new = factories.number()
    doors.change_number(consent.contact, new)
    consent.refresh_from_db()
    assert consent.status == "revoked"
    clock.shift(1)
    transitions.record_answer(stale, consent.purpose, factories.act(consent.purpose, captured_at=timezone.now()))
    consent.refresh_from_db()
    assert (consent.status, consent.phone.as_e164, consent.proof.phone.as_e164) == ("given", new.e164, new.e164)


def test_a_batch_records_many_in_a_constant_number_of_queries(
    acting: None, clock: Any, django_assert_max_num_queries: Any
) -> None:
    purpose = factories.purpose()
    act = factories.act(purpose)
    for size in (1, 30):
        entries = [transitions.Entry(factories.contact(), purpose, act) for _person in range(size)]
        with django_assert_max_num_queries(13):
            results = transitions.record_answers(entries, by_import=True)
        assert {r.move for r in results} == {"give"}


# --- nothing half done ------------------------------------------------------------------------------------------------


def _answer(consent: Consent) -> Any:
    return _with_scan(consent, "yes", transitions.record_answer)


def _withdraw(consent: Consent) -> Any:
    return _with_scan(consent, "no", partial(transitions.withdraw, scope="all"))


def _with_scan(consent: Consent, answer: str, door: Callable[..., Any]) -> Any:
    with evidence.stored(SimpleUploadedFile("scan.png", files.png())) as scan:
        act = factories.act(consent.purpose, answer, captured_at=timezone.now(), file=scan.file)
        door(consent.contact, consent.purpose, act)
        scan.keep()


DOORS: dict[str, Callable[[Consent], Any]] = {
    "record_answer": _answer,
    "withdraw": _withdraw,
    "end": lambda c: transitions.end(c, "revoke", effective_at=timezone.now()),
    "expire": lambda c: transitions.expire(Consent.objects.filter(pk=c.pk)),
    "change_number": lambda c: doors.change_number(c.contact, factories.number()),
    "register": lambda c: doors.register(factories.number(), name="Zoë Prova"),
    "suppress": lambda c: doors.suppress(c.phone.as_e164, reason="stop", since=timezone.now()),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_that_breaks_at_its_last_write_changes_nothing(
    acting: None, clock: Any, door: str, monkeypatch: Any, settings: Any
) -> None:
    consent = factories.consent()

    class Broken(Exception):
        pass

    writes = 0
    breaks_at = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*args: Any, **kwargs: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes == breaks_at:
                raise Broken
            return write(*args, **kwargs)

        return replacement

    # The last write of every door is a history row.
    monkeypatch.setattr(history, "_insert_select", counted(history._insert_select))
    monkeypatch.setattr(history, "_update_returning", counted(history._update_returning))
    for entries in (m.history.model for m in (Consent, Contact, Suppression)):
        monkeypatch.setattr(entries, "save", counted(entries.save))
    with transaction.atomic():
        DOORS[door](consent)
        transaction.set_rollback(True)
    before, stored, breaks_at, writes = snapshot(), on_disk(Path(settings.MEDIA_ROOT)), writes, 0
    assert breaks_at
    with pytest.raises(Broken):
        DOORS[door](Consent.objects.get(pk=consent.pk))
    assert snapshot() == before
    assert on_disk(Path(settings.MEDIA_ROOT)) == stored


@pytest.mark.parametrize("door", DOORS)
def test_each_door_writes_exactly_one_history_row_for_each_row_it_changes(acting: None, clock: Any, door: str) -> None:
    consent = factories.consent()
    before = snapshot()
    DOORS[door](consent)
    after = snapshot()
    for rows, entries in (
        (Contact._meta.db_table, Contact.history.model._meta.db_table),
        (Suppression._meta.db_table, Suppression.history.model._meta.db_table),
        (Consent._meta.db_table, "consent history"),
    ):
        touched = set(after[rows]) - set(before[rows])
        assert len(after[entries]) - len(before[entries]) == len(touched), rows
