"""The one decision against a plain-Python model of the rules, over generated worlds and at every boundary (P1, P9)."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.contacts import doors
from consent.contacts.models import Contact, Suppression
from consent.core import digests
from consent.ledger import decision, transitions
from consent.ledger.models import Consent, Method, Notice, Proof
from tests import factories, model

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NUMBERS = [f"+39312{n:07d}" for n in range(1, 9)]
STATUSES = Consent.Status.values
KINDS = ("marketing", "recruitment", "informational", "conversational")

# On the moment, one microsecond around it, and far off.
moments = st.sampled_from([NOW - timedelta(days=300), NOW - TICK, NOW, NOW + TICK, NOW + timedelta(days=300)])

proofs = st.fixed_dictionaries(
    {
        # Mostly a sound proof, so that generated worlds also contain people who may be texted.
        "answer": st.sampled_from(["yes", "yes", "yes", "no", "none"]),
        "method": st.sampled_from(["web_form", "keyword", *Method.values]),
        "read_verbatim": st.sampled_from([True, False, None]),
        "notice": st.sampled_from([None, 1, 1, 2, 3]),
    }
)
consents = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["given", "renewed", "given", *STATUSES]),
        "moved": st.sampled_from([False, False, False, True]),
        "effective_at": st.sampled_from(
            [NOW - timedelta(days=300), NOW - timedelta(days=30), NOW - timedelta(days=30) - TICK, NOW, NOW + TICK]
        ),
        "last_used_at": st.sampled_from([NOW - timedelta(days=2), NOW - timedelta(days=2), None]),
        "expires_at": moments,
        "proof": proofs,
        "bare": st.booleans(),
    }
)
people = st.lists(
    st.fixed_dictionaries(
        {
            "country": st.sampled_from(["IT", "US"]),
            "restricted": st.sampled_from([False] * 7 + [True]),
            "held": st.sampled_from([False] * 7 + [True]),
            "consent": st.one_of(consents, consents, consents, st.none()),
        }
    ),
    min_size=1,
    max_size=6,
)
stops = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.sampled_from(NUMBERS),
            "scope": st.sampled_from(["all", "brand", "purpose", "sister purpose", "other brand", "other purpose"]),
            "lifted": st.booleans(),
        }
    ),
    max_size=4,
)
purposes = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "accepted": st.sampled_from([None, None, [], ["verbal"], [*Method.values]]),
        "material": st.tuples(
            *[st.tuples(st.sampled_from([False, False, True]), st.one_of(moments, st.none())) for _version in range(3)]
        ),
    }
)


def build(people: list[dict], stops: list[dict], asked: dict) -> tuple[Any, model.Purpose, list, list]:
    """The generated world in the database, bypassing the doors so that odd states exist, and as plain values."""
    brand, other_brand = factories.brand(), factories.brand("mercato")
    purpose = factories.purpose(of=brand, kind=asked["kind"])
    sister, other = factories.purpose("sister", of=brand), factories.purpose("offers", of=other_brand)
    if asked["accepted"] is not None:
        purpose.accepted_methods = asked["accepted"]
        with factories.acting():
            purpose.save()
    notices = {
        version: Notice(
            purpose=purpose, language="en", version=version, text="t", frequency="f",
            material_change=material, published_at=published,
        )
        for version, (material, published) in enumerate(asked["material"], start=1)
    }  # fmt: skip
    Notice.objects.bulk_create(notices.values())
    contacts = Contact.objects.bulk_create(
        Contact(
            phone=number,
            phone_digest=digests.digest(number),
            digest_key_id=digests.newest_key_id(),
            country=person["country"],
            restricted_since=NOW if person["restricted"] else None,
            held_since=NOW if person["held"] else None,
        )
        for number, person in zip(NUMBERS, people, strict=False)
    )
    plain = []
    for contact, person in zip(contacts, people, strict=True):
        _sister_yes(contact, sister)  # must never count for the purpose in question
        consent = _consent(contact, purpose, person["consent"], notices) if person["consent"] else None
        plain.append(
            model.Person(
                contact.pk, contact.phone.as_e164, contact.country, person["restricted"], person["held"], consent
            )
        )
    scopes = {
        "all": (None, None),
        "brand": (brand, None),
        "purpose": (None, purpose),
        "sister purpose": (None, sister),
        "other brand": (other_brand, None),
        "other purpose": (None, other),
    }
    Suppression.objects.bulk_create(
        Suppression(
            digest=digests.digest(stop["number"]),
            key_id=digests.newest_key_id(),
            brand=scopes[stop["scope"]][0],
            purpose=scopes[stop["scope"]][1],
            reason="stop",
            since=NOW,
            lifted_at=NOW if stop["lifted"] else None,
        )
        for stop in stops
    )
    rules = model.Purpose(
        purpose.pk, brand.pk, purpose.kind, frozenset(purpose.accepted_methods),
        purpose.first_message_within_days,
        tuple((n.version, n.published_at) for n in notices.values() if n.material_change),
    )  # fmt: skip
    plain_stops = [
        model.Stop(s["number"], *(scope and scope.pk for scope in scopes[s["scope"]]), s["lifted"]) for s in stops
    ]
    return purpose, rules, plain, plain_stops


def _sister_yes(contact: Contact, sister: Any) -> None:
    proof = Proof.objects.create(
        contact=contact, purpose=sister, phone=contact.phone, method="web_form", answer="yes", captured_at=NOW
    )
    Consent.objects.bulk_create(
        [
            Consent(
                contact=contact, purpose=sister, status="given", phone=contact.phone, proof=proof,
                effective_at=NOW - timedelta(days=9), expires_at=NOW + timedelta(days=900),
            )
        ]
    )  # fmt: skip


def _consent(contact: Contact, purpose: Any, drawn: dict, notices: dict[int, Notice]) -> model.Consent:
    permitting = drawn["status"] in ("given", "renewed")
    proof = None
    if permitting or not drawn["bare"]:  # the database refuses a permission without proof and end
        shown = notices.get(drawn["proof"]["notice"])
        proof = Proof.objects.create(
            contact=contact, purpose=purpose, phone=contact.phone, captured_at=NOW, notice=shown,
            **{k: v for k, v in drawn["proof"].items() if k != "notice"},
        )  # fmt: skip
    (row,) = Consent.objects.bulk_create(
        [
            Consent(
                contact=contact,
                purpose=purpose,
                status=drawn["status"],
                phone="+393129999999" if drawn["moved"] else contact.phone,
                effective_at=drawn["effective_at"],
                expires_at=drawn["expires_at"] if permitting or not drawn["bare"] else None,
                last_used_at=drawn["last_used_at"],
                proof=proof,
            )
        ]
    )
    plain_proof = proof and model.Proof(
        proof.pk, proof.answer, proof.method, proof.read_verbatim, proof.notice and proof.notice.version
    )
    return model.Consent(
        row.pk, row.status, row.phone.as_e164, row.effective_at, row.expires_at, row.last_used_at, plain_proof
    )


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(people=people, stops=stops, asked=purposes, at=st.sampled_from([NOW - TICK, NOW, NOW + TICK]))
def test_the_decision_equals_the_plain_model(people: list, stops: list, asked: dict, at: datetime) -> None:
    with transaction.atomic():
        purpose, rules, plain, plain_stops = build(people, stops, asked)
        context = decision.context_for(purpose, at)
        judged = {c.pk: c for c in decision.decide(context)}
        expected = {person.id: model.codes(person, rules, plain_stops, at) for person in plain}
        for few in (False, True):
            rows = decision.decide(context, every_code=True, few=few).values("pk", *decision.asked())
            assert {row["pk"]: [rule.code for rule in decision.applying(row)] for row in rows} == expected
        few_judged = decision.decide(context, few=True)
        assert {c.pk: c.refusal for c in few_judged} == {pk: c.refusal for pk, c in judged.items()}
        assert {pk: c.refusal for pk, c in judged.items()} == {pk: (codes or [""])[0] for pk, codes in expected.items()}
        for person in plain:
            consent = person.consent
            assert judged[person.id].consent_id == (consent.id if consent else None)
            assert judged[person.id].proof_id == (consent.proof.id if consent and consent.proof else None)
        tally = Counter((codes or ["allowed"])[0] for codes in expected.values())
        assert {code: n for code, n in decision.counts(context).items() if n} == dict(tally)
        one = decision.decide(context, Contact.objects.filter(pk=plain[0].id)).get()
        assert one.refusal == judged[plain[0].id].refusal
        transaction.set_rollback(True)


def test_the_model_knows_every_code_in_the_order_of_the_decision() -> None:
    assert tuple(rule.code for rule in decision.RULES[: len(model.CODES)]) == model.CODES


def refusal(contact: Contact, purpose: Any, at: datetime) -> str:
    return decision.decide(decision.context_for(purpose, at)).get(pk=contact.pk).refusal


def test_a_consent_ends_at_the_very_moment_it_expires(clock: Any) -> None:
    consent = factories.consent()
    Consent.objects.update(last_used_at=consent.effective_at)
    end = consent.expires_at
    assert end is not None
    assert refusal(consent.contact, consent.purpose, end - TICK) == ""
    assert refusal(consent.contact, consent.purpose, end) == "expired"
    assert refusal(consent.contact, consent.purpose, end + TICK) == "expired"


def test_a_consent_does_not_exist_before_the_person_gave_it(clock: Any) -> None:
    consent = factories.consent()
    assert refusal(consent.contact, consent.purpose, consent.effective_at - TICK) == "no_consent"
    assert refusal(consent.contact, consent.purpose, consent.effective_at) == ""


def test_a_material_version_counts_from_its_publication_on(clock: Any, acting: None) -> None:
    consent = factories.consent()
    published = NOW + timedelta(days=1)
    factories.notice(consent.purpose, material_change=True, published_at=published)
    assert refusal(consent.contact, consent.purpose, published - TICK) == ""
    assert refusal(consent.contact, consent.purpose, published) == "renewal_needed"


def test_an_editorial_version_changes_nothing(clock: Any) -> None:
    consent = factories.consent()
    factories.notice(consent.purpose)
    assert refusal(consent.contact, consent.purpose, NOW) == ""


def test_us_marketing_on_a_spoken_yes_is_refused_even_if_it_got_into_the_records(clock: Any, acting: None) -> None:
    offers = factories.purpose("offers", kind="recruitment")
    spoken = factories.contact(country="US")
    written = factories.contact(country="US")
    transitions.record_answer(spoken, offers, factories.act(offers, method="verbal"))
    transitions.record_answer(written, offers, factories.act(offers))
    assert refusal(spoken, offers, NOW) == ""
    offers.kind = "marketing"
    offers.save()
    assert refusal(spoken, offers, NOW) == "proof_too_weak"
    assert refusal(written, offers, NOW) == ""


@pytest.mark.parametrize(
    ("scope", "asked_refused", "sister_refused", "other_refused"),
    [("all", True, True, True), ("brand", True, True, False), ("purpose", True, False, False)],
)
def test_a_stop_reaches_as_far_as_its_scope(
    clock: Any, acting: None, scope: str, asked_refused: bool, sister_refused: bool, other_refused: bool
) -> None:
    brand, other_brand = factories.brand(), factories.brand("mercato")
    asked, sister = factories.purpose(of=brand), factories.purpose("sister", of=brand)
    other = factories.purpose("offers", of=other_brand)
    contact = factories.contact()
    for purpose in (asked, sister, other):
        transitions.record_answer(contact, purpose, factories.act(purpose))
    transitions.withdraw(contact, asked, factories.act(asked, "no", captured_at=NOW), scope=scope)
    refused = {p.slug: refusal(contact, p, NOW) == "suppressed" for p in (asked, sister, other)}
    assert refused == {"job-alerts": asked_refused, "sister": sister_refused, "offers": other_refused}


def test_a_suppression_made_without_a_contact_holds_for_a_contact_made_later(clock: Any, acting: None) -> None:
    purpose = factories.purpose()
    number = factories.number()
    doors.suppress(number.e164, reason="stop", since=NOW)
    contact, _new = doors.register(number)
    assert refusal(contact, purpose, NOW) == "suppressed"


def test_a_suppression_under_an_older_key_still_holds(clock: Any, acting: None, settings: Any) -> None:
    import base64

    purpose = factories.purpose()
    number = factories.number()
    doors.suppress(number.e164, reason="stop", since=NOW)
    settings.SUPPRESSION_KEYS = f"new:{base64.b64encode(b'k' * 32).decode()},{settings.SUPPRESSION_KEYS}"
    contact, _new = doors.register(number)
    assert refusal(contact, purpose, NOW) == "suppressed"


def test_counts_are_one_query_whatever_the_number_of_people(clock: Any, django_assert_num_queries: Any) -> None:
    consent = factories.consent()
    for expected in (1, 3):
        context = decision.context_for(consent.purpose, NOW)
        with django_assert_num_queries(3):  # with the sending windows and the places there are
            assert decision.counts(context) == {"allowed": expected}
        factories.consent()
        factories.consent()
