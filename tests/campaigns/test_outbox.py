"""The outbox: the right sender, one row for what may happen once, woken workers, a constant number of statements."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from campaigns import outbox, waking
from campaigns.models import Message, Sender
from consent.ledger.models import Brand, Purpose
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def purpose() -> Purpose:
    return factories.purpose()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    heard: list[int] = []
    monkeypatch.setattr(waking, "_listeners", [heard.append])
    return heard


def two_way(address: str, country: str, **fields: Any) -> Sender:
    brand = Brand.objects.order_by("pk").first()
    return factories.sender(brand, address=address, country=country, **fields)


def one_way(address: str, country: str, stop: Sender, **fields: Any) -> Sender:
    chosen = {"type": "alphanumeric", "two_way": False, "stop_sender": stop} | fields
    return two_way(address, country, **chosen)


# --- which sender ------------------------------------------------------------------------------------------------


def test_the_persons_country_comes_first_then_replies_then_age(purpose: Purpose) -> None:
    italian, french, second = two_way("36123", "IT"), two_way("36124", "FR"), two_way("36125", "FR")
    name = one_way("OFFICINA", "DE", italian)
    assert outbox.sender_for(purpose, "FR") == french != second
    assert outbox.sender_for(purpose, "DE") == name
    assert outbox.sender_for(purpose, "PT") == italian
    assert outbox.sender_for(purpose.brand, "DE") == name


def test_a_sender_that_may_not_is_not_chosen(purpose: Purpose) -> None:
    other = factories.purpose("other", of=factories.brand("mercado"))
    factories.sender(other.brand, address="1111")
    two_way("2222", "IT", active=False)
    assert outbox.sender_for(purpose, "IT") is None
    informs = two_way("3333", "IT", kinds=["informational"])
    assert outbox.sender_for(purpose, "IT") is None
    assert outbox.sender_for(purpose.brand, "IT") == informs
    allowed = two_way("4444", "US")
    assert outbox.sender_for(purpose, "IT") == allowed


def test_marketing_never_comes_from_an_ordinary_french_mobile_number() -> None:
    offers = factories.purpose("offers", kind="marketing")
    factories.sender(offers.brand, address="+33639981234", type="long_number", country="FR")
    assert outbox.sender_for(offers, "FR") is None
    code = factories.sender(offers.brand, address="36111", country="FR")
    assert outbox.sender_for(offers, "FR") == code


def test_purposes_nobody_can_text_for_are_told(purpose: Purpose) -> None:
    idle = factories.purpose("idle", active=False)
    assert outbox.mute() == [purpose]
    factories.sender(idle.brand)
    assert outbox.mute() == []


# --- one text ---------------------------------------------------------------------------------------------------


def write(sender: Sender, **fields: Any) -> Message | None:
    return outbox.queue(
        "help", **{"sender": sender, "phone": "+393120000001", "language": "it", "body": "Officina: 02 123.", **fields}
    )


def test_a_text_waits_from_now_on_and_wakes_its_sender(clock: Any, woken: list[int], purpose: Purpose) -> None:
    sender, consent = factories.sender(purpose.brand), factories.consent(to=purpose)
    woken.clear()
    made = write(sender, contact=consent.contact, purpose=purpose, consent=consent, once="help:1")
    assert made is not None
    row = Message.objects.get(once="help:1")
    now = timezone.now()
    assert (row.state, row.created_at, row.not_before, row.expires_at) == ("queued", now, now, None)
    assert (row.proof_id, row.body, row.sender) == (consent.proof_id, "Officina: 02 123.", sender)
    assert woken == [sender.pk]


def test_what_happened_once_does_not_happen_again(woken: list[int], purpose: Purpose) -> None:
    sender = factories.sender(purpose.brand)
    assert write(sender, once="help:1")
    assert write(sender, once="help:1") is None
    assert write(sender) and write(sender)
    assert Message.objects.filter(kind="help").count() == 3
    assert woken == [sender.pk] * 3


def test_somebody_faster_counts_as_happened(purpose: Purpose, monkeypatch: Any) -> None:
    sender = factories.sender(purpose.brand)
    assert write(sender, once="help:1")
    seen = iter([False, True])  # not there yet when looked for, there when written
    monkeypatch.setattr(QuerySet, "exists", lambda self: next(seen))
    assert write(sender, once="help:1") is None
    assert Message.objects.filter(once="help:1").count() == 1


# --- many texts ---------------------------------------------------------------------------------------------------


def many(consents: list[int]) -> int:
    return outbox.queue_many(
        "welcome",
        consents,
        once=lambda consent: f"test:{consent.pk}",
        expires_at=lambda consent: timezone.now() + timedelta(days=1),
    )


def test_many_texts_take_as_many_statements_as_few(
    woken: list[int], purpose: Purpose, django_assert_max_num_queries: Any
) -> None:
    people = [factories.consent(to=purpose).pk for _person in range(12)]
    sender = factories.sender(purpose.brand)
    with django_assert_max_num_queries(7) as few:
        assert many(people[:2]) == 2
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert many(people) == 10
    assert many(people) == 0
    assert Message.objects.filter(kind="welcome").exclude(body="").count() == 12
    assert woken == [sender.pk] * 2


def test_without_a_sender_nothing_is_written_and_the_log_says_how_many(purpose: Purpose, caplog: Any) -> None:
    consents = [factories.consent(to=purpose) for _person in range(3)]
    caplog.clear()
    assert many([c.pk for c in consents]) == 0
    assert not Message.objects.exists()
    (line,) = caplog.messages
    assert purpose.path in line and "3 texts" in line
    assert all(str(c.phone.as_e164) not in line for c in consents)
