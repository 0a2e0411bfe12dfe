"""When people may be texted: every shipped window at its edges, clock changes, holidays, zones (RULES §3)."""

import importlib
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import openings
from campaigns.models import SendingWindow
from campaigns.models.windows import WEEKDAYS, parse_hours
from campaigns.openings import Hours, Place
from consent.contacts.models import Contact
from consent.core import history, numbers
from tests import factories

pytestmark = pytest.mark.hours

SECOND = timedelta(seconds=1)
SHIPPED = importlib.import_module("campaigns.migrations.0002_seed_windows").SEEDS
MON, THU, SAT, SUN = "2026-11-23", "2026-11-26", "2026-11-28", "2026-11-29"  # that Thursday is Thanksgiving


def row(pk: int = 1, country: str = "", region: str = "", **fields: Any) -> SendingWindow:
    """A rule that is in no database; ``every`` stands for all seven days."""
    days = dict.fromkeys(WEEKDAYS, fields.pop("every", ""))
    return SendingWindow(pk=pk, country=country, region=region, **{"valid_from": date(2000, 1, 1)} | days | fields)


def shipped() -> Hours:
    return Hours(
        row(pk, country, region, **hours, **more)
        for pk, (country, region, hours, more, _basis, _source) in enumerate(SHIPPED, 1)
    )


def at(zone: str, moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))


def utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "region", "zone", "day", "opens", "closes"),
    [
        ("KE", "", "Africa/Nairobi", MON, "09:00", "20:00"),  # the default
        ("", "", "Europe/Rome", MON, "09:00", "20:00"),  # nobody knows the country
        ("IN", "", "Asia/Kolkata", MON, "09:00", "20:00"),  # half an hour off
        ("FR", "", "Europe/Paris", MON, "08:00", "20:00"),
        ("FR", "", "Europe/Paris", SAT, "08:00", "20:00"),
        ("IT", "", "Europe/Rome", MON, "09:00", "20:00"),
        ("IT", "", "Europe/Rome", SAT, "10:00", "19:00"),
        ("ES", "", "Europe/Madrid", MON, "09:00", "21:00"),
        ("PT", "", "Europe/Lisbon", MON, "09:00", "20:00"),
        ("PT", "", "Europe/Lisbon", SAT, "09:00", "20:00"),
        ("DE", "", "Europe/Berlin", MON, "09:00", "20:00"),
        ("DE", "", "Europe/Berlin", SAT, "09:00", "20:00"),
        ("GB", "", "Europe/London", MON, "09:00", "20:00"),
        ("GB", "", "Europe/London", SAT, "09:00", "20:00"),
        ("US", "NY", "America/New_York", MON, "09:00", "20:00"),
        ("US", "NY", "America/New_York", THU, "09:00", "20:00"),
        ("US", "NY", "America/New_York", SAT, "09:00", "20:00"),
        ("US", "NY", "America/New_York", SUN, "12:00", "20:00"),
        ("US", "FL", "America/New_York", MON, "09:00", "20:00"),
        ("US", "FL", "America/New_York", SUN, "12:00", "20:00"),
        ("US", "TX", "America/Chicago", SAT, "09:00", "20:00"),
        ("US", "TX", "America/Chicago", SUN, "12:00", "20:00"),
    ],
)
def test_a_shipped_window_opens_and_closes_on_the_second(
    country: str, region: str, zone: str, day: str, opens: str, closes: str
) -> None:
    hours, place = shipped(), Place(country, region, zone)
    start, end = at(zone, f"{day}T{opens}"), at(zone, f"{day}T{closes}")
    assert [hours.is_open(place, m) for m in (start - SECOND, start, end - SECOND, end)] == [False, True, True, False]
    assert hours.next_opening(place, start - SECOND) == start
    assert hours.closing(place, start) == end
    assert hours.closing(place, end - timedelta(microseconds=1)) == end


