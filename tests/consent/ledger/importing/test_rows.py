"""What each cell of a row may be, and what is said about one that cannot be used."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from consent.contacts.models import Contact
from consent.ledger import decision
from consent.ledger.models import Consent
from tests.consent.ledger.importing.conftest import NO_COUNTS, VERBAL, counts, csv_file, only, xlsx_file

pytestmark = pytest.mark.django_db


REJECTED = [
    ({"phone": ""}, "phone", "missing"),
    ({"phone": "02 1234567"}, "phone", "landline"),
    ({"phone": "3.9333E+11"}, "phone", "spreadsheet"),
    ({"phone": "=1+1"}, "phone", "formula"),
    ({"phone": "not a number"}, "phone", "letters"),
    ({"phone": "12"}, "phone", "too short"),
    ({"country": "XX"}, "country", "not a country"),
    ({"name": "<script>alert(1)</script>"}, "name", "web pages"),
    ({"name": '=HYPERLINK("x")'}, "name", "like a formula"),
    ({"name": "+Ada"}, "name", "like a formula"),
    ({"name": "@Ada"}, "name", "like a formula"),
    ({"name": "'=1+1"}, "name", "like a formula"),
    ({"name": "A" * 201}, "name", "too long"),
    ({"name": "Ada\x07"}, "name", "no text"),
    ({"email": "ada at example"}, "email", "e-mail"),
    ({"kind": "boss"}, "kind", "customer, applicant, employee"),
    ({"language": "nl"}, "language", "en, it, de"),
    ({"brand": "nobody"}, "brand", "mercado-vivo, officina-lavoro"),
    ({"purpose": "offers"}, "purpose", "interview-reminders, job-alerts"),
    ({"answer": "maybe"}, "answer", "neither yes nor no"),
    ({"answer": "1"}, "answer", "neither yes nor no"),
    ({"method": "telepathy"}, "method", "web_form"),
    ({"captured_at": "31/02/2026"}, "captured_at", "cannot be read"),
    ({"captured_at": "yesterday"}, "captured_at", "cannot be read"),
    ({"captured_at": "2026-02-31"}, "captured_at", "no such date"),
    ({"captured_at": "2026-03-29T02:30"}, "captured_at", "clocks"),
    ({"captured_at": "1970-01-01"}, "captured_at", "before there were"),
    ({"captured_at": "2031-01-01T10:00:00+01:00"}, "captured_at", "future"),
    ({"notice_version": "99"}, "notice_version", "no published notice"),
    ({"notice_version": "first"}, "notice_version", "not the version"),
    ({"read_verbatim": "perhaps"}, "read_verbatim", "word for word"),
    ({"source": "purchased"}, "source", "cannot be passed on"),
    ({"source": "Rented list"}, "source", "cannot be passed on"),
    ({"source": "exchanged", "answer": ""}, "source", "cannot be passed on"),
    (
        {"phone": "+12125550123", "brand": "mercado-vivo", "purpose": "offers", "language": "en", **VERBAL},
        "method",
        "written",
    ),
]


@pytest.mark.parametrize(("cells", "column", "words"), REJECTED)
def test_a_row_that_cannot_be_used_is_rejected_with_column_and_reason(
    load: Any, cells: dict[str, str], column: str, words: str
) -> None:
    batch = load(csv_file(cells))
    assert counts(batch) == NO_COUNTS | {"rejected": 1}
    outcome, where, reason = only(batch)
    assert (outcome, where) == ("rejected", column)
    assert words in reason
    assert not Contact.objects.exists()


def test_reasons_do_not_repeat_the_number(load: Any) -> None:
    _outcome, _column, reason = only(load(csv_file({"phone": "+39 02 1234567"})))
    assert reason == "This number is a landline and cannot receive texts. Ask for a mobile number."


UNPROVED = [
    ({"answer": ""}, "answer", "no answer"),
    ({"notice_version": ""}, "notice_version", "version of the notice"),
    ({"reference": ""}, "reference", "reference"),
    ({**VERBAL, "place": ""}, "place", "place"),
    ({**VERBAL, "recorded_by": ""}, "recorded_by", "who recorded"),
    ({**VERBAL, "read_verbatim": "no"}, "read_verbatim", "not read word for word"),
    ({"method": "paper"}, "recorded_by", "who recorded"),
    ({"method": ""}, "method", "how the person answered"),
    ({"method": "import"}, "method", "claim"),
    ({"captured_at": ""}, "captured_at", "when the person answered"),
    ({"language": ""}, "notice_version", "version of the notice"),
]


@pytest.mark.parametrize(("cells", "column", "words"), UNPROVED)
def test_a_yes_that_nothing_proves_is_kept_as_unknown_and_never_permits_a_text(
    load: Any, cells: dict[str, str], column: str, words: str
) -> None:
    batch = load(csv_file(cells))
    assert counts(batch) == NO_COUNTS | {"unknown": 1}
    outcome, where, reason = only(batch)
    assert (outcome, where) == ("unknown", column)
    assert words in reason
    consent = Consent.objects.get()
    assert (consent.status, consent.proof) == ("unknown", None)
    judged = decision.decide(decision.context_for(consent.purpose, timezone.now())).get()
    assert judged.refusal == "unknown"


@pytest.mark.parametrize("yes", ["yes", "Sì", "sí", "JA", "sim", "oui", " si "])
def test_yes_in_every_staff_language(load: Any, yes: str) -> None:
    load(csv_file({"answer": yes}))
    assert Consent.objects.get().status == "given"


@pytest.mark.parametrize("no", ["no", "NEIN", "não", "non"])
def test_no_in_every_staff_language(load: Any, no: str) -> None:
    load(csv_file({"answer": no, "notice_version": "", "reference": ""}))
    assert Consent.objects.get().status == "refused"


def test_times_without_a_zone_are_the_brands(load: Any) -> None:
    load(csv_file({"captured_at": "2026-07-01 12:00"}))
    assert Consent.objects.get().effective_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_a_workbook_is_the_same_import(load: Any) -> None:
    when = datetime.fromisoformat("2026-07-01T12:00")
    batch = load(xlsx_file({"phone": 3123456789, "captured_at": when, "notice_version": 1}))
    assert counts(batch) == NO_COUNTS | {"applied": 1}
    assert Consent.objects.get().effective_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_a_spoken_yes_to_marketing_waits_for_its_confirmation(load: Any) -> None:
    load(csv_file({"brand": "mercado-vivo", "purpose": "offers", **VERBAL}))
    assert Consent.objects.get().status == "requested"
