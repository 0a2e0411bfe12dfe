"""What texts say: placeholders, the way out, the privacy link, and what the software writes by itself (RULES §7)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from campaigns import keywords, segments, wording
from campaigns.models import Sender
from campaigns.wording import UnfitText, fill, names, problems, render, system_text
from consent.contacts.models import Contact
from consent.ledger.models import Brand, Consent, Notice, Proof, Purpose
from tests import factories

LANGUAGES = [code for code, _name in settings.LANGUAGES]
POLICY = "https://example.org/privacy"
YES = {"en": "YES", "it": "SI", "de": "JA", "pt": "SIM", "es": "SI", "gl": "SI", "fr": "OUI"}
HELP = {"en": "HELP", "it": "AIUTO", "de": "HILFE", "pt": "AJUDA", "es": "AYUDA", "gl": "AXUDA", "fr": "AIDE"}


def brand(**fields: Any) -> Brand:
    """Unsaved; its policy as if it were published."""
    made = Brand(
        **{"name": "Officina Verdi", "slug": "officina", "contact": "privacy@example.org", "zone": "Europe/Rome"}
        | fields
    )
    made.__dict__["_policies"] = {"": POLICY}
    return made


def purpose(of: Brand, **fields: Any) -> Purpose:
    return Purpose(**{"brand": of, "name": "Job alerts", "kind": "recruitment", "max_per_week": 2} | fields)


def two_way(of: Brand) -> Sender:
    return Sender(brand=of, type="short_code", address="36123", two_way=True, kinds=["recruitment"])


def one_way(of: Brand) -> Sender:
    return Sender(brand=of, type="alphanumeric", address="OFFICINA", two_way=False, stop_sender=two_way(of))


def texted(body: str, name: str = "Ada Prova", *, language: str = "en", **how: Any) -> str:
    of = brand()
    contact = Contact(name=name, language=language)
    given = {"sender": two_way(of), "purpose": purpose(of), "language": "en", "first": False} | how
    return render(body, contact=contact, **given)


# --- placeholders ----------------------------------------------------------------------------------------------


def test_every_placeholder_is_filled() -> None:
    assert texted("{brand}: ciao {first_name} ({name}), see {privacy}") == (
        "Officina Verdi: ciao Ada (Ada Prova), see https://example.org/privacy\nReply STOP to opt out."
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Hi {first_name}, new jobs.", "Hi, new jobs."),
        ("Hi {first_name}!", "Hi!"),
        ("{first_name}, new jobs.", "New jobs."),
        ("Hello. {first_name}, new jobs.", "Hello. New jobs."),
        ("New jobs, {first_name}.", "New jobs."),
        ("New jobs, {first_name}", "New jobs"),
        ("Thanks, {first_name}, for coming", "Thanks, for coming"),
        ("Bonjour {first_name} !", "Bonjour !"),
        ("Hi {first_name}\nnew jobs", "Hi\nnew jobs"),
        ("For {name} from us", "For from us"),
    ],
)
def test_without_a_name_the_sentence_stays_whole(body: str, said: str) -> None:
    assert texted(body, "") == f"{said}\nReply STOP to opt out."


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{surname}", "{surname}"),
        ("{name.__class__}", "{name.__class__}"),
        ("{name!r:>9}", "{name!r:>9}"),
        ("{0}", "{0}"),
        ("{}", "{}"),
        ("{First Name}", "{first_name} instead of {First Name}"),
        ("a { b", "stands alone"),
        ("a } b", "stands alone"),
        ("{{name}}", "stands alone"),
    ],
)
def test_what_is_no_placeholder_is_explained_and_never_sent(body: str, named: str) -> None:
    (sentence,) = problems(body)
    assert named in sentence
    with pytest.raises(UnfitText, match="name"):
        texted(body)


def test_what_a_name_contains_is_never_read_as_a_placeholder() -> None:
    assert texted("Hi {first_name}", "{brand} Prova").startswith("Hi {brand}\n")
    assert fill("{a}{b}", {"a": "{b}", "b": "{a}"}) == "{b}{a}"


@pytest.mark.parametrize(
    ("name", "first", "whole"),
    [
        ("Ada Prova", "Ada", "Ada Prova"),
        ("Prova, Ada Maria", "Ada", "Ada Maria Prova"),
        ("Dr. Ada Prova", "Ada", "Dr. Ada Prova"),
        ("J.R. Smith", "Smith", "J.R. Smith"),
        ("  Ada\n\r\tProva\x00\u202e\u200b ", "Ada", "Ada Prova"),
        ("Ada\u2028Prova", "Ada", "Ada Prova"),
        ("win-money.com", "", ""),
        ("Ada https://x.example", "", ""),
        ("ada@example.org", "", ""),
        ("evil。com", "", ""),
        ("evil．com", "", ""),
        ("evil․com", "", ""),
        ("evil｡com", "", ""),
        ("+447700900123", "", ""),
        ("Call ٠٧٧٠٠", "", ""),
        ("Ada 1234", "", ""),
        ("Ada 123", "Ada", "Ada 123"),
        ("Ada。", "Ada。", "Ada。"),
        ("A" * 30, "A" * 30, "A" * 30),
        ("A" * 31, "", "A" * 31),
        ("Ada " + "B" * 57, "Ada", ""),
        ("", "", ""),
    ],
)
def test_names_are_names(name: str, first: str, whole: str) -> None:
    assert names(Contact(name=name)) == {"first_name": first, "name": whole}


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_no_name_breaks_a_text(name: str) -> None:
    said = texted("{brand}: hi {first_name}, {name}. New jobs.", name)
    assert said.startswith("Officina Verdi: hi")
    assert said.endswith("New jobs.\nReply STOP to opt out.")
    assert said.count("\n") == 1
    assert "\x00" not in said


# --- what is added ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_way_out_is_added_in_the_language_of_the_person(language: str) -> None:
    said = texted("Hello", language=language)
    assert said.splitlines()[0] == "Hello"
    assert "STOP" in said
    assert "36123" not in said
    of = brand()
    from_a_name = texted("Hello", language=language, sender=one_way(of))
    assert "STOP" in from_a_name
    assert "36123" in from_a_name
    assert len(from_a_name) > len(said)
    assert segments.measure(said + from_a_name).encoding == "GSM-7"


def test_the_first_text_links_to_the_privacy_policy_once() -> None:
    assert texted("Hello", first=True) == f"Hello\nPrivacy: {POLICY}\nReply STOP to opt out."
    assert texted("See {privacy}", first=True).count(POLICY) == 1
    assert POLICY not in texted("Hello")


def test_a_language_without_words_gets_english() -> None:
    assert texted("Hello", language="xx").endswith("Reply STOP to opt out.")
    assert wording.opt_out_line("pt-br", two_way(brand())) == "Responda STOP para cancelar."
    assert wording.opt_out_line("xx", two_way(brand())) == "Reply STOP to opt out."


def test_every_language_has_the_same_words() -> None:
    assert wording.languages() == set(LANGUAGES)
    kept = {k for k in wording._texts("en") if k != "months"}
    for language in LANGUAGES:
        found = wording._texts(language)
        assert {k for k in found if k != "months"} == kept
        for table in ("how", "texts"):
            assert set(found[table]) == set(wording._texts("en")[table])
        for key, template in wording._texts("en")["texts"].items():
            asked = set(wording._BRACED.findall(template))
            assert set(wording._BRACED.findall(found["texts"][key])) == asked, (language, key)


def test_the_words_asked_for_are_understood_when_they_come_back() -> None:
    """RULES §6: what a text asks people to write, the inbound side must know."""
    for language in LANGUAGES:
        texts = wording._texts(language)
        assert (texts["yes"], texts["help_word"]) == (YES[language], HELP[language])
        assert keywords.classify(YES[language]).meaning == "yes"
        assert keywords.classify(HELP[language]).meaning == "help"


@pytest.mark.django_db
def test_the_newest_published_policy_in_the_language_else_in_any() -> None:
    of = factories.brand()
    assert wording.privacy_address(of, "it") == ""
    for language, url, fields in [
        ("en", "https://example.org/en", {}),
        ("it", "https://example.org/it-1", {}),
        ("it", "https://example.org/it-2", {}),
        ("de", "https://example.org/draft", {"published": False}),
    ]:
        factories.policy(of, language, url=url, **fields)
    of = Brand.objects.get()
    assert wording.privacy_address(of, "it") == "https://example.org/it-2"
    assert wording.privacy_address(of, "en") == "https://example.org/en"
    assert wording.privacy_address(of, "de") == "https://example.org/it-2"


@pytest.mark.django_db
def test_thousands_of_texts_ask_once_for_the_policy(django_assert_num_queries: Any) -> None:
    topic = factories.purpose()
    factories.policy(topic.brand)
    sender = Sender.objects.select_related("brand").get(pk=factories.sender().pk)
    with django_assert_num_queries(1):
        for _n in range(3):
            render("Hi", contact=Contact(language="en"), sender=sender, purpose=topic, language="en", first=True)


# --- what the software says by itself --------------------------------------------------------------------------


def agreed(to: Purpose, *, method: str = "web_form", notice: Notice | None = None) -> Consent:
    """Half past midnight in Rome is still the day before in UTC."""
    return Consent(
        purpose=to,
        effective_at=datetime(2026, 3, 4, 23, 30, tzinfo=UTC),
        expires_at=datetime(2028, 3, 4, 23, 30, tzinfo=UTC),
        proof=Proof(method=method, notice=notice),
    )


# What RULES §7 asks of each kind, besides the brand.
ASKED = {
    "double_opt_in": ("yes", "stop", "purpose"),
    "welcome": ("help", "stop", "purpose", "frequency", "policy"),
    "reconfirmation": ("yes", "stop", "purpose", "when"),
    "renewal": ("yes", "stop", "purpose", "until"),
    "help": ("stop", "contact"),
    "opt_out": (),
}
DATES = {"en": "5 Mar {}", "de": "5.3.{}"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ASKED)
def test_each_text_says_what_it_must_and_nothing_else(kind: str, language: str) -> None:
    of = brand()
    to = purpose(of)
    pieces = {
        "yes": YES[language],
        "help": HELP[language],
        "stop": "STOP",
        "purpose": "Job alerts",
        "frequency": "2 ",
        "policy": POLICY,
        "contact": "privacy@example.org",
        "when": DATES.get(language, "5/3/{}").format(2026),
        "until": DATES.get(language, "5/3/{}").format(2028),
    }
    for sender in (two_way(of), one_way(of)):
        said = system_text(kind, language, sender=sender, purpose=to, consent=agreed(to))
        assert said.startswith("Officina Verdi")
        for name in ASKED[kind]:
            assert pieces[name] in said, name
        for name in set(pieces) - set(ASKED[kind]) - {"frequency"}:
            assert pieces[name] not in said.split(), name
        if kind == "opt_out":
            assert not {"http", "STOP", "36123", "@", "\n"} & set(said.split()) and "://" not in said
        elif not sender.two_way:
            assert "36123" in said
            assert str(wording._texts(language)["no_replies"]) in said
        found = segments.measure(said)
        assert found.encoding == "GSM-7"
        assert found.parts <= 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "method", ["web_form", "application", "keyword", "verbal", "paper", "email_reply", "relationship"]
)
def test_a_reconfirmation_says_how_they_opted_in(language: str, method: str) -> None:
    of = brand()
    to = purpose(of)
    said = system_text("reconfirmation", language, sender=two_way(of), consent=agreed(to, method=method))
    assert wording._texts(language)["how"][method] in said
    assert segments.measure(said).parts <= 2


def test_a_welcome_repeats_the_frequency_the_person_was_told_in_their_language() -> None:
    of = brand()
    to = purpose(of, max_per_week=3)
    told = agreed(to, notice=Notice(purpose=to, language="it", frequency="una volta al mese."))
    assert "Job alerts, una volta al mese. Rispondi" in system_text("welcome", "it", sender=two_way(of), consent=told)
    assert "Job alerts, up to 3 a week. Reply" in system_text("welcome", "en", sender=two_way(of), consent=told)


def test_an_opt_out_confirmation_names_the_purpose_only_where_a_stop_ends_just_that() -> None:
    everything, narrow = brand(), brand(stop_scope="purpose")
    assert "Job alerts" not in system_text("opt_out", "en", sender=two_way(everything), purpose=purpose(everything))
    assert "Job alerts" in system_text("opt_out", "en", sender=two_way(narrow), purpose=purpose(narrow))
    assert "from us" in system_text("opt_out", "en", sender=two_way(narrow))


@pytest.mark.parametrize("kind", ["double_opt_in", "welcome", "reconfirmation", "renewal"])
def test_a_text_about_a_consent_is_not_made_without_it(kind: str) -> None:
    with pytest.raises(UnfitText, match="needs the"):
        system_text(kind, "en", sender=two_way(brand()))
    of = brand()
    if kind in ("reconfirmation", "renewal"):
        with pytest.raises(UnfitText, match="consent"):
            system_text(kind, "en", sender=two_way(of), purpose=purpose(of))


def test_names_of_brand_and_purpose_cannot_break_out() -> None:
    of = brand(name="Offi\ncina {contact}")
    said = system_text("double_opt_in", "en", sender=two_way(of), purpose=purpose(of, name="{contact}\x00"))
    assert said.startswith("Offi cina {contact}: you asked for texts about {contact}.")
