"""The recruiter's page through the door a recruiter uses."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.contacts import doors
from consent.contacts.models import Contact
from consent.ledger.models import Consent, Proof, Purpose
from consent.ledger.recording import recorder
from tests import factories, files

pytestmark = pytest.mark.django_db
NUMBER = "312 345 6789"
E164 = "+393123456789"


@pytest.fixture
def alerts() -> Purpose:
    purpose = factories.purpose()
    factories.policy(purpose.brand)
    factories.notice(purpose)
    factories.notice(purpose, "it", text="Parole in italiano")
    return purpose


@pytest.fixture
def offers() -> Purpose:
    purpose = factories.purpose("offers", of=factories.brand("mercato"), kind="marketing")
    factories.notice(purpose)
    return purpose


@pytest.fixture
def client(sign_in: Any, recruiter: AbstractUser) -> Client:
    return sign_in(recruiter)


def form_of(client: Client) -> dict[str, Any]:
    """What the page sends back when nothing was touched."""
    page = client.get(reverse("admin:record"))
    html = page.content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(token|shown|asked_in|brand)" value="([^"]*)"', html))
    chosen = {name: page.context["form"][name].value() or "" for name in ("country", "language", "kind", "place")}
    return hidden | chosen | {"method": page.context["form"]["method"].value() or ""}


def send(client: Client, answers: dict[Purpose, str], form: dict[str, Any] | None = None, **typed: Any) -> Any:
    body = (form or form_of(client)) | {"number": NUMBER, "name": "Zoë Prova", "method": "verbal"}
    body |= {"verbatim": "on", "place": "Job fair Milano", "save": "1"}
    body |= {f"answer_{p.pk}": answer for p, answer in answers.items()} | typed
    return client.post(reverse("admin:record"), {k: v for k, v in body.items() if v is not None})


def test_nothing_is_preselected_and_yes_stands_beside_no(client: Client, alerts: Purpose) -> None:
    html = client.get(reverse("admin:record")).content.decode()
    answers = re.findall(rf'<label><input type="radio" name="answer_{alerts.pk}" value="(\w+)"(.*?)>', html)
    assert [(value, rest) for value, rest in answers] == [("yes", ""), ("no", "")]


def test_a_spoken_yes_is_recorded_with_everything_its_proof_needs(
    client: Client, recruiter: AbstractUser, alerts: Purpose
) -> None:
    response = send(client, {alerts: "yes"})
    assert (response.status_code, response.url) == (302, reverse("admin:recorded"))
    contact = Contact.objects.get()
    assert (contact.phone.as_e164, contact.name, contact.created_by) == (E164, "Zoë Prova", recruiter)
    consent = Consent.objects.select_related("proof__notice", "proof__policy").get()
    proof = consent.proof
    assert consent.status == "given"
    assert (proof.method, proof.place, proof.read_verbatim) == ("verbal", "Job fair Milano", True)
    assert (proof.recorded_by, proof.recorded_by_user) == ("recruiter", recruiter)
    assert (proof.notice.purpose, proof.notice.language, proof.policy.brand) == (alerts, "en", alerts.brand)
    assert consent.history.get().actor == "recruiter"
    page = client.get(response.url).content.decode()
    assert "Zoë Prova" in page
    assert "Given" in page


def test_the_words_are_those_of_the_chosen_language(client: Client, alerts: Purpose) -> None:
    send(client, {alerts: "yes"}, language="it")
    assert Proof.objects.get().notice.language == "it"
    assert Contact.objects.get().language == "it"


def test_a_language_without_words_cannot_be_asked_in(client: Client, alerts: Purpose) -> None:
    response = send(client, {alerts: "yes"}, language="de")
    assert "no published words for this purpose in this language" in beside(response, f"answer_{alerts.pk}")
    assert not Contact.objects.exists()


def test_words_that_changed_meanwhile_must_be_read_again(client: Client, alerts: Purpose) -> None:
    form = form_of(client)
    factories.notice(alerts, text="Newer words")
    response = send(client, {alerts: "yes"}, form)
    assert "The words changed" in beside(response, f"answer_{alerts.pk}")
    assert not Proof.objects.exists()


def test_marketing_on_a_spoken_yes_waits_for_the_text(client: Client, offers: Purpose) -> None:
    page = client.get(send(client, {offers: "yes"}).url).content.decode()
    assert Consent.objects.get().status == "requested"
    assert "Nothing is sent until the person confirms by text" in page


def test_no_is_kept_as_refused_and_needs_neither_place_nor_tick(client: Client, alerts: Purpose) -> None:
    send(client, {alerts: "no"}, place="", verbatim=None)
    assert Consent.objects.get().status == "refused"


def test_questions_that_were_not_asked_leave_no_trace(client: Client, alerts: Purpose, offers: Purpose) -> None:
    send(client, {alerts: "yes"})
    assert [c.purpose for c in Consent.objects.all()] == [alerts]


def beside(response: Any, field: str) -> str:
    """The errors the page shows at a field."""
    assert response.status_code == 422
    return " ".join(response.context["form"].errors.get(field, []))


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"number": ""}, "number", "Type the person's mobile number."),
        ({"number": "02 1234 5678"}, "number", "landline"),
        ({"number": "abc"}, "number", "not a phone number"),
        ({"country": "ZZ"}, "country", "Choose a country."),
        ({"place": ""}, "place", "Write the place or event"),
        ({"verbatim": None}, "verbatim", "Read the words out exactly"),
        ({"method": ""}, "method", "Choose how the person answered"),
        ({"method": "paper"}, "photo", "Take a photo of the signed form"),
        ({"kind": ""}, "kind", "Choose what the person is"),
    ],
)
def test_errors_are_sentences_at_their_field_and_nothing_typed_is_lost(
    client: Client, alerts: Purpose, typed: dict, field: str, sentence: str
) -> None:
    response = send(client, {alerts: "yes"}, **typed)
    assert sentence in beside(response, field)
    html = response.content.decode()
    assert 'value="Zoë Prova"' in html
    assert re.search(rf'name="answer_{alerts.pk}" value="yes" checked', html)
    assert not Contact.objects.exists()


def test_nothing_answered_is_said(client: Client, alerts: Purpose) -> None:
    assert b"Choose Yes or No for at least one purpose" in send(client, {}).content


def test_all_answers_or_none(client: Client, alerts: Purpose, offers: Purpose) -> None:
    """The second is refused (marketing to the US needs writing), so the first is not recorded either."""
    response = send(client, {alerts: "yes", offers: "yes"}, number="+1 212 555 1234")
    assert "written consent" in beside(response, f"answer_{offers.pk}")
    assert not beside(response, f"answer_{alerts.pk}")
    assert not Contact.objects.exists()
    assert not Proof.objects.exists()


def test_a_signed_form_with_its_photo_is_paper(client: Client, alerts: Purpose) -> None:
    photo = SimpleUploadedFile("Zoë Prova.jpg", files.jpeg(), "image/jpeg")
    send(client, {alerts: "yes"}, method="paper", place="", verbatim=None, photo=photo)
    proof = Proof.objects.get()
    assert (proof.method, proof.file_type, len(proof.file_sha256)) == ("paper", "jpeg", 64)
    assert "Zo" not in proof.file.name
    assert proof.file.read() == files.jpeg()
    proof.file.close()


def stored_files() -> list[str]:
    try:
        folders, _files = default_storage.listdir("evidence")
    except FileNotFoundError:
        return []
    return [name for folder in folders for name in default_storage.listdir(f"evidence/{folder}")[1]]


def test_one_photo_serves_all_answers_of_the_form(client: Client, alerts: Purpose, offers: Purpose) -> None:
    send(client, {alerts: "yes", offers: "no"}, method="paper", photo=SimpleUploadedFile("a.jpg", files.jpeg()))
    assert len(stored_files()) == 1
    assert len(set(Proof.objects.values_list("file", flat=True))) == 1
    assert Proof.objects.count() == 2


def test_a_refused_answer_leaves_no_file(client: Client, alerts: Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        assert stored_files()
        raise recorder.NotRecorded({})

    monkeypatch.setattr(recorder, "record", refuse)
    send(client, {alerts: "yes"}, method="paper", photo=SimpleUploadedFile("a.jpg", files.jpeg()))
    assert not stored_files()


def test_a_file_that_is_not_what_it_says_is_refused_at_its_field(client: Client, alerts: Purpose) -> None:
    page = SimpleUploadedFile("form.png", b"<html><script>alert(1)</script>", "image/png")
    response = send(client, {alerts: "yes"}, method="paper", photo=page)
    assert "not a photo" in beside(response, "photo")
    both = {"photo": SimpleUploadedFile("a.jpg", files.jpeg()), "file": SimpleUploadedFile("b.jpg", files.jpeg())}
    assert "one file" in beside(send(client, {alerts: "yes"}, method="paper", **both), "file")


def test_the_same_form_twice_is_recorded_once(client: Client, alerts: Purpose) -> None:
    form = form_of(client)
    photo = {"method": "paper", "photo": SimpleUploadedFile("a.jpg", files.jpeg())}
    first = send(client, {alerts: "yes"}, form, **photo)
    again = send(client, {alerts: "yes"}, form, method="paper", photo=SimpleUploadedFile("a.jpg", files.jpeg()))
    assert first.url == again.url
    assert Proof.objects.count() == 1
    assert Consent.objects.get().history.count() == 1
    assert len(stored_files()) == 1


def test_two_at_once_are_recorded_once(client: Client, alerts: Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other request wrote its proof after this one looked: the database refuses the second."""
    form = form_of(client)
    send(client, {alerts: "yes"}, form)
    looks = iter([lambda acts: []])
    seen = recorder._seen
    monkeypatch.setattr(recorder, "_seen", lambda acts: next(looks, seen)(acts))
    assert send(client, {alerts: "yes"}, form).status_code == 302
    assert Consent.objects.get().history.count() == 1


