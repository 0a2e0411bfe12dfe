"""The live preview: the text as it arrives, whose name it shows, what it costs."""

import json
from decimal import Decimal
from typing import Any

import pytest

from campaigns import preview
from campaigns.models import Message
from consent.contacts.models import Audience, Contact
from tests import factories

pytestmark = pytest.mark.django_db
BODY = "{brand}: new jobs this week, {first_name}."


@pytest.fixture
def world() -> dict[str, Any]:
    """A purpose, a priced sender, an audience of everybody: two read English, one German."""
    to = factories.purpose()
    factories.policy(to.brand)
    factories.consent(factories.contact("Ada Prova", language="en"), to)
    factories.contact("Nemo Nessuno", language="en")
    factories.contact("Uta Muster", language="de")
    return {
        "purpose": to,
        "sender": factories.sender(price_per_part=Decimal("0.0450")),
        "audience": everybody(),
    }


def everybody() -> Audience:
    with factories.acting():
        return Audience.objects.create(name="Everybody")


def test_a_first_and_a_later_text_with_their_measure_and_cost(world: dict[str, Any]) -> None:
    found = preview.preview(BODY, "en", **world)
    assert found.first and found.later
    assert found.first.text == (
        "Officina: new jobs this week, Emma.\nPrivacy: https://example.org/privacy\nReply STOP to opt out."
    )
    assert found.later.text == "Officina: new jobs this week, Emma.\nReply STOP to opt out."
    assert found.later.summary == f"1 part · {len(found.later.text)} of 160 units · GSM-7"
    assert (found.readers, found.per_text, found.total) == (2, Decimal("0.0450"), Decimal("0.09"))
    assert found.cost == "0.045 EUR a text; 0.09 EUR at most for 2 people."
    assert found.findings == []


def test_the_dearer_of_the_two_texts_counts(world: dict[str, Any]) -> None:
    found = preview.preview("{brand}: " + "a" * 100, "en", **world)
    assert found.first and found.later
    assert (found.first.size.parts, found.later.size.parts) == (2, 1)
    assert found.total == Decimal("0.18")


def test_a_real_name_is_shown_to_those_who_may_see_it_and_of_one_who_may_be_texted(world: dict[str, Any]) -> None:
    assert "Ada" not in json.dumps(preview.preview(BODY, "en", **world).as_json())
    found = preview.preview(BODY, "en", reveal=True, **world)
    assert found.first and "this week, Ada." in found.first.text  # Nemo is newer, but never said yes
    assert not found.made_up
    nobody = preview.preview(BODY, "de", reveal=True, **world)
    assert nobody.first and "this week, Jana." in nobody.first.text
    assert nobody.made_up


def test_a_name_may_change_the_encoding_and_that_shows(world: dict[str, Any]) -> None:
    with factories.acting():
        ada = Contact.objects.get(name="Ada Prova")
        ada.name = "Zoë Prova"
        ada.save()
    found = preview.preview(BODY, "en", reveal=True, **world)
    assert found.first and found.first.size.encoding == "UCS-2"
    assert found.first.size.offending == ["ë"]
    assert found.replacements == {}  # only what was written can be replaced


def test_the_text_for_everybody_else_counts_them_too(world: dict[str, Any]) -> None:
    found = preview.preview(BODY, "en", written=["en"], fallback="en", **world)
    assert found.readers == 3
    assert [f.code for f in found.findings] == ["language"]
    assert preview.preview(BODY, "en", written=["en", "de"], fallback="en", **world).readers == 2
    assert preview.preview(BODY, "de", written=["en", "de"], fallback="en", **world).readers == 1
    assert preview.preview(BODY, "it", written=["it"], fallback="en", **world).readers == 0


def test_the_opt_out_line_is_in_the_language_of_the_reader(world: dict[str, Any]) -> None:
    factories.consent(factories.contact("Uta Muster", language="de"), world["purpose"])
    found = preview.preview(BODY, "en", reveal=True, written=["en"], fallback="en", **world)
    assert found.later and found.later.text.endswith("Abmelden: mit STOP antworten.")


@pytest.mark.parametrize("body", ["", " ", "{brand}: {surname}", "{brand"])
def test_what_cannot_be_made_shows_its_findings_only(body: str, world: dict[str, Any]) -> None:
    found = preview.preview(body, "en", reveal=True, **world)
    assert found.first is None and found.later is None
    assert found.findings[0].level == "stop"
    assert found.cost == ""
    assert found.as_json()["first"] is None


def test_json_is_what_the_composer_reads(world: dict[str, Any]) -> None:
    found = json.loads(json.dumps(preview.preview("{brand}: l’été\u200b", "en", **world).as_json()))
    assert set(found) == {
        "language", "name", "first", "later", "replacements", "reader", "readers", "per_text", "total", "currency",
        "cost", "findings", "placeholders",
    }  # fmt: skip
    assert set(found["first"]) == {
        "label", "text", "encoding", "units", "parts", "offending", "capacity", "summary",
    }  # fmt: skip
    assert found["replacements"] == [
        {"found": "’", "suggested": "'", "label": "’ → '"},
        {"found": "\u200b", "suggested": "", "label": "U+200B → ∅"},
    ]
    assert found["placeholders"][0] == {"text": "{first_name}", "label": "first name"}
    assert set(found["findings"][0]) == {"level", "word", "sentence", "code"}
    assert found["name"] == "English"


def test_before_everything_is_chosen_it_says_what_to_choose() -> None:
    found = preview.incomplete("it").as_json()
    assert (found["first"], found["cost"], found["name"]) == (None, "", "Italian")
    assert "Choose purpose, audience and sender" in found["findings"][0]["sentence"]
    assert found["placeholders"]


def test_looking_changes_nothing(world: dict[str, Any]) -> None:
    before = list(Contact.objects.order_by("pk").values())
    preview.preview(BODY, "en", reveal=True, **world)
    assert list(Contact.objects.order_by("pk").values()) == before
    assert not Message.objects.exists()
