"""Publishing asks for the whole call to action, once; what is published never changes (RULES §7, P8)."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from consent.core.errors import Immutable, NotPublishable
from consent.ledger import publishing, wording
from consent.ledger.models import Notice, PrivacyPolicy
from tests import factories

pytestmark = pytest.mark.django_db

POLICY_BODY = "Officina S.p.A. answers for your data. Write to privacy@example.org."
TEXTS = {
    "en": factories.CALL_TO_ACTION.format(brand="Officina", purpose="new jobs"),
    "it": "Officina ti invierà SMS con offerte di lavoro, al massimo 2 a settimana. Rispondi STOP per terminare, AIUTO "
    "per assistenza. Privacy: https://example.org/privacy. Il consenso non è una condizione per nulla.",
    "de": "Officina schickt dir SMS mit Stellenangeboten, höchstens 2 pro Woche. Antworte STOP zum Beenden, HILFE für "
    "Hilfe. Datenschutz: https://example.org/privacy. Die Zustimmung ist keine Bedingung.",
    "pt": "A Officina envia-lhe SMS com vagas de emprego, no máximo 2 por semana. Responda STOP para terminar, AJUDA "
    "para ajuda. Privacidade: https://example.org/privacy. O consentimento não é condição para nada.",
    "es": "Officina le enviará SMS con ofertas de empleo, como máximo 2 por semana. Responda STOP para terminar, AYUDA "
    "para ayuda. Privacidad: https://example.org/privacy. Su consentimiento no es condición de nada.",
    "gl": "Officina enviaralle SMS con ofertas de emprego, como máximo 2 por semana. Responda STOP para rematar, AXUDA "
    "para axuda. Privacidade: https://example.org/privacy. O consentimento non é condición de nada.",
    "fr": "Officina vous enverra des SMS sur des offres d’emploi, 2 par semaine au plus. Répondez STOP pour arrêter, "
    "AIDE pour de l’aide. Vie privée : https://example.org/privacy. Votre accord n’est pas une condition.",
}
FREQUENCIES = {
    "en": "up to 2 a week",
    "it": "al massimo 2 a settimana",
    "de": "höchstens 2 pro Woche",
    "pt": "no máximo 2 por semana",
    "es": "como máximo 2 por semana",
    "gl": "como máximo 2 por semana",
    "fr": "2 par semaine au plus",
}


def draft(language: str = "en", **fields: Any) -> Notice:
    purpose = factories.purpose()
    factories.policy(purpose.brand, language)
    defaults = {"text": TEXTS[language], "frequency": FREQUENCIES[language]}
    return factories.notice(purpose, language, published=False, **defaults | fields)


@pytest.mark.parametrize("language", TEXTS)
def test_a_complete_call_to_action_can_be_published_in_every_language(language: str, officer: Any) -> None:
    notice = draft(language)
    assert [c.requirement for c in publishing.missing(notice)] == []
    published = publishing.publish(notice, officer)
    assert published.is_published
    assert published.published_by == "officer"
    event = published.history.first()
    assert (event.actor, event.history_change_reason) == ("officer", "Published")
    assert published.history.count() == 2


@pytest.mark.parametrize(
    ("words", "instead", "requirement"),
    [
        ("Officina", "We", "The brand is named"),
        ("new jobs", "things", "The kind of messages is named"),
        ("text messages (SMS)", "something", "It says that these are text messages"),
        ("up to 2 a week", "sometimes", "It says how often"),
        ("STOP", "a word", "It says how to stop (STOP)"),
        ("STOP", "stop", "It says how to stop (STOP)"),
        ("HELP", "a word", "It says how to get help (HELP)"),
        ("https://example.org/privacy", "ask us", "It links to the published privacy policy"),
        ("not a condition", "nice", "It says that a yes is not a condition of anything"),
        ("Msg & data rates may apply", "", "It says that message and data rates may apply"),
    ],
)
def test_each_missing_part_is_named_and_stops_publishing(
    words: str, instead: str, requirement: str, officer: Any
) -> None:
    notice = draft(text=TEXTS["en"].replace(words, instead))
    lacking = publishing.missing(notice)
    assert [c.requirement for c in lacking] == [requirement]
    assert lacking[0].fix
    with pytest.raises(NotPublishable, match=requirement.replace("(", r"\(").replace(")", r"\)")):
        publishing.publish(notice, officer)
    notice.refresh_from_db()
    assert not notice.is_published


def test_every_language_has_its_words() -> None:
    for table in (wording.TEXT_MESSAGE, wording.HELP, wording.NO_CONDITION, wording.KINDS):
        assert set(table) == set(TEXTS)


def test_rates_are_asked_of_english_notices_only() -> None:
    english = draft()
    italian = factories.notice(english.purpose, "it", published=False)
    assert len(publishing.checklist(italian)) == len(publishing.checklist(english)) - 1


def test_the_policy_must_be_published_in_the_language_of_the_notice() -> None:
    purpose = factories.purpose()
    factories.policy(purpose.brand, "it")
    factories.policy(purpose.brand, "en", published=False)
    other = factories.brand("altra")
    factories.policy(other, "en")
    notice = factories.notice(purpose, published=False, text=TEXTS["en"])
    (lacking,) = publishing.missing(notice)
    assert "Publish the privacy policy of Officina in English first" in lacking.fix


def test_nothing_is_published_twice_and_no_version_overtakes_a_newer_one(officer: Any) -> None:
    first = draft()
    second = factories.notice(first.purpose, published=False, text=TEXTS["en"])
    publishing.publish(second, officer)
    with pytest.raises(NotPublishable, match="already"):
        publishing.publish(second, officer)
    with pytest.raises(NotPublishable, match="newer version"):
        publishing.publish(first, officer)


def test_a_policy_names_who_answers_for_the_data_and_where_to_write(officer: Any) -> None:
    brand = factories.brand()
    empty = factories.policy(brand, published=False, body="Data.", url="http://example.org")
    assert [c.requirement for c in publishing.missing(empty)] == [
        "The public address is there",
        "The brand or the controller is named",
        "It says where to reach the controller",
    ]
    good = factories.policy(brand, "it", published=False, body=POLICY_BODY)
    assert publishing.publish(good, officer).is_published


@pytest.mark.parametrize(
    "make", [lambda: factories.notice(factories.purpose()), lambda: factories.policy(factories.brand())]
)
def test_what_is_published_refuses_change_and_removal_in_model_and_database(make: Any, acting: None) -> None:
    row = type(make())._default_manager.get()
    for attempt in (row.save, row.delete):
        with pytest.raises(Immutable):
            attempt()
    rows = type(row)._default_manager.all()
    for statement in (lambda: rows.update(language="it"), lambda: rows._raw_delete(rows.db)):
        with pytest.raises(DatabaseError), transaction.atomic():
            statement()
    assert rows.get().language == "en"


def test_a_new_version_copies_the_newest_and_exists_once(acting: None) -> None:
    published = factories.notice(factories.purpose(), material_change=True)
    copy = publishing.new_version(published)
    assert (copy.version, copy.text, copy.is_published) == (2, published.text, False)
    assert not copy.material_change
    assert publishing.new_version(published).pk == copy.pk
    policy = factories.policy(published.purpose.brand)
    assert publishing.new_version(policy).version == 2
    assert (Notice.objects.count(), PrivacyPolicy.objects.count()) == (2, 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [("n’est pas une condition", True), ("n'est  pas\nune condition", True), ("pas une conditionnelle", False)],
)
def test_phrases_match_whole_words_whatever_the_apostrophe(text: str, found: bool) -> None:
    assert wording.says(wording.plain(text), wording.NO_CONDITION["fr"]) is found
