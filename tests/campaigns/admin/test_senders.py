"""The page of a sender: what it may be used for, where STOP goes, and the keywords published on it."""

from typing import Any

import pytest
from django.urls import reverse

from campaigns.models import Keyword, Sender
from tests import factories

pytestmark = pytest.mark.django_db
LIST = reverse("admin:campaigns_sender_changelist")
ADD = reverse("admin:campaigns_sender_add")


def page(sender: Sender) -> str:
    return reverse("admin:campaigns_sender_change", args=[sender.pk])


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def typed(**fields: Any) -> dict[str, Any]:
    """What a browser sends for a short code without keywords."""
    return {
        "type": "short_code",
        "address": "36123",
        "country": "it",
        "active": "on",
        "kinds": ["marketing", "recruitment"],
        "two_way": "on",
        "stop_sender": "",
        "gateway": "console",
        "rate_per_second": "10",
        "price_per_part": "0.05",
        "currency": "eur",
        "keywords-TOTAL_FORMS": "0",
        "keywords-INITIAL_FORMS": "0",
    } | fields


def keyword(row: int, **fields: Any) -> dict[str, Any]:
    values = {"word": "jobs", "active": "on"} | fields
    return {"keywords-TOTAL_FORMS": str(row + 1)} | {f"keywords-{row}-{name}": v for name, v in values.items()}


def test_an_officer_adds_a_short_code_with_a_keyword(officer: Any, sign_in: Any) -> None:
    purpose = factories.purpose()
    notice = factories.notice(purpose)
    client = sign_in(officer)
    assert "Kannel – not set up" in text_of(client.get(ADD))
    data = typed(brand=purpose.brand_id) | keyword(0, purpose=purpose.pk, notice=notice.pk)
    assert client.post(ADD, data).status_code == 302
    sender = Sender.objects.get()
    assert (sender.address, sender.country, sender.currency, sender.kinds) == (
        "36123",
        "IT",
        "EUR",
        ["marketing", "recruitment"],
    )
    assert Keyword.objects.get().word == "JOBS"
    assert {row.actor for row in (*Sender.history.all(), *Keyword.history.all())} == {"officer"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"type": "long_number", "address": "+33612345678"}, "ordinary French mobile number is barred"),
        ({"type": "long_number", "address": "36123"}, "does not look like a Long number"),
        ({"type": "alphanumeric", "address": "OFFICINA"}, "Nobody can reply to a name."),
        ({"two_way": ""}, "so that STOP works"),
        ({"country": "Italy"}, "at most 2 characters"),
        ({"country": "1T"}, "Two letters"),
        ({"currency": "€"}, "Three letters"),
        ({"kinds": ["gossip"]}, "gossip"),
        ({"kinds": []}, "required"),
        ({"rate_per_second": "0"}, "greater than or equal to 1"),
        ({"price_per_part": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_a_sender_may_not_be(fields: dict[str, Any], sentence: str, officer: Any, sign_in: Any) -> None:
    answer = sign_in(officer).post(ADD, typed(brand=factories.brand().pk) | fields)
    assert sentence in text_of(answer)
    assert not Sender.objects.exists()


def test_a_name_needs_a_number_for_stop(officer: Any, sign_in: Any) -> None:
    brand = factories.brand()
    number = factories.sender(brand)
    data = typed(brand=brand.pk, type="alphanumeric", address="OFFICINA", two_way="")
    client = sign_in(officer)
    assert "so that STOP works" in text_of(client.post(ADD, data))
    assert client.post(ADD, data | {"stop_sender": number.pk}).status_code == 302
    assert Sender.objects.get(address="OFFICINA").stop_address == "36123"


@pytest.mark.parametrize("word", ["stop", "Arrêt", "HELP", "info", "start", "ALTA", "ja", "no", "two words", "123", ""])
def test_a_keyword_means_nothing_else(word: str, officer: Any, sign_in: Any) -> None:
    purpose = factories.purpose()
    notice = factories.notice(purpose)
    data = typed(brand=purpose.brand_id) | keyword(0, word=word, purpose=purpose.pk, notice=notice.pk)
    answer = sign_in(officer).post(ADD, data)
    assert answer.status_code == 200
    assert not Keyword.objects.exists()
    assert not Sender.objects.exists()


def test_a_keyword_is_for_a_purpose_of_the_brand_with_its_published_notice(officer: Any, sign_in: Any) -> None:
    ours = factories.purpose()
    theirs = factories.purpose("offers", of=factories.brand("elsewhere"))
    sibling = factories.purpose("fairs")
    draft = factories.notice(ours, "it", published=False)
    client = sign_in(officer)

    def said(purpose: Any, notice: Any) -> str:
        data = typed(brand=ours.brand_id) | keyword(0, purpose=purpose.pk, notice=notice.pk)
        answer = client.post(ADD, data)
        assert answer.status_code == 200
        return text_of(answer)

    assert "purpose of the sender" in said(theirs, factories.notice(theirs))
    assert "notice of this purpose" in said(ours, factories.notice(sibling))
    assert "Select a valid choice" in said(ours, draft)
    assert not Keyword.objects.exists()


def test_a_sender_that_texted_keeps_its_brand_and_nobody_deletes_one(
    officer: Any, superuser: Any, sign_in: Any
) -> None:
    message = factories.message()
    other = factories.brand("elsewhere")
    sign_in(officer).post(page(message.sender), typed(brand=other.pk))
    assert Sender.objects.get().brand != other
    url = reverse("admin:campaigns_sender_delete", args=[message.sender_id])
    assert sign_in(superuser).post(url, {"post": "yes"}).status_code == 403


def test_managers_read_senders(manager: Any, sign_in: Any) -> None:
    sender = factories.sender()
    client = sign_in(manager)
    assert "36123" in text_of(client.get(LIST))
    assert "36123" in text_of(client.get(page(sender)))
    assert client.post(page(sender), typed()).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_the_same_few_questions(
    rows: int, officer: Any, sign_in: Any, django_assert_num_queries: Any
) -> None:
    brand = factories.brand()
    for n in range(rows):
        factories.sender(brand, address=f"3612{n}")
    client = sign_in(officer)
    client.get(LIST)
    with django_assert_num_queries(7):
        client.get(LIST)
