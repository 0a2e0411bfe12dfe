"""The preflight: its figures are the decision's own, in one query; who gets which text, at what cost, when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import forecast, preflight, segments, wording, workflow
from campaigns.models import Campaign, CampaignBody, SendingWindow
from campaigns.openings import Hours, Place
from consent.contacts.models import Audience
from consent.ledger import decision
from tests import factories

pytestmark = pytest.mark.django_db
ROME, PARIS = Place("IT", "", "Europe/Rome"), Place("FR", "", "Europe/Paris")
SUNDAY = datetime(2026, 11, 22, 9, tzinfo=UTC)  # 10:00 in Rome, when nothing is open
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)  # 09:00 in Rome, when it opens


@pytest.fixture
def draft(manager: Any) -> Campaign:
    return factories.campaign(author=manager, text="Officina: new jobs this week, {first_name}.")


def a_crowd(campaign: Campaign) -> None:
    """Somebody behind many codes, in several places and languages."""
    to = campaign.purpose
    for status in ("given", "renewed", "withdrawn", "expired", "requested", "refused"):
        factories.consent(to=to, status=status)
    for country in ("FR", "DE", "GB"):
        factories.consent(factories.contact(country=country), to)
    factories.contact("Nobody asked")
    factories.consent(factories.contact(preferred_channel="email"), to)
    factories.consent(factories.contact(held_since=timezone.now()), to)
    capped = factories.consent(to=to).contact
    for _n in range(to.max_per_week):
        factories.message(
            capped, kind="renewal", state="sent", handed_at=timezone.now() - timedelta(hours=1), purpose=to
        )


@pytest.mark.hours
@pytest.mark.parametrize("shift", [timedelta(0), timedelta(days=1)], ids=["Sunday", "Monday"])
def test_its_counts_are_those_of_the_decision(shift: timedelta, draft: Campaign, clock: Any) -> None:
    a_crowd(draft)
    at = timezone.now() + shift
    found = preflight.run(draft, at)
    context = decision.context_for(draft.purpose, at, draft)
    assert found["counts"] == decision.counts(context, draft.audience.contacts())
    assert list(found["counts"]) == list(decision.counts(context, draft.audience.contacts()))
    assert found["counts"]["frequency_cap"] == 1
    assert found["total"] == sum(found["counts"].values())
    assert found["deferred"] == found["counts"].get("outside_window", 0) + 1
    assert (found["counts"]["allowed"] == 0) == (shift == timedelta(0))
    assert Campaign.objects.get().preflight == found


def test_only_the_audience_counts(draft: Campaign) -> None:
    a_crowd(draft)
    with factories.acting():
        draft.audience = Audience.objects.create(name="French", country="FR")
        draft.save()
    assert preflight.run(draft, timezone.now())["counts"] == {"allowed": 1}


def test_the_number_of_queries_knows_no_number_of_people(draft: Campaign, django_assert_max_num_queries: Any) -> None:
    a_crowd(draft)
    with django_assert_max_num_queries(15):
        preflight.run(draft, timezone.now())


def test_figures_write_no_history(draft: Campaign) -> None:
    before = Campaign.history.count()
    preflight.run(draft, timezone.now())
    assert Campaign.history.count() == before


# --- languages and cost ------------------------------------------------------------------------------------


def test_people_get_the_text_of_their_language_or_that_for_everybody_else(draft: Campaign) -> None:
    with factories.acting():
        text = "Officina: nuovi lavori, {first_name}. " + "à" * 200
        CampaignBody.objects.create(campaign=draft, language="it", text=text)
        draft.sender.price_per_part = "0.0450"
        draft.sender.save()
    for language in ("it", "it", "de", "en"):
        factories.consent(factories.contact("Ada", language=language), draft.purpose)
    found = preflight.run(draft, timezone.now())
    rows = {row["language"]: row for row in found["languages"]}
    assert {code: (row["people"], row["body"]) for code, row in rows.items()} == {
        "it": (2, "it"),
        "de": (1, "en"),
        "en": (1, "en"),
    }
    contact = factories.contact("Ada", language="it")
    for code in ("it", "en"):
        text = wording.render(
            draft.bodies.get(language=code).text,
            contact=contact,
            sender=draft.sender,
            purpose=draft.purpose,
            language=code,
            first=True,
        )
        assert rows[code]["parts"] == segments.measure(text).parts
    assert found["parts"] == 2 * rows["it"]["parts"] + 2 * rows["en"]["parts"]
    assert float(found["cost"]) == pytest.approx(0.045 * found["parts"], abs=0.03)
    assert rows["it"]["parts"] > 1


def test_a_long_name_makes_the_most_parts_and_not_the_whole_cost(draft: Campaign) -> None:
    CampaignBody.objects.filter(campaign=draft).update(text="{brand} {first_name} " + "a" * 110)
    with factories.acting():
        draft.sender.price_per_part = 1
        draft.sender.save()
    for name in ("Bo", "Bo", "Bo", "Wolfgangmariahieronymusj"):
        factories.consent(factories.contact(name), draft.purpose)
    found = preflight.run(draft, timezone.now())
    assert found["languages"][0]["parts"] > 1
    assert found["parts"] < 4 * found["languages"][0]["parts"]


def test_an_empty_audience_costs_nothing_and_goes_never(draft: Campaign) -> None:
    found = preflight.run(draft, timezone.now())
    assert (found["counts"], found["cost"], found["first"], found["left"]) == ({"allowed": 0}, "0", None, 0)


# --- what changed ------------------------------------------------------------------------------------------


def test_what_changed_since_the_approval(draft: Campaign, manager: Any, officer: Any) -> None:
    person = factories.consent(to=draft.purpose).contact
    workflow.submit(draft, manager)
    workflow.approve(draft, officer)
    assert preflight.differences(draft) == []
    factories.contact()
    with factories.acting():
        person.held_since = timezone.now()
        person.save()
    preflight.run(draft, timezone.now())
    told = [(change.code, change.before, change.now) for change in preflight.differences(draft)]
    assert told == [("allowed", 1, 0), ("held", 0, 1), ("no_consent", 0, 1)]


def test_figures_cover_only_what_they_counted(draft: Campaign) -> None:
    assert not preflight.covers(draft)
    preflight.run(draft, timezone.now())
    assert preflight.covers(draft)
    assert preflight.fresh(draft, timedelta(minutes=10))
    CampaignBody.objects.filter(campaign=draft).update(text="Officina: other words.")
    assert not preflight.covers(draft)
    assert not preflight.fresh(draft, timedelta(minutes=10))


# --- when it goes ------------------------------------------------------------------------------------------


@pytest.fixture
def hours(db: None) -> Hours:
    """Italy 09–12 and 14–20 on weekdays; France 08–20 from Monday to Saturday."""
    common = {"basis": "house", "source": "test", "valid_from": "2026-01-01", "region": ""}
    week = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-12:00, 14:00-20:00")
    italy = SendingWindow(country="IT", **common, **week)
    france = SendingWindow(country="FR", **common, **dict.fromkeys([*week, "saturday"], "08:00-20:00"))
    for row in (italy, france):
        row.clean_fields(exclude=["source"])
    return Hours([italy, france])


def expect(hours: Hours, people: dict[Place, int], start: datetime, rate: float, days: int = 7) -> forecast.Forecast:
    return forecast.forecast(hours, people, start, start + timedelta(days=days), rate)


@pytest.mark.hours
def test_a_closed_place_waits_for_its_opening(hours: Hours) -> None:
    found = expect(hours, {ROME: 11}, SUNDAY, 1)
    assert (found.first, found.last, found.left) == (MONDAY, MONDAY + timedelta(seconds=10), 0)


@pytest.mark.hours
def test_what_does_not_fit_goes_on_after_the_break(hours: Hours) -> None:
    fits = 3 * 3600
    assert expect(hours, {ROME: fits}, MONDAY, 1).last == MONDAY + timedelta(seconds=fits - 1)
    one_more = expect(hours, {ROME: fits + 1}, MONDAY, 1)
    assert one_more.last == MONDAY + timedelta(hours=5)  # 14:00


@pytest.mark.hours
def test_places_share_the_rate_and_the_first_to_close_goes_first(hours: Hours) -> None:
    found = expect(hours, {ROME: 3600, PARIS: 3600}, MONDAY, 1)
    assert found.last == MONDAY + timedelta(seconds=7199)
    # One hour before noon: Rome's last hour is Rome's, Paris follows.
    late = MONDAY + timedelta(hours=2)
    assert expect(hours, {ROME: 3600, PARIS: 10}, late, 1).last == late + timedelta(seconds=3609)


@pytest.mark.hours
def test_what_never_fits_is_left(hours: Hours) -> None:
    found = expect(hours, {ROME: 9 * 3600 + 5, Place("XX", "", ""): 3}, MONDAY, 1, days=1)
    assert found.left == 8
    assert found.last == MONDAY + timedelta(hours=11, seconds=-1)


@pytest.mark.hours
def test_in_the_night_of_the_winter_time_it_opens_by_the_clock_on_the_wall(hours: Hours) -> None:
    friday = datetime(2026, 10, 23, 19, tzinfo=UTC)  # 21:00 in Rome, still summer
    assert expect(hours, {ROME: 1}, friday, 1).first == datetime(2026, 10, 26, 8, tzinfo=UTC)
