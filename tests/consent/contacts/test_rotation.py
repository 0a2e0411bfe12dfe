"""Rotation of the digest keys: at no step does the decision let a suppressed number through (P2, P4)."""

import base64
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from consent.contacts import doors, rotation
from consent.contacts.models import Contact, Suppression
from consent.core import digests
from consent.ledger import decision
from consent.ledger.models import Purpose
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting")]

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()


def refusal(contact: Contact) -> str:
    context = decision.context_for(Purpose.objects.get(), timezone.now())
    return decision.decide(context, Contact.objects.filter(pk=contact.pk)).get().refusal


def stop(contact: Contact) -> None:
    doors.suppress(contact.phone.as_e164, reason="stop", since=timezone.now())


def test_no_suppressed_number_passes_at_any_step(settings: Any) -> None:
    settings.SUPPRESSION_KEYS = OLD
    stopped = [factories.consent(factories.contact(f"Stopped {n}")).contact for n in range(3)]
    free = factories.consent(factories.contact("Free")).contact
    for contact in stopped:
        stop(contact)
    late = factories.number()
    doors.suppress(late.e164, reason="stop", since=timezone.now())

    def nobody_passes() -> None:
        assert [refusal(contact) for contact in stopped] == ["suppressed"] * len(stopped)
        assert refusal(free) == ""

    nobody_passes()
    for keys in (f"{OLD},{NEW}", f"{NEW},{OLD}"):
        settings.SUPPRESSION_KEYS = keys
        nobody_passes()
    for step, _progress in enumerate(rotation.rotate(batch=1)):
        nobody_passes()
        if step == 0:  # in the middle: a stop of a contact not moved yet, and a contact made for a stopped number
            waiting = Contact.objects.filter(digest_key_id="old").order_by("-pk").exclude(pk=free.pk).first()
            assert waiting is not None
            doors.suppress(waiting.phone.as_e164, reason="objection", since=timezone.now())
            nobody_passes()
            comes_back, _new = doors.register(late)
            stopped.append(comes_back)
            nobody_passes()
    settings.SUPPRESSION_KEYS = NEW
    nobody_passes()
    assert set(Contact.objects.values_list("digest_key_id", flat=True)) == {"new"}
    assert set(Suppression.objects.values_list("key_id", flat=True)) == {"new"}


def test_a_rotation_interrupted_goes_on(settings: Any) -> None:
    settings.SUPPRESSION_KEYS = OLD
    for _n in range(3):
        factories.contact()
    settings.SUPPRESSION_KEYS = f"{NEW},{OLD}"
    next(rotation.rotate(batch=1))
    assert Contact.objects.filter(digest_key_id="new").count() == 1
    assert [progress.contacts for progress in rotation.rotate(batch=10)][-1] == 2
    assert [progress.contacts for progress in rotation.rotate()] == [0]


def test_says_which_key_to_keep(settings: Any) -> None:
    settings.SUPPRESSION_KEYS = OLD
    stop(factories.contact())
    doors.suppress(factories.number().e164, reason="stop", since=timezone.now())  # a number not on record
    settings.SUPPRESSION_KEYS = f"{NEW},{OLD}"

    out = io.StringIO()
    call_command("rotate_digests", "--simulate", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["contacts"], told["suppressions"], told["remaining"]) == (1, 1, {"old": 2})
    assert Contact.objects.get().digest_key_id == "old"

    out = io.StringIO()
    call_command("rotate_digests", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told == {
        "simulated": False,
        "key": "new",
        "contacts": 1,
        "suppressions": 1,
        "remaining": {"old": 1},
        "unreadable": [],
    }
    out = io.StringIO()
    call_command("rotate_digests", stdout=out)
    assert "1 suppressions are under key old because their numbers are not on record" in out.getvalue()


def test_a_key_that_is_gone_is_named(settings: Any) -> None:
    settings.SUPPRESSION_KEYS = OLD
    doors.suppress(factories.number().e164, reason="stop", since=timezone.now())
    settings.SUPPRESSION_KEYS = NEW
    out, err = io.StringIO(), io.StringIO()
    call_command("rotate_digests", stdout=out, stderr=err)
    assert "Key old is not in SUPPRESSION_KEYS" in err.getvalue()


def test_a_suppression_that_moves_has_one_history_row_and_the_contact_none(settings: Any) -> None:
    settings.SUPPRESSION_KEYS = OLD
    contact = factories.contact()
    stop(contact)
    settings.SUPPRESSION_KEYS = f"{NEW},{OLD}"
    before = contact.history.count()
    list(rotation.rotate())
    row = Suppression.objects.get()
    assert [h.actor for h in row.history.order_by("history_id")] == ["job:test", "job:rotate_digests"]
    assert contact.history.count() == before
    assert row.digest == digests.digest(contact.phone.as_e164)
