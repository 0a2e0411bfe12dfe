"""Sending windows in the admin: read by many, edited by officers, widened only with a reason and a source."""

from datetime import date
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.urls import reverse

from campaigns.admin.windows import hours_in_words
from campaigns.models import SendingWindow
from campaigns.models.windows import WEEKDAYS
from consent.core import history

pytestmark = [pytest.mark.django_db, pytest.mark.hours]

LIST = "admin:campaigns_sendingwindow_changelist"
NO_REASON, NO_SOURCE = "Say why in the reason", "Write where the new rule stands"


def page(window: SendingWindow, name: str = "change") -> str:
    return reverse(f"admin:campaigns_sendingwindow_{name}", args=[window.pk])


def italy() -> SendingWindow:
    return SendingWindow.objects.get(country="IT")


def florida() -> SendingWindow:
    return SendingWindow.objects.get(region="FL")


def fields(window: SendingWindow, **changes: Any) -> dict[str, Any]:
    data = {name: value for name, value in model_to_dict(window).items() if value not in (None, False)}
    return {k: v for k, v in (data | changes).items() if v not in (None, False)}


def save(client: Any, window: SendingWindow, **changes: Any) -> list[str]:
    """Save a form; what it complains about, by the words of the complaint."""
    answer = client.post(page(window), fields(window, **changes))
    if answer.status_code == 302:
        return []
    text = answer.content.decode()
    return [words for words in (NO_REASON, NO_SOURCE) if words in text] or [text]


def test_the_list_says_it_in_words(officer: Any, manager: Any, auditor: Any, recruiter: Any, sign_in: Any) -> None:
    for user in (officer, manager, auditor):
        text = sign_in(user).get(reverse(LIST)).content.decode()
        assert "Mon–Fri 09:00–20:00 · Sat 10:00–19:00" in text
        assert "Mon–Sun 08:00–20:00 · also on holidays · at most 3 a day" in text
        assert "US-FL" in text and "Default" in text and "Operators’ charter" in text.replace("&#x27;", "’")
    assert sign_in(recruiter).get(reverse(LIST)).status_code == 403


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ({}, "Closed"),
        ({"monday": "09:00-12:00, 14:00-24:00"}, "Mon 09:00–12:00, 14:00–24:00"),
        ({"monday": "09:00-12:00", "wednesday": "09:00-12:00"}, "Mon 09:00–12:00 · Wed 09:00–12:00"),
        (dict.fromkeys(WEEKDAYS, "09:00-10:00"), "Mon–Sun 09:00–10:00"),
    ],
)
def test_hours_in_words(hours: dict[str, str], words: str) -> None:
    assert hours_in_words(SendingWindow(**hours)) == words


def test_the_list_costs_the_same_however_long_it_is(
    officer: Any, sign_in: Any, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(officer)
    client.get(reverse(LIST))
    with django_assert_max_num_queries(15) as many:
        client.get(reverse(LIST))
    SendingWindow.objects.exclude(country="FR").update(valid_until=date(2001, 1, 1))
    with django_assert_num_queries(len(many)):
        client.get(reverse(LIST), {"in_force": "now"})


def test_filters(officer: Any, sign_in: Any, clock: Any) -> None:
    SendingWindow.objects.filter(country="FR").update(valid_until="2026-11-21")
    SendingWindow.objects.filter(country="IT").update(valid_until="2026-11-22")
    SendingWindow.objects.filter(country="ES").update(valid_from="2026-11-23")
    SendingWindow.objects.filter(country="PT").update(valid_from="2026-11-22")
    client = sign_in(officer)

    def countries(**query: str) -> set[str]:
        return {row.country for row in client.get(reverse(LIST), query).context["cl"].result_list}

    everywhere = {"", "FR", "IT", "ES", "PT", "DE", "GB", "US"}
    assert countries() == countries(in_force="nonsense") == everywhere
    assert countries(in_force="now") == everywhere - {"FR", "ES"}
    assert (countries(in_force="over"), countries(in_force="later")) == ({"FR"}, {"ES"})
    assert countries(country="US") == {"US"}
    assert countries(basis="charter") == {"FR"}


def test_narrowing_needs_nothing_more(officer: Any, sign_in: Any) -> None:
    client = sign_in(officer)
    assert save(client, italy(), monday="10:00-12:00, 14:00-19:00", saturday="") == []
    assert save(client, italy(), max_per_day=2) == []
    assert save(client, florida(), max_per_day=2) == []
    assert save(client, florida(), open_on_holidays=False) == []
    assert save(client, italy(), source="Another wording") == []
    assert italy().history.count() == 4 and italy().monday == "10:00-12:00, 14:00-19:00"


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("IT", {"monday": "09:00-20:01"}),
        ("IT", {"monday": "08:59-20:00"}),
        ("IT", {"sunday": "12:00-12:01"}),
        ("IT", {"open_on_holidays": "on"}),
        ("IT", {"valid_until": "2030-12-31"}),
        ("IT", {"valid_from": "2000-01-02"}),
        ("IT", {"kind": "marketing"}),
        ("IT", {"country": "SM"}),
        ("FL", {"region": "GA"}),
        ("FL", {"max_per_day": 4}),
        ("FL", {"max_per_day": None}),
    ],
)
def test_widening_needs_a_reason_and_a_source(place: str, changes: dict, officer: Any, sign_in: Any) -> None:
    client, window = sign_in(officer), italy() if place == "IT" else florida()
    why, where = {"_reason": "Counsel agreed"}, {"source": "Opinion of our counsel of today"}
    assert save(client, window, **changes) == [NO_REASON, NO_SOURCE]
    assert save(client, window, **changes, **where, _reason="  ") == [NO_REASON]
    assert save(client, window, **changes, **why, source=f"  {window.source} ") == [NO_SOURCE]
    assert window.history.count() == 1
    assert save(client, window, **changes, **why, **where) == []
    told = window.history.first()
    assert (told.actor, told.history_change_reason, told.source) == ("officer", "Counsel agreed", where["source"])