def test_a_known_number_is_not_made_twice_and_shows_what_is_on_record(client: Client, alerts: Purpose) -> None:
    person = factories.contact("Ada Prova", typed=E164)
    factories.consent(person, alerts, status="refused")
    answer = client.post(reverse("admin:record_lookup"), {"number": NUMBER, "country": "IT"}).json()
    assert "+39 312 345 6789" in answer["person"]
    assert "Italy" in answer["person"]
    assert "already on record" in answer["person"]
    assert "Ada Prova" not in answer["person"]
    assert "The person said no" in answer["standings"][str(alerts.pk)]
    send(client, {alerts: "yes"})
    assert Contact.objects.get().name == "Ada Prova"
    answer = client.post(reverse("admin:record_lookup"), {"number": NUMBER, "country": "IT"}).json()
    assert "Ada Prova" in answer["person"]  # a record of the recruiter's own by now


def test_the_lookup_says_what_is_wrong_and_never_by_get(client: Client) -> None:
    assert client.get(reverse("admin:record_lookup"), {"number": NUMBER}).status_code == 405
    answer = client.post(reverse("admin:record_lookup"), {"number": "02 1234 5678", "country": "IT"}).json()
    assert "landline" in answer["error"]


def test_an_opted_out_person_needs_a_signed_form(client: Client, alerts: Purpose) -> None:
    person = factories.contact(typed=E164)
    factories.consent(person, alerts, status="withdrawn")
    answer = client.post(reverse("admin:record_lookup"), {"number": NUMBER, "country": "IT"}).json()
    assert "This number opted out" in answer["person"]
    assert "Have a form signed" in answer["standings"][str(alerts.pk)]
    response = send(client, {alerts: "yes"})
    assert "spoken yes does not lift" in beside(response, f"answer_{alerts.pk}")
    assert b"This number opted out" in response.content
    assert Consent.objects.get().status == "withdrawn"
    send(client, {alerts: "yes"}, method="paper", photo=SimpleUploadedFile("a.jpg", files.jpeg()))
    assert Consent.objects.get().status == "given"