@pytest.mark.parametrize(
    ("country", "zone", "day"),
    [
        ("KE", "Africa/Nairobi", SAT), ("KE", "Africa/Nairobi", SUN), ("FR", "Europe/Paris", SUN),
        ("IT", "Europe/Rome", SUN), ("ES", "Europe/Madrid", SAT), ("ES", "Europe/Madrid", SUN),
        ("PT", "Europe/Lisbon", SUN), ("DE", "Europe/Berlin", SUN), ("GB", "Europe/London", SUN),
        # holidays
        ("FR", "Europe/Paris", "2026-05-01"), ("IT", "Europe/Rome", "2026-12-08"),
        ("PT", "Europe/Lisbon", "2026-12-25"),
        *[(c, z, "2026-12-26") for c, z in (("DE", "Europe/Berlin"), ("GB", "Europe/London"), ("IT", "Europe/Rome"))],
        ("GB", "Europe/London", "2026-12-28"),
        ("ES", "Europe/Madrid", "2026-10-12"), ("KE", "Africa/Nairobi", "2027-01-01"),
        *[(c, z, "2027-03-29") for c, z in (("FR", "Europe/Paris"), ("IT", "Europe/Rome"), ("DE", "Europe/Berlin"),
                                             ("GB", "Europe/London"))],  # Easter Monday
    ],
)  # fmt: skip
def test_a_day_off_is_closed_from_midnight_to_midnight(country: str, zone: str, day: str) -> None:
    hours, place, midnight = shipped(), Place(country, "", zone), at(zone, f"{day}T00:00")
    assert not any(hours.is_open(place, midnight + timedelta(minutes=15 * n)) for n in range(24 * 4))
    opens = hours.next_opening(place, midnight)
    assert opens is not None and opens.astimezone(ZoneInfo(zone)).date() > date.fromisoformat(day)


def test_hours_go_on_next_to_a_holiday_and_over_the_end_of_the_year() -> None:
    hours, place = shipped(), Place("IT", "", "Europe/Rome")
    assert hours.is_open(place, at("Europe/Rome", "2026-12-07T19:59:59"))
    assert hours.next_opening(place, at("Europe/Rome", "2026-12-07T20:00")) == at("Europe/Rome", "2026-12-09T09:00")
    assert hours.is_open(place, at("Europe/Rome", "2026-12-31T19:59:59"))
    assert hours.next_opening(place, at("Europe/Rome", "2026-12-31T20:00")) == at("Europe/Rome", "2027-01-02T10:00")


def test_a_region_has_its_own_holidays_and_an_unknown_one_those_of_the_country() -> None:
    hours, noon = shipped(), at("Europe/Berlin", "2027-01-06T12:00")  # Epiphany is a holiday in Bavaria
    assert not hours.is_open(Place("DE", "BY", "Europe/Berlin"), noon)
    assert hours.is_open(Place("DE", "", "Europe/Berlin"), noon)
    assert hours.is_open(Place("DE", "?", "Europe/Berlin"), noon)
    assert openings.public_holidays("", "", 2026) == openings.public_holidays("ZZ", "", 2026) == frozenset()


def test_a_number_that_can_be_in_several_zones_waits_for_all_of_them() -> None:
    hours = shipped()
    spain = place_of("+34612000001", "ES")
    assert spain.zones == "Atlantic/Canary Europe/Madrid"
    assert hours.next_opening(spain, at("Europe/Madrid", f"{MON}T00:00")) == at("Atlantic/Canary", f"{MON}T09:00")
    assert hours.closing(spain, at("Europe/Madrid", f"{MON}T12:00")) == at("Europe/Madrid", f"{MON}T21:00")
    portugal = place_of("+351912000001", "PT")
    assert portugal.zones == "Atlantic/Azores Europe/Lisbon"
    assert hours.next_opening(portugal, at("Europe/Lisbon", f"{MON}T00:00")) == at("Atlantic/Azores", f"{MON}T09:00")
    assert hours.closing(portugal, at("Europe/Lisbon", f"{MON}T12:00")) == at("Europe/Lisbon", f"{MON}T20:00")
    usa = Place("US", "", "America/Adak America/Chicago America/New_York Pacific/Honolulu")
    opens = at("Pacific/Honolulu", f"{MON}T09:00")
    assert hours.next_opening(usa, at("America/New_York", f"{MON}T00:00")) == opens
    assert hours.closing(usa, opens) == at("America/New_York", f"{MON}T20:00")
    apart = Place("", "", "America/New_York Asia/Bangkok")  # twelve hours: never open in both
    assert hours.next_opening(apart, at("Asia/Bangkok", f"{MON}T00:00")) is None


def place_of(e164: str, country: str) -> Place:
    parsed = numbers.parse(e164, country)
    return Place(parsed.country, parsed.region, parsed.zones)