NEW = {"basis": "house", "source": "House rule", "valid_from": "2026-01-01"}
WEEK = dict.fromkeys(WEEKDAYS[:5], "09:00-20:00")


@pytest.mark.parametrize(
    ("new", "complaints"),
    [
        ({"country": "IT", "kind": "marketing", "monday": "00:00-24:00"}, []),  # beside another rule it narrows
        ({"country": "us", "region": "ny", "monday": "00:00-24:00"}, []),
        ({"country": "AT", **WEEK}, []),  # as the default rule
        ({"country": "AT", **WEEK, "friday": "09:00-20:30"}, [NO_REASON]),
        ({"country": "AT", "open_on_holidays": "on"}, [NO_REASON]),
        ({"kind": "marketing", "monday": "00:00-24:00"}, []),
    ],
)
def test_a_new_rule_narrows_unless_it_takes_a_country_out_of_the_default(
    new: dict, complaints: list, officer: Any, sign_in: Any
) -> None:
    client, address = sign_in(officer), reverse("admin:campaigns_sendingwindow_add")
    answer = client.post(address, NEW | new)
    assert [words for words in (NO_REASON, NO_SOURCE) if words in answer.content.decode()] == complaints
    assert answer.status_code == (200 if complaints else 302)
    if complaints:
        assert client.post(address, NEW | new | {"_reason": "Vienna wants it"}).status_code == 302
    told = history.history_of(SendingWindow)._default_manager.order_by("-history_id").first()
    assert (told.history_type, told.country) == ("+", new.get("country", "").upper())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"country": "XX"}, "There is no such country"),
        ({"country": "", "region": "FL"}, "A region needs its country"),
        ({"country": "ES", "region": "CN"}, "regions in the US only"),
        ({"country": "US", "region": "QQ"}, "regions in the US only"),
        ({"monday": "9-20"}, "Write hours like 09:00-20:00"),
        ({"monday": "09:00-25:00"}, "Write hours like 09:00-20:00"),
        ({"valid_until": "1999-12-31"}, "before the beginning"),
        ({"source": ""}, "required"),
    ],
)
def test_what_cannot_be_a_rule_is_said(changes: dict, complaint: str, officer: Any, sign_in: Any) -> None:
    answer = sign_in(officer).post(page(italy()), fields(italy(), **changes, _reason="x"))
    assert complaint in answer.content.decode()


def test_the_page_shows_when_a_text_would_go(officer: Any, auditor: Any, sign_in: Any, clock: Any) -> None:
    clock.move_to("2026-12-04T10:00:00+01:00")
    for user in (officer, auditor):
        text = sign_in(user).get(page(italy())).content.decode()
        for line in ("Fri 4 December: 09:00–20:00", "Sun 6 December: closed", "Tue 8 December: closed"):
            assert line in text
        assert "11 December" not in text
    assert "Sun 6 December: 12:00–20:00" in sign_in(officer).get(page(florida())).content.decode()  # with its country's
    assert "When would" not in sign_in(officer).get(reverse("admin:campaigns_sendingwindow_add")).content.decode()


def test_nobody_deletes_one_and_only_officers_change_one(
    officer: Any, manager: Any, superuser: Any, sign_in: Any
) -> None:
    for user in (officer, superuser):
        assert sign_in(user).post(page(italy(), "delete"), {"post": "yes"}).status_code == 403
    assert sign_in(manager).post(page(italy()), fields(italy(), saturday="")).status_code == 403
    assert italy().saturday == "10:00-19:00"
    assert "Shipped with the software" in sign_in(manager).get(page(italy(), "history")).content.decode()