def test_a_number_that_opted_out_without_a_contact_says_so(client: Client, alerts: Purpose, acting: None) -> None:
    doors.suppress(E164, reason="stop", since=factories.timezone.now())
    answer = client.post(reverse("admin:record_lookup"), {"number": NUMBER, "country": "IT"}).json()
    assert "It covers: everything" in answer["person"]
    assert "spoken yes" in beside(send(client, {alerts: "yes"}), f"answer_{alerts.pk}")


@pytest.mark.parametrize(("kind", "warned"), [("customer", False), ("applicant", True), ("employee", True)])
def test_those_who_depend_on_us_hear_that_they_are_free(
    client: Client, alerts: Purpose, kind: str, warned: bool
) -> None:
    html = client.post(reverse("admin:record"), form_of(client) | {"kind": kind, "show": "1"}).content.decode()
    assert ("data-freedom hidden" not in html) is warned


def test_without_javascript_another_language_is_shown_and_answers_are_taken_back(
    client: Client, alerts: Purpose
) -> None:
    form = form_of(client) | {"language": "it", "number": NUMBER, f"answer_{alerts.pk}": "yes", "show": "1"}
    html = client.post(reverse("admin:record"), form).content.decode()
    assert re.search(r'data-script="it">\s*<blockquote class="script" lang="it">Parole', html)
    assert 'data-script="en" hidden' in html
    assert not re.search(rf'name="answer_{alerts.pk}" value="yes" checked', html)
    assert "+39 312 345 6789" in html