@pytest.mark.parametrize("zones", ["", "Nowhere/Land", "Europe/Rome Nowhere/Land", "../etc/passwd"])
def test_where_a_zone_is_unknown_it_is_closed(zones: str) -> None:
    hours = Hours([row(every="00:00-24:00", open_on_holidays=True)])
    assert not hours.is_open(Place("IT", "", zones), at("Europe/Rome", f"{MON}T12:00"))
    assert hours.next_opening(Place("IT", "", zones), at("Europe/Rome", f"{MON}T12:00")) is None


def test_without_a_rule_it_is_closed_and_a_regions_rule_alone_opens_nothing() -> None:
    noon, place = at("Europe/Rome", f"{MON}T12:00"), Place("IT", "LO", "Europe/Rome")
    assert not Hours([]).is_open(place, noon)
    assert not Hours([row(country="IT", region="LO", every="09:00-20:00")]).is_open(place, noon)
    assert not Hours([row(country="FR", every="09:00-20:00")]).is_open(place, noon)
    assert Hours([row(every="09:00-20:00")]).is_open(place, noon)


def test_a_region_narrows_its_country_or_the_default() -> None:
    place = Place("IT", "LO", "Europe/Rome")
    narrow = row(2, "IT", "LO", every="11:00-23:00")
    for basis in (row(1, "IT", every="09:00-20:00"), row(1, every="09:00-20:00")):
        hours = Hours([basis, narrow])
        assert hours.spans(place, date(2026, 11, 23)) == ((time(11), time(20)),)
        assert hours.spans(Place("IT", "", "Europe/Rome"), date(2026, 11, 23)) == ((time(9), time(20)),)
        assert [r.pk for r in hours.applying_now(place, at("Europe/Rome", f"{MON}T12:00"))] == [1, 2]


def test_a_rule_holds_from_its_first_day_to_its_last() -> None:
    first, last = date(2026, 11, 23), date(2026, 11, 24)
    old = row(1, "IT", every="09:00-20:00", open_on_holidays=True)
    new = row(2, "IT", every="09:00-12:00", open_on_holidays=True, valid_from=first, valid_until=last)
    hours, place = Hours([old, new]), Place("IT", "", "Europe/Rome")
    ends = [hours.spans(place, first + timedelta(days=n))[0][1].hour for n in (-1, 0, 1, 2)]
    assert ends == [20, 12, 12, 20]
    only = Hours([new])  # before its first day and after its last there is no rule at all
    assert [bool(only.spans(place, first + timedelta(days=n))) for n in (-1, 0, 1, 2)] == [False, True, True, False]
    assert only.next_opening(place, at("Europe/Rome", "2026-11-20T12:00")) == at("Europe/Rome", "2026-11-23T09:00")


def test_a_whole_day_has_no_hole_at_midnight() -> None:
    hours, place = Hours([row(every="00:00-24:00", open_on_holidays=True)]), Place("IT", "", "Europe/Rome")
    midnight = at("Europe/Rome", f"{MON}T00:00")
    tick = timedelta(microseconds=1)
    assert all(hours.is_open(place, m) for m in (midnight - tick, midnight, midnight + tick))
    assert hours.closing(place, midnight) is None


