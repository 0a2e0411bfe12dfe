"""The same text told twice at the same moment, and two texts of one person at once: one row each, one effect."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import inbound
from campaigns.gateways.base import Inbound
from campaigns.models import InboundMessage, Message
from consent.contacts.models import Contact, Suppression
from consent.ledger.models import Consent, Proof
from tests import factories

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
TIMES = 8


def at_once(doing: Callable[[int], Any]) -> list[Any]:
    ready = Barrier(TIMES)

    def one(number: int) -> Any:
        try:
            ready.wait(10)
            return doing(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(TIMES) as pool:
        return list(pool.map(one, range(TIMES)))


@pytest.mark.parametrize("same", [True, False])
def test_a_stop_told_many_times_at_once_has_one_effect(same: bool) -> None:
    purpose = factories.purpose()
    factories.sender(purpose.brand)
    person = factories.consent(to=purpose).contact
    number = person.phone.as_e164
    at = timezone.now()
    found = at_once(
        lambda n: inbound.receive("console", Inbound("same" if same else f"id-{n}", number, "36123", "STOP", at))
    )
    assert len({row.pk for row in found}) == InboundMessage.objects.count() == (1 if same else TIMES)
    assert set(InboundMessage.objects.values_list("state", flat=True)) == {"handled"}
    assert Message.objects.filter(kind="opt_out").count() == Suppression.objects.count() == 1
    assert (Consent.objects.get().status, Proof.objects.filter(answer="no").count()) == ("withdrawn", 1)


def test_unknown_numbers_at_once_get_one_answer_and_one_contact() -> None:
    factories.sender()
    number = factories.number("IT").e164
    at_once(lambda n: inbound.receive("console", Inbound(f"help-{n}", number, "36123", "HELP")))
    assert Message.objects.filter(kind="help").count() == 1
    at_once(lambda n: inbound.receive("console", Inbound(f"id-{n}", number, "36123", f"hello {n}")))
    assert Contact.objects.count() == 1
    assert {row.conversation_id is not None for row in InboundMessage.objects.exclude(meaning="help")} == {True}


def test_two_stops_at_once_of_an_unknown_number_get_one_confirmation() -> None:
    factories.sender()
    number = factories.number("IT").e164
    at_once(lambda n: inbound.receive("console", Inbound(f"id-{n}", number, "36123", "STOP")))
    assert Message.objects.filter(kind="opt_out").count() == Suppression.objects.count() == 1
