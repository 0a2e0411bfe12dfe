"""Consents in the admin: lists that link, a page that reads, legal ends as confirmed pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from consent.contacts.models import Export, Suppression
from consent.ledger import decision, figures, moves
from consent.ledger.models import Consent, Proof
from consent.ledger.models.proofs import Answer
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "admin:ledger_consent_changelist"
MOVES = ["withdraw", "revoke", "invalidate"]
ILLEGAL = [
    (move, status) for move in MOVES for status in Consent.Status.values if status not in moves.MOVES[move].sources
]
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"


def page(consent: Consent) -> str:
    return reverse("admin:ledger_consent_change", args=[consent.pk])


def move_page(consent: Consent, move: str) -> str:
    return reverse(f"admin:ledger_consent_{move}", args=[consent.pk])


def filled(**fields: Any) -> dict[str, Any]:
    now = timezone.localtime().strftime("%Y-%m-%dT%H:%M:%S")
    return {"when": now, "reason": "called us", "how": "verbal", "scope": "all"} | fields


def shown(response: Any) -> set[int]:
    return {row.pk for row in response.context["cl"].result_list}


# --- the list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "queries"), [("officer", 9), ("recruiter", 9)])
@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_with_one_row_or_three(
    who: str, queries: int, rows: int, request: Any, sign_in: Any, django_assert_num_queries: Any
) -> None:
    client = sign_in(request.getfixturevalue(who))
    for _ in range(rows):
        factories.consent()
    with django_assert_num_queries(queries):
        response = client.get(reverse(LIST))
    assert len(shown(response)) == rows


@pytest.fixture
def many(clock: Any) -> dict[str, Consent]:
    purpose = factories.purpose()
    now = timezone.now()

    def ending(days: float) -> Any:
        consent = factories.consent(to=purpose)
        Consent.objects.filter(pk=consent.pk).update(expires_at=now + timedelta(days=days))
        return consent

    return {
        "ended": ending(0),
        "in_30": ending(30),
        "in_31": ending(30.001),
        "in_90": ending(90),
        "in_91": ending(90.001),
        "unknown": factories.consent(to=purpose, status="unknown"),
        "withdrawn": factories.consent(to=purpose, status="withdrawn"),
        "refused": factories.consent(to=purpose, status="refused", captured_at=now - timedelta(days=7)),
        "paper": factories.consent(to=factories.purpose("other"), method="paper"),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status__exact=given", {"ended", "in_30", "in_31", "in_90", "in_91", "paper"}),
        ("live=1", {"in_30", "in_31", "in_90", "in_91", "paper"}),
        ("expiring=30", {"in_30"}),
        ("expiring=60", {"in_30", "in_31"}),
        ("expiring=90", {"in_30", "in_31", "in_90"}),
        ("proof=missing", {"unknown"}),
        ("method=paper", {"paper"}),
        ("week=2026-W47&status__exact=withdrawn", {"withdrawn"}),
        ("week=2026-W46&status__exact=refused", {"refused"}),
        ("week=2026-W47&status__exact=refused", set()),
    ],
)
def test_every_figure_can_link_to_its_list(
    query: str, expected: set[str], many: dict[str, Consent], officer: Any, sign_in: Any
) -> None:
    response = sign_in(officer).get(f"{reverse(LIST)}?{query}")
    assert {name for name, consent in many.items() if consent.pk in shown(response)} == expected


def test_lists_by_purpose_and_by_notice(many: dict[str, Consent], officer: Any, sign_in: Any) -> None:
    client, paper = sign_in(officer), many["paper"]
    assert shown(client.get(f"{reverse(LIST)}?purpose__id__exact={paper.purpose_id}")) == {paper.pk}
    assert shown(client.get(f"{reverse(LIST)}?notice={paper.proof.notice_id}")) == {paper.pk}
    assert shown(client.get(f"{reverse(LIST)}?notice=99999")) == {c.pk for c in many.values()}
    assert shown(client.get(f"{reverse(LIST)}?week=2026-W99")) == {c.pk for c in many.values()}


def test_a_weak_proof_in_the_list_is_the_one_the_decision_refuses(officer: Any, sign_in: Any, acting: None) -> None:
    marketing = factories.purpose("offers", kind="marketing", confirm_verbal=False)
    jobs = factories.purpose("jobs")
    good = factories.consent(to=jobs, method="paper")
    not_read = factories.consent(to=jobs, method="paper")
    Consent.objects.filter(pk=not_read.pk).update(
        proof=Proof.objects.create(
            contact=not_read.contact, purpose=jobs, phone=not_read.phone, method="verbal", answer=Answer.YES,
            captured_at=timezone.now(), notice=not_read.proof.notice, read_verbatim=False,
        )
    )  # fmt: skip
    abroad = factories.consent(factories.contact(country="US"), marketing, method="paper")
    spoken = factories.consent(factories.contact(country="US"), marketing, method="paper")
    Consent.objects.filter(pk=spoken.pk).update(
        proof=Proof.objects.create(
            contact=spoken.contact, purpose=marketing, phone=spoken.phone, method="verbal", answer=Answer.YES,
            captured_at=timezone.now(), notice=spoken.proof.notice, read_verbatim=True,
        )
    )  # fmt: skip
    refused = {
        contact.consent_id
        for purpose in (marketing, jobs)
        for contact in decision.decide(decision.context_for(purpose, timezone.now()))
        if contact.refusal == "proof_too_weak"
    }
    assert refused == {not_read.pk, spoken.pk}
    assert shown(sign_in(officer).get(f"{reverse(LIST)}?proof=weak")) == refused
    assert {good.pk, abroad.pk}.isdisjoint(refused)


def test_a_large_ledger_lists_the_weak_proofs_that_the_front_page_counted(
    officer: Any, sign_in: Any, acting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "SMALL", 1)
    client, weak = sign_in(officer), f"{reverse(LIST)}?proof=weak"
    purpose = factories.purpose()
    first, second = (factories.consent(to=purpose, method="paper") for _person in range(2))
    third = factories.consent(to=purpose)
    purpose.accepted_methods = ["web_form"]
    purpose.save()
    assert shown(client.get(weak)) == {first.pk, second.pk}  # never counted yet: the rule itself
    assert figures.refresh().data["weak"] == 2
    Consent.objects.filter(pk=third.pk).update(proof=first.proof)
    Consent.objects.filter(pk=second.pk).update(status="revoked")
    response = client.get(weak)
    assert shown(response) == {first.pk}
    assert "Figures as of" in response.content.decode()
    assert figures.refresh().data["weak"] == 2
    assert shown(client.get(weak)) == {first.pk, third.pk}


def test_more_weak_proofs_than_are_kept_are_still_counted(acting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "SMALL", 1)
    monkeypatch.setattr(figures, "LISTED", 1)
    purpose = factories.purpose()
    for _person in range(3):
        factories.consent(to=purpose, method="paper")
    purpose.accepted_methods = ["web_form"]
    purpose.save()
    assert figures.refresh().data["weak"] == 3
    assert Consent.objects.filter(figures.weak()).count() == 2


def test_a_search_by_number_travels_sealed(officer: Any, sign_in: Any) -> None:
    consent = factories.consent(factories.contact(typed="+39 312 345 6789"))
    factories.consent()
    answer = sign_in(officer).post(reverse(LIST), {"q": "312 345 6789"})
    assert "345" not in answer["Location"]
    assert shown(sign_in(officer).get(answer["Location"])) == {consent.pk}


# --- who sees what -----------------------------------------------------------------------------------------------


def test_a_recruiter_sees_whole_numbers_of_own_records_only(recruiter: Any, sign_in: Any) -> None:
    mine = factories.consent(factories.contact(typed="+39 312 345 6701"), recorded_by_user=recruiter)
    created = factories.consent(factories.contact(typed="+39 312 345 6702", created_by=recruiter))
    other = factories.consent(factories.contact(typed="+39 312 345 6703"), place="At home with Ada")
    client = sign_in(recruiter)
    text = client.get(reverse(LIST)).content.decode()
    assert "+39 312 345 6701" in text
    assert "+39 312 345 6702" in text
    assert "345 6703" not in text
    for consent, whole in ((mine, True), (created, True), (other, False)):
        number = f"+39 312 345 670{1 + [mine, created, other].index(consent)}"
        assert (number in client.get(page(consent)).content.decode()) is whole
        history = reverse("admin:ledger_consent_history", args=[consent.pk])
        told = client.get(history).content.decode()
        assert (number in told) is whole
    assert "At home with Ada" not in client.get(page(other)).content.decode()


def test_an_auditor_sees_numbers_and_has_no_buttons(auditor: Any, sign_in: Any) -> None:
    consent = factories.consent(factories.contact(typed="+39 312 345 6789"))
    text = sign_in(auditor).get(page(consent)).content.decode()
    assert "+39 312 345 6789" in text
    assert "Withdraw…" not in text


@pytest.mark.parametrize("who", ["recruiter", "manager", "auditor", "stranger"])
@pytest.mark.parametrize("move", MOVES)
def test_only_officers_end_consents(who: str, move: str, request: Any, sign_in: Any) -> None:
    consent = factories.consent()
    client = sign_in(request.getfixturevalue(who))
    for response in (client.get(move_page(consent, move)), client.post(move_page(consent, move), filled())):
        assert response.status_code == (302 if who == "stranger" else 403)
    consent.refresh_from_db()
    assert consent.status == "given"


# --- the page ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", Consent.Status.values)
def test_the_page_shows_the_verdict_and_the_legal_moves_only(status: str, officer: Any, sign_in: Any) -> None:
    consent = factories.consent(status=status)
    response = sign_in(officer).get(page(consent))
    text = response.content.decode()
    assert ("May be texted now" in text) is (status in ("given", "renewed"))
    for move in MOVES:
        assert (move_page(consent, move) in text) is (status in moves.MOVES[move].sources)


def test_nobody_edits_or_deletes_a_consent(superuser: Any, sign_in: Any) -> None:
    consent, client = factories.consent(), sign_in(superuser)
    assert client.post(page(consent), {"status": "revoked"}).status_code == 403
    assert client.post(reverse("admin:ledger_consent_delete", args=[consent.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:ledger_consent_add")).status_code == 403
    consent.refresh_from_db()
    assert consent.status == "given"


def test_the_history_names_actor_and_reason(officer: Any, sign_in: Any) -> None:
    consent, client = factories.consent(), sign_in(officer)
    client.post(move_page(consent, "revoke"), filled(reason="number belongs to somebody else"))
    text = client.get(reverse("admin:ledger_consent_history", args=[consent.pk])).content.decode()
    assert "number belongs to somebody else" in text
    assert "officer" in text
    assert "Revoked" in text


# --- the moves ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("status", Consent.Status.values)
def test_looking_changes_nothing(move: str, status: str, officer: Any, sign_in: Any) -> None:
    consent, client = factories.consent(status=status), sign_in(officer)
    before = (Proof.objects.count(), Suppression.objects.count(), consent.history.count())
    client.get(move_page(consent, move), filled())
    consent.refresh_from_db()
    assert consent.status == status
    assert (Proof.objects.count(), Suppression.objects.count(), consent.history.count()) == before


@pytest.mark.parametrize(("move", "status"), ILLEGAL)
def test_an_illegal_move_says_why_and_changes_nothing(move: str, status: str, officer: Any, sign_in: Any) -> None:
    consent, client = factories.consent(status=status), sign_in(officer)
    before = (Proof.objects.count(), Suppression.objects.count(), consent.history.count())
    response = client.post(move_page(consent, move), filled(), follow=True)
    assert f"not possible for a consent that is “{consent.get_status_display()}”" in response.content.decode()
    consent.refresh_from_db()
    assert consent.status == status
    assert (Proof.objects.count(), Suppression.objects.count(), consent.history.count()) == before


@pytest.mark.parametrize("status", sorted(moves.MOVES["revoke"].sources))
@pytest.mark.parametrize(("move", "target"), [("revoke", "revoked"), ("invalidate", "invalidated")])
def test_an_officer_ends_a_live_consent(move: str, target: str, status: str, officer: Any, sign_in: Any) -> None:
    consent, client = factories.consent(status=status), sign_in(officer)
    for _submit in range(2):
        assert client.post(move_page(consent, move), filled(reason="audit")).status_code == 302
    consent.refresh_from_db()
    assert consent.status == target
    event = consent.history.first()
    assert (event.actor, event.history_change_reason) == ("officer", "audit")
    assert consent.history.filter(status=target).count() == 1


def test_a_withdrawal_in_the_past_with_a_letter(officer: Any, sign_in: Any, clock: Any) -> None:
    consent = factories.consent(captured_at=timezone.now() - timedelta(days=20))
    client = sign_in(officer)
    assert client.get(move_page(consent, "withdraw")).context["form"]["scope"].value() == "all"
    letter = SimpleUploadedFile("letter.pdf", PDF, "application/pdf")
    data = filled(how="paper", when="2026-11-12T09:30:00", reason="letter of 12 November", evidence=letter)
    for _submit in range(2):
        assert client.post(move_page(consent, "withdraw"), data).status_code == 302
    consent.refresh_from_db()
    assert (consent.status, consent.effective_at.isoformat()) == ("withdrawn", "2026-11-12T08:30:00+00:00")
    proof = consent.proof
    assert proof
    assert (proof.method, proof.answer, proof.recorded_by, proof.file_type) == ("paper", "no", "officer", "pdf")
    assert len(proof.file_sha256) == 64
    stop = Suppression.objects.get()
    assert (stop.brand, stop.purpose, stop.since) == (None, None, consent.effective_at)
    event = consent.history.first()
    assert (event.actor, event.history_change_reason) == ("officer", "letter of 12 November")


def test_the_scope_of_a_withdrawal_starts_as_the_brand_says(officer: Any, sign_in: Any) -> None:
    purpose = factories.purpose(of=factories.brand(stop_scope="purpose"))
    consent = factories.consent(to=purpose)
    other = factories.consent(consent.contact, factories.purpose("other", of=purpose.brand))
    client = sign_in(officer)
    response = client.get(move_page(consent, "withdraw"))
    assert response.context["form"]["scope"].value() == "purpose"
    client.post(move_page(consent, "withdraw"), filled(scope="purpose"))
    other.refresh_from_db()
    assert other.status == "given"
    client.post(move_page(other, "withdraw"), filled(scope="brand"))
    assert set(Suppression.objects.values_list("purpose", "brand")) == {(purpose.pk, None), (None, purpose.brand.pk)}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"when": "2030-01-01T00:00:00"}, "in the future"),
        ({"when": "2000-01-01T00:00:00"}, "after this stop"),
        ({"when": ""}, "required"),
        ({"reason": " "}, "required"),
        ({"how": "keyword"}, "not one of the available choices"),
        ({"evidence": SimpleUploadedFile("letter.pdf", b"MZ not a letter")}, "whatever its name says"),
    ],
)
def test_a_withdrawal_that_cannot_be_says_why(
    fields: dict[str, Any], sentence: str, officer: Any, sign_in: Any, clock: Any
) -> None:
    consent = factories.consent()
    response = sign_in(officer).post(move_page(consent, "withdraw"), filled(**fields))
    assert response.status_code == 200
    assert sentence in response.content.decode()
    consent.refresh_from_db()
    assert consent.status == "given"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("move", ["revoke", "invalidate"])
def test_no_end_lies_in_the_future(move: str, officer: Any, sign_in: Any, clock: Any) -> None:
    consent = factories.consent()
    response = sign_in(officer).post(move_page(consent, move), filled(when="2026-11-22T10:00:01"))
    assert "in the future" in response.content.decode()
    assert sign_in(officer).post(move_page(consent, move), filled(when="2026-11-22T10:00:00")).status_code == 302


# --- the export --------------------------------------------------------------------------------------------------


def test_an_officer_exports_what_is_filtered_without_the_restricted(officer: Any, sign_in: Any) -> None:
    factories.consent(factories.contact("Ada Prova", typed="+39 312 345 6701"))
    factories.consent(factories.contact("Bea Prova", typed="+39 312 345 6702"), status="refused")
    held = factories.contact("Cia Prova", typed="+39 312 345 6703", restricted_since=timezone.now())
    factories.consent(held)
    client, url = sign_in(officer), reverse("admin:ledger_consent_export") + "?status__exact=given"
    assert not Export.objects.exists()
    response = client.post(url, {"reason": "audit of October"})
    text = b"".join(response.streaming_content).decode()
    assert "Ada Prova" in text
    assert "officina/job-alerts" in text
    assert "Bea Prova" not in text
    assert "Cia Prova" not in text
    taken = Export.objects.get()
    assert (taken.rows, taken.reason, taken.by) == (1, "audit of October", "officer")


@pytest.mark.parametrize("who", ["recruiter", "manager", "auditor"])
def test_nobody_else_exports(who: str, request: Any, sign_in: Any) -> None:
    factories.consent()
    response = sign_in(request.getfixturevalue(who)).post(reverse("admin:ledger_consent_export"), {"reason": "x"})
    assert response.status_code == 403
    assert not Export.objects.exists()