@pytest.mark.parametrize(
    ("zone", "span", "since", "opens", "closes"),
    [
        # Spring: the clock jumps over the opening, or over the end.
        ("Europe/Rome", "02:30-05:00", "2027-03-28T00:00", "2027-03-28T01:00", "2027-03-28T03:00"),
        ("Europe/Rome", "01:00-02:30", "2027-03-27T23:30", "2027-03-28T00:00", "2027-03-28T01:00"),
        ("America/New_York", "02:30-05:00", "2027-03-14T06:00", "2027-03-14T07:00", "2027-03-14T09:00"),
        ("Australia/Lord_Howe", "02:15-05:00", "2026-10-03T15:00", "2026-10-03T15:30", "2026-10-03T18:00"),
        # Autumn: an hour comes twice.
        ("Europe/Rome", "02:30-02:45", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T00:45"),
        ("Europe/Rome", "02:30-02:45", "2026-10-25T00:45", "2026-10-25T01:30", "2026-10-25T01:45"),
        ("Europe/Rome", "00:00-02:30", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"),
        ("America/New_York", "01:30-03:00", "2026-11-01T05:00", "2026-11-01T05:30", "2026-11-01T06:00"),
        ("America/New_York", "01:30-03:00", "2026-11-01T06:00", "2026-11-01T06:30", "2026-11-01T08:00"),
        # Nights around it: the same hours by the clock on the wall.
        ("Europe/Rome", "09:00-20:00", "2026-10-25T00:00", "2026-10-25T08:00", "2026-10-25T19:00"),
        ("Europe/Rome", "09:00-20:00", "2027-03-28T00:00", "2027-03-28T07:00", "2027-03-28T18:00"),
    ],
)
def test_nights_on_which_the_clock_is_changed(zone: str, span: str, since: str, opens: str, closes: str) -> None:
    hours, place = Hours([row(every=span, open_on_holidays=True)]), Place("", "", zone)
    assert hours.next_opening(place, utc(since)) == utc(opens)
    assert hours.closing(place, utc(opens)) == utc(closes)
    assert not hours.is_open(place, utc(opens) - SECOND)
    assert hours.is_open(place, utc(closes) - SECOND)


# --- held to a plain model -------------------------------------------------------------------------------------------

# RULES §3 once more: Monday to Friday, Saturday, Sunday.
TABLE = {
    "FR": ((8, 20), (8, 20), None), "IT": ((9, 20), (10, 19), None), "ES": ((9, 21), None, None),
    "PT": ((9, 20), (9, 20), None), "DE": ((9, 20), (9, 20), None), "GB": ((9, 20), (9, 20), None),
    "US": ((9, 20), (9, 20), (12, 20)),
}  # fmt: skip
PLACES = [
    Place("IT", "", "Europe/Rome"), Place("ES", "", "Atlantic/Canary Europe/Madrid"), Place("FR", "", "Europe/Paris"),
    Place("PT", "", "Atlantic/Azores Europe/Lisbon"), Place("DE", "", "Europe/Berlin"),
    Place("GB", "", "Europe/London"), Place("US", "FL", "America/Chicago America/New_York"),
    Place("US", "TX", "America/Denver"),
    Place("US", "", "America/New_York Pacific/Honolulu"), Place("AU", "", "Australia/Lord_Howe"), Place("IT", "", ""),
]  # fmt: skip


def model_open(place: Place, moment: datetime) -> bool:
    def by_the_clock(zone: str) -> bool:
        local = moment.astimezone(ZoneInfo(zone))
        week = TABLE.get(place.country, ((9, 20), None, None))
        span = week[max(0, local.weekday() - 4)]
        off = place.country != "US" and local.date() in openings.public_holidays(place.country, "", local.year)
        return span is not None and not off and span[0] <= local.hour < span[1]

    return bool(place.zones) and all(by_the_clock(zone) for zone in place.zones.split())


moments = st.timedeltas(timedelta(0), timedelta(days=730)).map(lambda passed: datetime(2026, 1, 1, tzinfo=UTC) + passed)
HOURS = shipped()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), moments, st.lists(st.floats(0, 1), max_size=10))
def test_openings_are_those_of_the_plain_model_and_nothing_lies_between(
    place: Place, moment: datetime, shares: list[float]
) -> None:
    assert HOURS.is_open(place, moment) == model_open(place, moment)
    opens = HOURS.next_opening(place, moment)
    if opens is None:
        assert place.zones == ""
        return
    assert opens >= moment and model_open(place, opens)
    before = [moment + (opens - moment) * share for share in shares] + [max(moment, opens - SECOND)]
    assert not any(model_open(place, m) for m in before if m < opens)
    closes = HOURS.closing(place, opens)
    assert closes is not None and closes > opens and not model_open(place, closes)
    within = [opens + (closes - opens) * share for share in shares] + [closes - SECOND]
    assert all(model_open(place, m) for m in within if opens <= m < closes)


