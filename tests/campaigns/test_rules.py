"""Caps and hours in the one decision: on the boundary and one unit beyond, for one and for many (RULES C12, §3)."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from campaigns import openings, rules
from campaigns.models import Message, SendingWindow
from campaigns.openings import Hours, Place
from consent.contacts.models import Contact
from consent.ledger import decision, explanation
from consent.ledger.models import Purpose
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.hours]

NOON = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # a Tuesday: open in Europe and on both American coasts
TICK = timedelta(microseconds=1)
WEEK, DAY = timedelta(days=7), timedelta(days=1)


def person(number_of: str = "IT", to: Purpose | None = None, **changes: Any) -> Contact:
    row = factories.contact(country=number_of)
    factories.consent(row, to, captured_at=NOON - timedelta(days=10))
    Contact.objects.filter(pk=row.pk).update(**changes)
    return Contact.objects.get(pk=row.pk)


def refusals(to: Purpose | None = None, at: datetime = NOON, **how: Any) -> dict[int, str]:
    context = decision.context_for(to or Purpose.objects.get(), at, **how)
    return dict(decision.decide(context).values_list("pk", "refusal"))


def refusal(who: Contact, to: Purpose | None = None, at: datetime = NOON) -> str:
    """What the decision says of one person, which must be what it says among everybody."""
    context = decision.context_for(to or Purpose.objects.get(), at)
    alone = decision.decide(context, Contact.objects.filter(pk=who.pk), few=True).get().refusal
    assert alone == refusals(to, at)[who.pk]
    return alone


def went(to: Contact, ago: timedelta, **fields: Any) -> Message:
    return factories.message(to, **{"state": "delivered", "handed_at": NOON - ago} | fields)


def frees(who: Contact, to: Purpose | None = None) -> datetime | None:
    context = decision.context_for(to or Purpose.objects.get(), NOON)
    return rules.frees_at([who.pk], context).get(who.pk)


def test_a_text_counts_until_exactly_a_week_has_passed(clock: Any) -> None:
    factories.purpose(max_per_week=1)
    just_now, still, past = person(), person(), person()
    went(just_now, timedelta(0))
    went(still, WEEK - TICK)
    went(past, WEEK)
    assert [refusal(p) for p in (just_now, still, past)] == ["frequency_cap", "frequency_cap", ""]
    assert [frees(p) for p in (just_now, still, past)] == [NOON + WEEK, NOON + TICK, None]


def test_the_stricter_of_the_persons_and_the_purposes_limit_counts(clock: Any) -> None:
    alerts = factories.purpose(max_per_week=2)
    offers = factories.purpose("offers", max_per_week=2)
    modest, keen, other = person(to=alerts, max_per_week=1), person(to=alerts, max_per_week=9), person(to=alerts)
    for who in (modest, keen, other):
        went(who, DAY, purpose=offers)  # the person's own limit counts all purposes, the purpose's its own
    assert [refusal(p, alerts) for p in (modest, keen, other)] == ["frequency_cap", "", ""]
    assert frees(modest, alerts) == NOON + WEEK - DAY
    went(keen, 3 * DAY, purpose=alerts)
    assert refusal(keen, alerts) == ""
    went(keen, 2 * DAY, purpose=alerts)
    assert refusal(keen, alerts) == "frequency_cap"
    assert frees(keen, alerts) == NOON + WEEK - 3 * DAY
    went(keen, 4 * DAY, purpose=alerts)  # one too many went: two have to pass
    assert frees(keen, alerts) == NOON + WEEK - 3 * DAY


@pytest.mark.parametrize("state", Message.State.values)
def test_what_went_or_is_about_to_go_counts(state: str, clock: Any) -> None:
    factories.purpose(max_per_week=1)
    who = person()
    handed_at = NOON - DAY if state in (*Message.GONE, "queued", "failed") else None  # also what is to be tried again
    factories.message(who, state=state, handed_at=handed_at, refusal="held" if state == "refused" else "")
    counts = state in (*Message.GONE, "claimed")
    assert refusal(who) == ("frequency_cap" if counts else "")
    assert frees(who) == ({"claimed": NOON + rules.SOON}.get(state, NOON + WEEK - DAY) if counts else None)


@pytest.mark.parametrize("kind", Message.Kind.values)
def test_answers_and_questions_do_not_count(kind: str, clock: Any, officer: Any) -> None:
    to = factories.purpose(max_per_week=1)
    who = person()
    extra = {"campaign": factories.campaign(to, author=officer)} if kind == "campaign" else {}
    went(who, DAY, kind=kind, **extra)
    counts = kind in ("campaign", "welcome", "reconfirmation", "renewal")
    assert refusal(who) == ("frequency_cap" if counts else "")


def test_of_no_texts_at_all_everybody_has_got_as_many(clock: Any) -> None:
    to = factories.purpose()
    never, anybody = person(max_per_week=0), person()
    assert [refusal(never), refusal(anybody)] == ["frequency_cap", ""]
    assert frees(never) == NOON + WEEK
    Purpose.objects.update(max_per_week=0)
    to.refresh_from_db()
    assert set(refusals(to).values()) == {"frequency_cap"}


def test_a_states_limit_a_day_binds_its_people_only_and_for_24_hours(clock: Any) -> None:
    factories.purpose(max_per_week=50)
    florida = {"country": "US", "region": "FL", "zones": "America/New_York"}
    full, one_left, elsewhere = person(**florida), person(**florida), person(**florida | {"region": "NY"})
    for hours in (1, 2):
        for who in (full, one_left, elsewhere):
            went(who, timedelta(hours=hours))
    went(full, DAY - TICK)
    went(one_left, DAY)
    went(elsewhere, timedelta(hours=3))
    assert [refusal(p) for p in (full, one_left, elsewhere)] == ["frequency_cap", "", ""]
    assert [frees(p) for p in (full, one_left, elsewhere)] == [NOON + TICK, None, None]
    SendingWindow.objects.filter(region="FL").update(valid_until=NOON.date() - DAY)  # over since yesterday
    assert refusal(full) == ""
    SendingWindow.objects.filter(region="FL").update(valid_until=NOON.date())
    assert refusal(full) == "frequency_cap"


def test_a_default_rules_limit_does_not_bind_a_country_with_rules(clock: Any) -> None:
    factories.purpose(max_per_week=50)
    SendingWindow.objects.filter(country="").update(max_per_day=0)
    here, abroad = person(), person()
    Contact.objects.filter(pk=abroad.pk).update(country="AT", zones="Europe/Vienna")
    assert [refusal(here), refusal(abroad)] == ["", "frequency_cap"]


def test_hours_defer_and_say_so(clock: Any) -> None:
    to = factories.purpose()
    who = person("ES")
    assert refusal(who) == ""
    late = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)  # 21:00 in Madrid, 20:00 on the Canary Islands
    assert refusal(who, at=late) == "outside_window"
    Contact.objects.filter(pk=who.pk).update(known_zone="Atlantic/Canary")
    assert refusal(who, at=late) == ""
    Contact.objects.filter(pk=who.pk).update(known_zone="", zones="")
    assert refusal(who) == "outside_window"
    told = explanation.explain(who, to, late)
    assert [(code.code, code.rule) for code in told.codes] == [("outside_window", "RULES §3")]
    SendingWindow.objects.update(valid_until=NOON.date() - DAY)
    assert set(refusals(at=NOON).values()) == {"outside_window"}


def test_another_channel_stands_before_caps_and_caps_before_hours(clock: Any) -> None:
    to = factories.purpose(max_per_week=1)
    who = person(preferred_channel="email")
    went(who, DAY)
    night = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    codes = ["channel_preference", "frequency_cap", "outside_window"]
    assert [code.code for code in explanation.explain(who, to, night).codes] == codes
    for n, code in enumerate(codes):
        tolerated = set(codes[:n])
        assert refusals(at=night, tolerated=tolerated)[who.pk] == code
    assert refusals(at=night, tolerated=set(codes))[who.pk] == ""


def test_the_rows_that_were_applied_are_named(clock: Any) -> None:
    hours = Hours.load("marketing")
    rows = {
        pk: (country, region) for pk, country, region in SendingWindow.objects.values_list("pk", "country", "region")
    }
    named = [
        [rows[pk] for pk in rules.row_ids(place, NOON, hours)]
        for place in (
            Place("US", "FL", "America/New_York"),
            Place("IT", "", "Europe/Rome"),
            Place("JP", "", "Asia/Tokyo"),
        )
    ]
    assert named == [[("US", ""), ("US", ""), ("US", "FL")], [("IT", "")], [("", "")]]


# --- held to a plain model -------------------------------------------------------------------------------------------


def model(who: Contact, to: Purpose, texts: list[tuple[int, datetime]], at: datetime) -> str:
    """``texts``: purpose and moment of what went to this person."""
    week = [purpose for purpose, when in texts if when > at - WEEK]
    day = [when for _purpose, when in texts if when > at - DAY]
    if week.count(to.pk) >= to.max_per_week or (who.max_per_week is not None and len(week) >= who.max_per_week):
        return "frequency_cap"
    if who.country == "US" and who.region == "FL" and len(day) >= 3:
        return "frequency_cap"
    return "" if Hours.load(to.kind).is_open(Place.of(who), at) else "outside_window"


def test_one_and_many_are_judged_as_the_plain_model_does(clock: Any, django_assert_max_num_queries: Any) -> None:
    to, other = factories.purpose(max_per_week=4), factories.purpose("offers")
    places = (
        {"country": "IT", "zones": "Europe/Rome"},
        {"country": "ES", "zones": "Atlantic/Canary Europe/Madrid"},
        {"country": "US", "region": "FL", "zones": "America/New_York"},
        {"country": "US", "region": "CA", "zones": "America/Los_Angeles"},
        {"country": "IN", "zones": "", "known_zone": "Asia/Kolkata"},
        {"country": "IT", "zones": ""},
    )
    histories = (
        [],
        [(to, 6 * DAY), (other, DAY)],
        [(to, timedelta(hours=h)) for h in (1, 2, 23)],
        [(to, n * DAY) for n in (1, 2, 3, 6)],
        [(other, timedelta(hours=h)) for h in (1, 2, 3, 4, 5)],
    )
    texts: dict[int, list[tuple[int, datetime]]] = {}
    for n, (place, history) in enumerate(product(places, histories)):
        who = person("IT", to, **place, max_per_week=(None, 2, 4)[n % 3])
        texts[who.pk] = [(went(who, ago, purpose=about).purpose_id, NOON - ago) for about, ago in history]  # type: ignore[misc]
    for at in (NOON, NOON + timedelta(hours=4, minutes=1), NOON + timedelta(hours=12), NOON + 2 * DAY):
        people = {who.pk: who for who in Contact.objects.all()}
        expected = {pk: model(who, to, texts[pk], at) for pk, who in people.items()}
        assert refusals(to, at) == expected
        assert set(expected.values()) >= {"", "frequency_cap", "outside_window"} or at != NOON
        context = decision.context_for(to, at)
        few = decision.decide(context, Contact.objects.filter(pk__in=people), few=True)
        assert dict(few.values_list("pk", "refusal")) == expected
        free = rules.frees_at(people, context)
        assert free.keys() == {pk for pk, code in expected.items() if code == "frequency_cap"}
        for pk, moment in free.items():  # capped until then, and no longer
            assert model(people[pk], to, texts[pk], moment - TICK) == "frequency_cap"
            assert model(people[pk], to, texts[pk], moment) != "frequency_cap"
    with django_assert_max_num_queries(4):  # the notice's version, windows, places, the decision
        refusals(to)
    assert openings.places(Contact.objects.all()) == {Place.of(who) for who in Contact.objects.all()}
