"""One decision explained: by contact, by number, on the command line."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from consent.contacts import doors
from consent.contacts.models import Audience
from consent.core.errors import DomainError
from consent.ledger import decision, explanation
from consent.ledger.models import Consent
from tests import factories

pytestmark = pytest.mark.django_db


def run(name: str, *args: str) -> Any:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return json.loads(out.getvalue()) if "--json" in args else out.getvalue()


def test_an_allowed_text_shows_consent_and_proof() -> None:
    consent = factories.consent()
    found = explanation.explain(consent.contact, consent.purpose, timezone.now())
    assert (found.allowed, found.refusal, found.codes, found.known) == (True, "", (), True)
    assert found.consent and found.consent.uid == str(consent.uid)
    assert (found.consent.status, found.consent.until) == ("given", consent.expires_at)
    assert found.proof and found.proof.method == "web_form"
    assert (found.proof.notice_version, found.proof.notice_language, found.proof.recorded_by) == (1, "en", "test")
    assert not found.proof.file


def test_every_code_that_applies_is_told_and_the_first_decides() -> None:
    person = factories.contact(held_since=timezone.now())
    consent = factories.consent(person, status="withdrawn")
    found = explanation.explain(person, consent.purpose, timezone.now())
    assert [c.code for c in found.codes] == ["held", "suppressed", "withdrawn"]
    assert [c.code for c in found.codes if c.decisive] == [found.refusal] == ["held"]
    assert all(c.rule and c.sentence for c in found.codes)


@pytest.mark.parametrize("status", Consent.Status.values)
def test_the_explanation_is_the_decision(status: str) -> None:
    consent = factories.consent(status=status)
    now = timezone.now()
    judged = decision.decide(decision.context_for(consent.purpose, now)).get(pk=consent.contact_id)
    found = explanation.explain(consent.contact, consent.purpose, now)
    assert (found.refusal, found.allowed) == (judged.refusal, not judged.refusal)
    assert (found.refusal in [c.code for c in found.codes]) is bool(found.refusal)


def test_time_is_an_argument(clock: Any) -> None:
    consent = factories.consent()
    Consent.objects.update(last_used_at=consent.effective_at)
    end = consent.expires_at
    assert end
    before = explanation.explain(consent.contact, consent.purpose, end - timedelta(microseconds=1))
    assert (before.allowed, explanation.explain(consent.contact, consent.purpose, end).refusal) == (True, "expired")


@pytest.mark.parametrize(("scope", "refusal"), [("own", "suppressed"), ("other", "no_consent"), ("none", "no_consent")])
def test_a_number_without_a_contact_has_no_consent_but_may_be_suppressed(
    scope: str, refusal: str, acting: None
) -> None:
    purpose = factories.purpose()
    other = factories.purpose("else")
    number = factories.number()
    if scope != "none":
        doors.suppress(number.e164, reason="stop", since=timezone.now(), purpose=purpose if scope == "own" else other)
    found = explanation.explain_number(number, purpose, timezone.now())
    assert (found.known, found.allowed, found.refusal) == (False, False, refusal)
    assert found.codes[-1].code == "no_consent"
    assert found.consent is None and found.proof is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-11-22T10:00", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("2026-11-22 10:00", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-11-22T10:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00+05:00", datetime(2026, 11, 22, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_without_a_zone_is_in_the_zone_of_the_brand(typed: str, expected: datetime) -> None:
    assert explanation.moment(typed, factories.purpose()) == expected


@pytest.mark.parametrize("typed", ["soon", "2026-13-45", "2026-11-22T25:00", "10:00"])
def test_what_is_no_moment_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(DomainError, match="is not a date and time"):
        explanation.moment(typed, factories.purpose())


def test_explain_prints_json() -> None:
    consent = factories.consent(factories.contact(typed="+39 312 345 6789"))
    found = run("explain", "312 345 6789", "--purpose", "officina/job-alerts", "--json", "--country", "IT")
    assert found["allowed"] is True
    assert (found["refusal"], found["codes"], found["purpose"]) == ("", [], "officina/job-alerts")
    assert found["consent"]["uid"] == str(consent.uid)
    assert found["consent"]["status"] == "given"
    assert found["proof"]["method"] == "web_form"
    late = run("explain", "+393123456789", "--purpose", "officina/job-alerts", "--at", "2031-01-01T09:00", "--json")
    assert late["at"] == "2031-01-01T09:00:00+01:00"
    assert all(set(c) == {"code", "rule", "sentence"} for c in late["codes"])
    assert [c["code"] for c in late["codes"]] == ["expired", "reconfirmation_due"]
    assert late["refusal"] == "expired"


def test_explain_prints_text() -> None:
    factories.consent(factories.contact(typed="+39 312 345 6789"), status="refused")
    text = run("explain", "+393123456789", "--purpose", "officina/job-alerts")
    assert "+39 312 345 6789 may not be texted" in text
    assert "refused: The person said no. [RULES C3]" in text
    assert "Proof" in text
    assert "belongs to no contact" in run("explain", "+393129999999", "--purpose", "officina/job-alerts")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["+393123456789", "--purpose", "officina/nothing"], "There is no purpose “officina/nothing”"),
        (["+393123456789", "--purpose", "officina"], "known: officina/job-alerts"),
        (["+393123456789", "--purpose", "officina/job-alerts", "--at", "soon"], "is not a date and time"),
        (["06 1234", "--purpose", "officina/job-alerts"], "is a landline"),
    ],
)
def test_explain_refuses_with_a_sentence(args: list[str], sentence: str) -> None:
    factories.purpose()
    with pytest.raises(CommandError, match=sentence):
        run("explain", *args)


def test_audience_counts_per_code() -> None:
    purpose = factories.purpose()
    for status in ("given", "given", "refused"):
        factories.consent(factories.contact(kind="applicant"), purpose, status=status)
    factories.contact(kind="customer")
    Audience.objects.bulk_create([Audience(name="Applicants", kind="applicant")])
    everybody = run("audience", "officina/job-alerts", "--json")
    assert everybody["counts"] == {"allowed": 2, "no_consent": 1, "refused": 1}
    assert everybody["total"] == 4
    some = run("audience", "officina/job-alerts", "--audience", "Applicants", "--json")
    assert some["counts"] == {"allowed": 2, "refused": 1}
    assert "4  total" in run("audience", "officina/job-alerts")
    with pytest.raises(CommandError, match=r"There is no audience “Nobody”\. Known: Applicants"):
        run("audience", "officina/job-alerts", "--audience", "Nobody")