# --- in the database ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_shipped_row_says_where_it_stands_and_has_its_history() -> None:
    rows = list(SendingWindow.objects.order_by("pk"))
    assert [(r.country, r.region, r.basis, r.max_per_day) for r in rows] == [
        ("", "", "house", None), ("FR", "", "charter", None), ("IT", "", "house", None), ("ES", "", "house", None),
        ("PT", "", "house", None), ("DE", "", "house", None), ("GB", "", "house", None), ("US", "", "law", None),
        ("US", "", "house", None), ("US", "FL", "law", 3), ("US", "OK", "law", 3), ("US", "MD", "law", 3),
        ("US", "TX", "law", None),
    ]  # fmt: skip
    assert all(r.source and r.open_on_holidays == (r.country == "US") for r in rows)
    assert [r.thursday for r in rows if r.basis == "law"] == ["08:00-21:00", *["08:00-20:00"] * 3, "09:00-21:00"]
    assert "they are not" in rows[1].source
    for window in rows:
        window.full_clean()
        (told,) = window.history.all()
        assert (told.history_type, told.actor) == ("+", "job:seed_windows")
        assert all(getattr(told, f.attname) == getattr(window, f.attname) for f in window._meta.concrete_fields)
    assert {r.history_type for r in history.history_of(SendingWindow)._default_manager.all()} == {"+"}
    assert HOURS.spans(PLACES[0], date(2026, 11, 23)) == Hours.load("marketing").spans(PLACES[0], date(2026, 11, 23))


@pytest.mark.django_db
def test_a_rule_for_a_kind_narrows_that_kind_only() -> None:
    with factories.acting():
        extra = row(None, "IT", kind="marketing", every="10:00-12:00", basis="house", source="x")  # type: ignore[arg-type]
        extra.save()
    monday = date(2026, 11, 23)
    assert Hours.load("marketing").spans(PLACES[0], monday) == ((time(10), time(12)),)
    assert Hours.load("recruitment").spans(PLACES[0], monday) == ((time(9), time(20)),)


@pytest.mark.django_db
def test_places_are_told_apart_and_a_known_zone_overrides() -> None:
    for country in ("IT", "IT", "ES", "US"):
        factories.contact(country=country)
    Contact.objects.filter(country="ES").update(known_zone="Europe/Madrid")
    found = openings.places(Contact.objects.all())
    assert Place("ES", "", "Europe/Madrid") in found and len(found) == 3
    assert found == {Place.of(contact) for contact in Contact.objects.all()}


@pytest.mark.django_db
def test_any_choice_of_places_is_found_again_among_contacts() -> None:
    keys = [
        ("IT", "", "Europe/Rome", ""), ("IT", "", "Europe/Rome", "Europe/Paris"), ("IT", "", "Europe/Paris", ""),
        ("IT", "", "", ""), ("US", "FL", "America/New_York", ""), ("US", "FL", "America/Chicago", ""),
        ("US", "TX", "America/Chicago", "America/Denver"), ("US", "TX", "America/Denver", ""),
        ("FR", "", "Europe/Paris", ""),
    ]  # fmt: skip
    for country, region, zones, known in keys:
        person = factories.contact()
        Contact.objects.filter(pk=person.pk).update(country=country, region=region, zones=zones, known_zone=known)
    known = sorted(openings.places(Contact.objects.all()))
    people = {contact.pk: Place.of(contact) for contact in Contact.objects.all()}
    for mask in range(2 ** len(known)):
        chosen = {place for n, place in enumerate(known) if mask >> n & 1}
        condition = openings.inside(known, chosen)
        found = set(Contact.objects.filter(condition).values_list("pk", flat=True))
        assert found == {pk for pk, place in people.items() if place in chosen}
    whole = openings.inside(known, [place for place in known if place.country != "FR"])
    assert str(whole) == "(AND: ('country__in', ['IT', 'US']))"


@pytest.mark.parametrize(
    "text",
    ["9:00-20:00", "09:00-09:00", "20:00-09:00", "09:00-25:00", "09:00", "09:00-12:00, 11:00-13:00", "٠٩:00-20:00"],
)
def test_hours_are_written_one_way(text: str) -> None:
    with pytest.raises(ValueError):
        parse_hours(text)


def test_spans_of_a_day_are_in_order_and_overlap_is_what_both_have() -> None:
    one, other = parse_hours("08:00-12:00, 14:00-24:00"), parse_hours("09:00-15:00, 20:00-21:00")
    both = openings.overlap(one, other)
    assert both == parse_hours("09:00-12:00, 14:00-15:00, 20:00-21:00")
    assert all(a[1] <= b[0] for a, b in pairwise(both))
    assert openings.overlap(one, ()) == ()