def test_without_javascript_the_other_brand_is_shown_and_answers_stay(
    client: Client, alerts: Purpose, offers: Purpose
) -> None:
    form = form_of(client) | {f"answer_{alerts.pk}": "yes", "show_brand": offers.brand.slug}
    html = client.post(reverse("admin:record"), form).content.decode()
    assert f'data-brand="{alerts.brand.slug}" hidden' in html
    assert f'data-brand="{offers.brand.slug}">' in html
    assert re.search(rf'name="answer_{alerts.pk}" value="yes" checked', html)


def test_the_next_person_finds_place_language_brand_and_kind_set(
    client: Client, alerts: Purpose, offers: Purpose
) -> None:
    kept = {"language": "en", "kind": "applicant", "country": "DE", "brand": offers.brand.slug}
    response = send(client, {alerts: "yes"}, number="+39 312 345 6789", save=None, next="1", **kept)
    assert response.url == reverse("admin:record")
    page = client.get(response.url)
    html = page.content.decode()
    assert "Recorded: Zoë Prova" in html
    values = {name: page.context["form"][name].value() for name in ("place", "kind", "country", "number", "name")}
    assert values == {"place": "Job fair Milano", "kind": "applicant", "country": "DE", "number": None, "name": None}
    assert page.context["brand"] == offers.brand.slug
    assert "checked" not in html[html.index("data-question") : html.index('id="how"')]


def test_nothing_about_a_person_stays_in_the_session(client: Client, alerts: Purpose) -> None:
    send(client, {alerts: "yes"})
    assert E164[3:] not in str(dict(client.session))
    assert "Zo" not in str(dict(client.session))


@pytest.mark.parametrize("brands", [1, 3])
def test_the_page_costs_the_same_however_many_purposes(
    client: Client, brands: int, django_assert_num_queries: Any
) -> None:
    for index in range(brands):
        factories.notice(factories.purpose(of=factories.brand(f"brand-{index}")))
    client.get(reverse("admin:record"))
    with django_assert_num_queries(QUERIES):
        client.get(reverse("admin:record"))


QUERIES = 7  # session, user, permissions (2), purposes, notices, policies


def test_only_those_who_record_reach_the_page(
    sign_in: Any, officer: Any, manager: Any, auditor: Any, stranger: Any
) -> None:
    for user, status in [(officer, 200), (manager, 403), (auditor, 403), (stranger, 302)]:
        assert sign_in(user).get(reverse("admin:record")).status_code == status
        assert sign_in(user).post(reverse("admin:record_lookup"), {}).status_code == status
    assert Client().get(reverse("admin:record")).status_code == 302


def test_every_language_of_the_site_can_be_chosen(client: Client, alerts: Purpose) -> None:
    html = client.get(reverse("admin:record")).content.decode()
    assert [code for code, _name in settings.LANGUAGES] == re.findall(r'data-script="(\w+)"', html)


def test_a_page_brought_back_with_its_old_token_loses_neither_another_answer_nor_another_person(
    client: Client, alerts: Purpose
) -> None:
    form = form_of(client)
    for _twice in range(2):
        send(client, {alerts: "yes"}, form)
    assert Consent.objects.get().history.count() == 1
    send(client, {alerts: "no"}, form)
    assert Consent.objects.get().status == "withdrawn"
    send(client, {alerts: "yes"}, form, number="312 345 6780")
    assert list(Consent.objects.order_by("id").values_list("status", flat=True)) == ["withdrawn", "given"]
