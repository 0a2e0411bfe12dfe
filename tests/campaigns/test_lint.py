"""What stops a text and what its writer is told (RULES §7, §8, O1, O2, C11)."""

from typing import Any

import pytest

from campaigns import lint, promotion
from campaigns.models import Sender
from consent.contacts.models import Audience
from consent.ledger.models import Brand, Purpose
from tests import factories


def made(kind: str = "recruitment", *, policy: bool = True, **fields: Any) -> dict[str, Any]:
    """Purpose and sender, unsaved."""
    brand = Brand(pk=1, name="Officina Verdi", slug="officina", zone="Europe/Rome")
    brand.__dict__["_policies"] = {"": "https://example.org/privacy"} if policy else {}
    kinds = list(Purpose.Kind.values)
    sender = Sender(**{"brand": brand, "type": "short_code", "address": "36123", "kinds": kinds} | fields)
    return {"purpose": Purpose(brand=brand, name="Job alerts", kind=kind), "sender": sender}


def codes(body: str, language: str = "en", **fields: Any) -> dict[str, str]:
    """The level of each finding by its code."""
    return {f.code: f.level for f in lint.findings(body, language, **made(**fields))}


def test_a_good_text_has_no_findings() -> None:
    assert codes("{brand}: new jobs this week, {first_name}. See https://example.org/jobs") == {}
    assert codes("OFFICINA VERDI: new jobs this week") == {}


@pytest.mark.parametrize(
    ("body", "fields", "found"),
    [
        ("", {}, {"empty": "stop"}),
        (" \n", {}, {"empty": "stop"}),
        ("New jobs this week", {}, {"brand": "stop"}),
        ("Officina Verdissimi: jobs", {}, {"brand": "stop"}),
        ("{brand}: {surname}", {}, {"placeholder": "stop"}),
        ("{brand}: {", {}, {"placeholder": "stop"}),
        ("{brand}: jobs", {"active": False}, {"sender": "stop"}),
        ("{brand}: jobs", {"kinds": ["marketing"]}, {"sender": "stop"}),
        ("{brand}: jobs", {"two_way": False}, {"opt_out": "stop"}),
        ("{brand}: jobs", {"two_way": False, "stop_sender": Sender(address="1", two_way=False)}, {"opt_out": "stop"}),
        ("{brand}: jobs", {"two_way": False, "stop_sender": Sender(address="1", active=False)}, {"opt_out": "stop"}),
        ("{brand}: jobs", {"two_way": False, "stop_sender": Sender(address="36124")}, {}),
        ("{brand}: sale", {"kind": "marketing", "policy": False}, {"privacy": "stop"}),
        ("{brand}: jobs", {"policy": False}, {"privacy": "warn"}),
        ("{brand}: sale today", {"kind": "informational"}, {"promotion": "stop"}),
        ("{brand}: sale today", {"kind": "marketing"}, {}),
        ("{brand}: jobs. Reply STOP to end", {}, {"twice": "warn"}),
        ("{brand}: jobs. To unsubscribe call us", {}, {"twice": "warn"}),
        ("{brand}: meet us at the bus stop", {}, {}),
        ("{brand}: see bit.ly/jobs", {}, {"shortened": "warn"}),
        ("{brand}: see https://TinyURL.com/jobs", {}, {"shortened": "warn"}),
        ("{brand}: see rabbit.ly/jobs", {}, {}),
        ("{brand}: NEW JOBS IN MILANO THIS WEEK", {}, {"capitals": "warn"}),
        ("{brand}: NEW JOBS", {}, {}),
        ("{brand}: l’été", {}, {"encoding": "warn"}),
        ("{brand}: " + "a" * 383, {}, {}),
        ("{brand}: " + "a" * 384, {}, {"parts": "warn"}),
    ],
)
def test_findings(body: str, fields: dict[str, Any], found: dict[str, str]) -> None:
    assert codes(body, **fields) == found


