"""The contact pages, through the admin."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from consent.contacts.models import Contact, Export, Tag
from consent.ledger.models import Consent, Proof, Purpose
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "/admin/contacts/contact/"


def page(name: str, contact: Contact) -> str:
    return reverse(f"admin:contacts_contact_{name}", args=[contact.pk])


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def form_of(contact: Contact, **changes: Any) -> dict[str, Any]:
    """What the browser sends when an officer saves the page."""
    stands = {
        name: getattr(contact, name)
        for name in ("name", "email", "kind", "language", "preferred_channel", "known_zone", "source", "external_id")
    }
    return {**stands, "max_per_week": contact.max_per_week or "", "tags": [], **changes}


# --- the list ---------------------------------------------------------------------------------------


def test_list_shows_who_may_be_texted_under_a_fixed_number_of_queries(
    officer: Any, sign_in: Any, django_assert_num_queries: Any
) -> None:
    consent = factories.consent(factories.contact("Ada Prova"))
    factories.purpose("interview-reminders")
    client = sign_in(officer)
    client.get(LIST)
    with django_assert_num_queries(17):
        body = text(client.get(LIST))
    assert "Ada Prova" in body and consent.purpose.name in body
    assert consent.contact.number in body
    factories.consent(factories.contact("Refuses"), consent.purpose, status="refused")
    factories.contact("Never asked")
    with django_assert_num_queries(17):
        body = text(client.get(LIST))
    assert body.count(f'badge--ok">{consent.purpose.name}') == 1
    assert body.count('badge--muted">nothing') == 2


@pytest.mark.parametrize("purposes", [1, 4])
def test_contact_page_query_count_does_not_grow_with_purposes(
    officer: Any, sign_in: Any, django_assert_num_queries: Any, purposes: int
) -> None:
    contact = factories.contact()
    for n in range(purposes):
        factories.consent(contact, factories.purpose(f"purpose-{n}"))
    client = sign_in(officer)
    client.get(page("change", contact))
    with django_assert_num_queries(24):
        body = text(client.get(page("change", contact)))
    assert body.count("May be texted") == purposes


def test_filters_narrow_the_list(officer: Any, sign_in: Any) -> None:
    given = factories.consent(factories.contact("Given Person", country="FR", source="fair"))
    tag = Tag.objects.create(name="Milano")
    given.contact.tags.add(tag)
    stopped = factories.consent(factories.contact("Stopped Person"), given.purpose, status="withdrawn").contact
    factories.contact("Restricted Person", restricted_since=timezone.now())
    factories.contact("Held Person", held_since=timezone.now())
    client = sign_in(officer)
    for query, name in {
        "country=FR": "Given Person",
        "source=fair": "Given Person",
        f"tag={tag.pk}": "Given Person",
        "consent=given": "Given Person",
        "consent=withdrawn": stopped.name,
        "suppressed=1": stopped.name,
        "restricted=1": "Restricted Person",
        "held=1": "Held Person",
    }.items():
        found = client.get(f"{LIST}?{query}").context["cl"].result_list
        assert [contact.name for contact in found] == [name], query
    year = timezone.localdate().year
    assert client.get(f"{LIST}?created_at__year={year}").context["cl"].result_count == 4
    assert client.get(f"{LIST}?created_at__year={year - 1}").context["cl"].result_count == 0


def test_free_lookups_are_refused_since_they_spell_out_masked_numbers(recruiter: Any, sign_in: Any) -> None:
    factories.contact()
    client = sign_in(recruiter)
    for query in ("phone__startswith=%2B39", "email__contains=a", "phone_digest__gt=0"):
        assert client.get(f"{LIST}?{query}").status_code == 400
    by_number = client.get(f"{LIST}?o=2").context["cl"].queryset.query.order_by
    assert by_number == ("-id",)


# --- search -----------------------------------------------------------------------------------------


def search(client: Any, typed: str) -> list[str]:
    """Search as the box does: by POST, following to the sealed address."""
    response = client.post(LIST, {"q": typed})
    assert response.status_code == 302
    assert typed not in response["Location"]
    return [contact.name for contact in client.get(response["Location"]).context["cl"].result_list]


def test_search_finds_however_it_is_typed(officer: Any, sign_in: Any) -> None:
    factories.contact("Zoë D'Ångelo", typed="+39 312 345 6789", external_id="ATS-77")
    factories.contact("Somebody Else", typed="+39 312 345 6780")
    client = sign_in(officer)
    for typed in (
        *("+39 312 345 6789", "3123456789", "0039 312 3456789", "312-345.6789", "(+39) 312 3456789"),
        *("zoe", "angelo zo", "ANGELO", "ATS-77"),
    ):
        assert search(client, typed) == ["Zoë D'Ångelo"], typed
    assert len(search(client, "+39312345")) == 2
    assert search(client, "nobody") == []


def test_a_term_typed_into_the_address_works_and_goes_on_sealed(officer: Any, sign_in: Any) -> None:
    factories.contact("Ada Prova", typed="+39 312 345 6789")
    factories.contact("Other")
    response = sign_in(officer).get(LIST, {"q": "3123456789"})
    changelist = response.context["cl"]
    assert [contact.name for contact in changelist.result_list] == ["Ada Prova"]
    assert "3123456789" not in changelist.get_query_string({"kind__exact": "customer"})


def test_search_keeps_the_filters(officer: Any, sign_in: Any) -> None:
    response = sign_in(officer).post(f"{LIST}?kind__exact=applicant&p=3", {"q": "ada"})
    assert "kind__exact=applicant" in response["Location"]
    assert "p=3" not in response["Location"]


def test_recruiters_find_only_complete_numbers(recruiter: Any, sign_in: Any) -> None:
    factories.contact("Ada Prova", typed="+39 312 345 6789")
    client = sign_in(recruiter)
    assert search(client, "312 345 6789") == ["Ada Prova"]
    assert search(client, "+39312345") == []
    assert search(client, "ada") == ["Ada Prova"]


# --- masking ----------------------------------------------------------------------------------------


def test_recruiters_see_numbers_masked_outside_their_own_records(recruiter: Any, sign_in: Any) -> None:
    theirs = factories.contact("Their Own", typed="+39 312 345 6701", created_by=recruiter)
    recorded = factories.contact("Recorded By Them", typed="+39 312 345 6702")
    factories.consent(recorded, recorded_by_user=recruiter)
    foreign = factories.contact("Foreign", typed="+39 312 345 6703", email="foreign@example.org")
    with factories.acting():
        foreign.email = "foreign.new@example.org"
        foreign.save()
    client = sign_in(recruiter)
    body = text(client.get(LIST))
    assert theirs.number in body and recorded.number in body
    assert foreign.number not in body and "+39 ••• •• 03" in body
    for name in ("change", "history"):
        body = text(client.get(page(name, foreign)))
        assert "Foreign" in body
        assert foreign.number not in body and foreign.phone.as_e164 not in body and "345 6703" not in body
        assert "foreign@" not in body and "foreign.new@" not in body
        assert theirs.number in text(client.get(page(name, theirs)))


def test_auditors_see_whole_numbers_and_change_nothing(auditor: Any, sign_in: Any) -> None:
    contact = factories.contact()
    client = sign_in(auditor)
    assert contact.number in text(client.get(page("change", contact)))
    assert contact.number in text(client.get(page("history", contact)))
    assert client.post(page("change", contact), form_of(contact, name="Other")).status_code == 403
    assert client.get(page("change_number", contact)).status_code == 403
    assert client.get(f"{LIST}export/").status_code == 403
    contact.refresh_from_db()
    assert contact.name == "Ada Prova"


@pytest.mark.parametrize("who", ["officer", "recruiter", "auditor", "superuser"])
def test_nobody_deletes_a_contact_here(who: str, request: pytest.FixtureRequest, sign_in: Any) -> None:
    contact = factories.contact()
    client = sign_in(request.getfixturevalue(who))
    assert client.post(page("delete", contact), {"post": "yes"}).status_code == 403
    assert Contact.objects.filter(pk=contact.pk).exists()


def test_campaign_managers_see_no_persons(manager: Any, sign_in: Any) -> None:
    contact = factories.contact()
    client = sign_in(manager)
    for url in (LIST, page("change", contact), page("history", contact)):
        assert client.get(url).status_code == 403


# --- the page ---------------------------------------------------------------------------------------


def test_page_tells_why_and_offers_legal_moves_only(officer: Any, sign_in: Any) -> None:
    given = factories.consent()
    ended = factories.consent(given.contact, factories.purpose("interview-reminders"), status="withdrawn")
    body = text(sign_in(officer).get(page("change", given.contact)))
    assert "May be texted" in body and "May not be texted" in body
    assert "The person withdrew the consent." in body and "RULES C6" in body
    assert "This person opted out." in body
    for move in ("withdraw", "revoke", "invalidate"):
        assert reverse(f"admin:ledger_consent_{move}", args=[given.pk]) in body
        assert reverse(f"admin:ledger_consent_{move}", args=[ended.pk]) not in body
    assert reverse("admin:ledger_proof_change", args=[given.proof_id]) in body
    assert reverse("admin:record") in body


def test_recruiters_get_no_moves(recruiter: Any, sign_in: Any) -> None:
    given = factories.consent()
    body = text(sign_in(recruiter).get(page("change", given.contact)))
    assert reverse("admin:ledger_consent_withdraw", args=[given.pk]) not in body
    assert "Change the number" not in body
    assert 'name="_save"' not in body


def test_timeline_tells_everything_newest_first_and_is_paginated(officer: Any, sign_in: Any, clock: Any) -> None:
    consent = factories.consent(status="withdrawn")
    contact = consent.contact
    clock.shift(timedelta(hours=1))
    with factories.acting("the person called"):
        contact.refresh_from_db()
        contact.email = "ada@example.org"
        contact.save()
    client = sign_in(officer)
    told = client.get(page("change", contact)).context["timeline"]
    titles = [event.title for event in told]
    assert titles[0] == "Details changed"
    assert told[0].reason == "the person called" and told[0].changes[0]["new"] == "ada@example.org"
    assert f"Withdrawn: {consent.purpose}" in titles and f"Given: {consent.purpose}" in titles
    assert f"Opted out: {consent.purpose}" in titles and "Put on record" in titles
    with factories.acting():
        for n in range(25):
            contact.name = f"Ada {n}"
            contact.save()
    first = client.get(page("change", contact)).context
    second = client.get(page("change", contact), {"p": "2"}).context
    assert len(first["timeline"]) == 20 and first["timeline_more"]
    assert not second["timeline_more"] and second["timeline"][-1].title in (
        "Put on record",
        f"Given: {consent.purpose}",
    )
    assert client.get(page("change", contact), {"p": "9999999999999"}).status_code == 200


def test_a_save_writes_one_history_row_with_actor_and_reason(officer: Any, sign_in: Any) -> None:
    contact = factories.contact()
    client = sign_in(officer)
    url = page("change", contact)
    assert client.post(url, form_of(contact, name="Ada Nuova", _reason="she married")).status_code == 302
    row = contact.history.first()
    assert contact.history.count() == 2
    assert (row.name, row.actor, row.history_change_reason) == ("Ada Nuova", "officer", "she married")
    contact.refresh_from_db()
    assert client.post(url, form_of(contact)).status_code == 302
    tag = Tag.objects.create(name="Milano")
    assert client.post(url, form_of(contact, tags=[tag.pk])).status_code == 302
    assert list(contact.tags.all()) == [tag]
    assert contact.history.count() == 3
    assert contact.history.first().history_change_reason == "Changed in the admin · Tags: – → Milano"


# --- adding and changing the number -----------------------------------------------------------------


def test_adding_shows_an_existing_contact_instead_of_a_duplicate(officer: Any, sign_in: Any) -> None:
    client = sign_in(officer)
    assert "Being on record is not consent" in text(client.get(f"{LIST}add/"))
    typed = {"number": "312 345 6789", "name": "Ada", "kind": "customer", "language": "it"}
    response = client.post(f"{LIST}add/", {**typed, "_reason": "came to the store"})
    contact = Contact.objects.get()
    assert response["Location"] == page("change", contact)
    assert contact.phone.as_e164 == "+393123456789" and contact.created_by == officer
    assert contact.history.get().history_change_reason == "came to the store"
    assert not Consent.objects.exists()
    again = client.post(f"{LIST}add/", {**typed, "number": "+39 312 3456789", "name": "Somebody Else"})
    assert again["Location"] == page("change", contact)
    assert Contact.objects.get().name == "Ada" and contact.history.count() == 1
    refused = client.post(f"{LIST}add/", {**typed, "number": "06 6988 1234"})
    assert "is a landline" in text(refused)


def test_changing_the_number_warns_first_then_revokes(officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    other = factories.contact("Other")
    contact, url = consent.contact, page("change_number", consent.contact)
    client = sign_in(officer)
    assert "New mobile number" in text(client.get(url))
    assert "Another contact has this number already" in text(client.post(url, {"number": other.number}))
    warning = text(client.post(url, {"number": "312 999 8888"}))
    assert str(consent) in warning
    contact.refresh_from_db()
    assert contact.number != "+39 312 999 8888"
    missing = text(client.post(url, {"number": "312 999 8888", "reason": ""}))
    assert "This field is required" in missing
    done = client.post(url, {"number": "312 999 8888", "reason": "she called from it"})
    assert done["Location"] == page("change", contact)
    contact.refresh_from_db()
    consent.refresh_from_db()
    assert contact.number == "+39 312 999 8888" and consent.status == "revoked"
    for row in (contact.history.first(), consent.history.first()):
        assert (row.actor, row.history_change_reason) == ("officer", "she called from it")


# --- export -----------------------------------------------------------------------------------------


def test_export_streams_what_is_filtered_and_is_logged(officer: Any, sign_in: Any) -> None:
    factories.contact("=HYPERLINK(1)", kind="applicant", typed="+39 312 345 6789")
    factories.contact("Customer")
    factories.contact("Restricted", kind="applicant", restricted_since=timezone.now())
    client = sign_in(officer)
    sealed = client.post(f"{LIST}?kind__exact=applicant", {"q": ""})["Location"].partition("?")[2]
    url = f"{LIST}export/?{sealed}"
    asked = client.get(url)
    assert asked.context["count"] == 1 and asked.context["left_out"] == 1
    assert client.post(url, {"reason": ""}).context["form"].errors
    assert not Export.objects.exists()
    response = client.post(url, {"reason": "the authority asked"})
    rows = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == 2 and "'=HYPERLINK(1)" in rows[1] and "'+393123456789" in rows[1]
    log = Export.objects.get()
    assert (log.rows, log.reason, log.by, log.filters) == (1, "the authority asked", "officer", "kind: Applicant")


def test_export_log_never_keeps_the_search_term(officer: Any, sign_in: Any) -> None:
    factories.contact("Ada Prova", typed="+39 312 345 6789")
    client = sign_in(officer)
    query = client.post(LIST, {"q": "312 345 6789"})["Location"].partition("?")[2]
    assert client.post(f"{LIST}export/?{query}", {"reason": "asked"}).status_code == 200
    assert Export.objects.get().rows == 1
    assert Export.objects.get().filters == "search term (not kept)"


@pytest.mark.parametrize("who", ["recruiter", "manager", "auditor"])
def test_only_officers_export(who: str, request: pytest.FixtureRequest, sign_in: Any) -> None:
    factories.contact()
    client = sign_in(request.getfixturevalue(who))
    assert client.get(f"{LIST}export/").status_code == 403
    assert client.post(f"{LIST}export/", {"reason": "mine"}).status_code == 403
    assert not Export.objects.exists()


def test_proof_without_effect_is_on_the_timeline(officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    with factories.acting():
        act = factories.act(consent.purpose, method="web_form")
        act.proof(consent.contact, Purpose.objects.get()).save()
    assert Proof.objects.count() == 2
    told = sign_in(officer).get(page("change", consent.contact)).context["timeline"]
    assert [event.title for event in told].count(f"Proof recorded: {consent.purpose}") == 1


def test_the_tab_of_the_browser_names_nobody(officer: Any, sign_in: Any) -> None:
    consent = factories.consent()
    client, person = sign_in(officer), consent.contact
    pages = [page(name, person) for name in ("change", "history", "change_number")]
    for url in (*pages, reverse("admin:ledger_consent_change", args=[consent.pk])):
        html = client.get(url).content.decode()
        title = html[html.index("<title>") : html.index("</title>")]
        assert "Ada" in html and "Ada" not in title, url