def test_marketing_from_a_french_mobile_is_stopped() -> None:
    """RULES §3."""
    found = lint.findings("{brand}: hi", "fr", **made("marketing", type="long_number", address="+33639980001"))
    assert [(f.code, f.level) for f in found] == [("sender", "stop")]
    assert "French mobile" in found[0].sentence


def test_what_stops_comes_first_and_says_what_to_do() -> None:
    found = lint.findings("L’été à Milan", "fr", **made())
    assert [f.level for f in found] == ["stop", "warn"]
    assert "Put {brand} or “Officina Verdi” into it" in found[0].sentence
    assert "1 character is not in GSM-7" in found[1].sentence
    assert "’ → '" in found[1].sentence
    assert found[0].as_json() == {
        "level": "stop", "sentence": found[0].sentence, "code": "brand", "word": "Must change",
    }  # fmt: skip


# Ordinary words of an appointment, and the same with a promotion in it.
PROMOTING = [
    ("en", "Summer sale!", ["sale"]),
    ("en", "Get 20% off your next visit", ["20% off"]),
    ("en", "A discount and a free coffee", ["discount", "free"]),
    ("en", "We have an offer for you: promo code X", ["offer", "promo"]),
    ("it", "Sconto del 20 % sui saldi", ["sconto", "saldi"]),
    ("it", "Un’offerta gratuita, -30%", ["offerta", "gratuita", "-30%"]),
    ("de", "Rabatt und Gutscheine: unser Angebot", ["rabatt", "gutscheine", "angebot"]),
    ("de", "20 % Rabatt", ["20 % rabatt"]),
    ("pt", "Promoção com desconto e oferta grátis", ["promoção", "desconto", "oferta", "grátis"]),
    ("es", "Rebajas: oferta con cupón y promoción", ["rebajas", "oferta", "cupón", "promoción"]),
    ("gl", "Rebaixas con desconto", ["rebaixas", "desconto"]),
    ("fr", "Soldes : remise de 20 %, livraison gratuite", ["soldes", "remise", "gratuite"]),
    ("it", "Black Friday con voucher", ["black friday", "voucher"]),
]
ORDINARY = [
    ("en", "Your interview is on Monday at 10. Are you free? Feel free to call us if you are not free at ten."),
    ("en", "Your shift as sales assistant starts at 9, wholesale floor."),
    ("it", "Il tuo colloquio è lunedì alle 10 nelle sale riunioni del piano 5-10."),
    ("de", "Ihr Termin ist am Montag um 10 Uhr. Bitte bringen Sie Ihren Ausweis mit."),
    ("pt", "A sua entrevista é na segunda-feira às 10. Traga o documento."),
    ("es", "Tu cita es el lunes a las 10. Trae el documento de identidad."),
    ("gl", "A túa cita é o luns ás 10. Trae o documento."),
    ("fr", "Votre entretien a lieu lundi à 10 h. La remise des clés se fait à l'accueil."),
]


@pytest.mark.parametrize(("language", "text", "words"), PROMOTING)
def test_promotional_words(language: str, text: str, words: list[str]) -> None:
    assert promotion.promoting(text, language) == words
    assert codes("{brand}: " + text, language, kind="informational")["promotion"] == "stop"


@pytest.mark.parametrize(("language", "text"), ORDINARY)
def test_ordinary_words(language: str, text: str) -> None:
    assert promotion.promoting(text, language) == []


@pytest.mark.django_db
def test_the_languages_of_an_audience_without_a_text() -> None:
    for language in ("en", "it", "it", "de"):
        factories.contact(language=language)
    found = lint.unread(Audience(name="Everybody", pk=0), {"en"}, "en")
    assert [f.sentence for f in found] == [
        "2 people read Italian and get the text in English.",
        "1 person reads German and gets the text in English.",
    ]
    assert lint.unread(Audience(name="Everybody", pk=0), {"en", "it", "de"}, "en") == []
