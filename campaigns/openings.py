"""When people of a place may be texted: sending windows applied to places, with holidays and time zones (RULES §3).

Everything is half-open and in the recipient's local time. A place is open when every rule that applies to it is open in
every zone it can be in; what is not known is closed (P9).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.db.models import Q, QuerySet

from campaigns.models import SendingWindow
from campaigns.models.windows import Spans
from consent.contacts.models import Contact

HORIZON = timedelta(days=15)  # longest search for an opening; Easter and Christmas weeks are shorter
_DAY = timedelta(days=1)
# Most holidays are those of a country's parts, but numbers do not tell the part: then the one most people live in.
_MOST_PEOPLE = {"GB": "ENG"}


@dataclass(frozen=True, order=True)
class Place:
    """Where a person is, as far as we know.

    Attributes:
        country: ISO 3166-1 alpha-2.
        region: where the number tells, else empty.
        zones: every IANA zone it can be in, joined by blanks; the known zone alone where there is one.
    """

    country: str
    region: str
    zones: str

    @classmethod
    def of(cls, contact: Contact) -> "Place":
        """The place of a contact."""
        return cls(contact.country, contact.region, contact.known_zone or contact.zones)


def places(contacts: QuerySet[Contact]) -> set[Place]:
    """The distinct places of some contacts; of all of them, the index ``contact_place`` alone knows them."""
    rows = contacts.order_by().values_list("country", "region", "zones", "known_zone").distinct()
    return {Place(country, region, known or zones) for country, region, zones, known in rows}


class Hours:
    """The sending windows, read once; remembers what it worked out, so it lives no longer than a decision."""

    def __init__(self, rows: Iterable[SendingWindow]) -> None:
        self.rows = list(rows)
        self._rows_of: dict[str, list[SendingWindow]] = defaultdict(list)
        for row in self.rows:
            self._rows_of[row.country].append(row)
        self._spans: dict[tuple[str, str, date], Spans] = {}
        self._next: dict[tuple[Place, datetime], datetime | None] = {}

    @classmethod
    def load(cls, kind: str) -> "Hours":
        """The windows for a kind of purpose (one of ``Purpose.Kind``); empty: those for all kinds."""
        return cls(SendingWindow.objects.filter(kind__in={"", kind}).order_by("pk"))

    def applying(self, place: Place, day: date) -> list[SendingWindow]:
        """The rules for a place on a local day: its country's, or the default ones, and its region's on top.

        Empty when no rule is in force: a region's rule only narrows, so alone it opens nothing.
        """
        default = [row for row in self._rows_of.get("", []) if row.in_force(day)]
        of_country = [row for row in self._rows_of.get(place.country, []) if row.in_force(day)]
        basis = [row for row in of_country if not row.region] or default
        return basis and basis + [row for row in of_country if row.region and row.region == place.region]

    def spans(self, place: Place, day: date) -> Spans:
        """When a place is open on a day, by the clock on the wall there, whatever its zone."""
        key = (place.country, place.region, day)
        if key not in self._spans:
            rows = self.applying(place, day)
            found: Spans = ((time.min, time.max),) if rows else ()
            for row in rows:
                closed = not row.open_on_holidays and day in public_holidays(place.country, place.region, day.year)
                found = () if closed else overlap(found, row.hours(day.weekday()))
            self._spans[key] = found
        return self._spans[key]

    def is_open(self, place: Place, at: datetime) -> bool:
        """Whether a text may be handed over at ``at`` (aware)."""
        zones = _zones(place.zones)
        return bool(zones) and all(self._open_by(place, at.astimezone(zone)) for zone in zones)

    def _open_by(self, place: Place, local: datetime) -> bool:
        clock = local.time()
        return any(
            start <= clock and (clock < end or end == time.max) for start, end in self.spans(place, local.date())
        )

    def next_opening(self, place: Place, at: datetime) -> datetime | None:
        """The first moment from ``at`` on at which the place is open; None when there is none within ``HORIZON``."""
        if (place, at) not in self._next:
            moments = chain([at], self._edges(place, at))
            self._next[place, at] = next((moment for moment in moments if self.is_open(place, moment)), None)
        return self._next[place, at]

    def closing(self, place: Place, at: datetime) -> datetime | None:
        """When a place that is open at ``at`` closes next; None when it does not within ``HORIZON``."""
        return next((moment for moment in self._edges(place, at) if not self.is_open(place, moment)), None)

    def max_per_day(self, place: Place, at: datetime) -> int | None:
        """The fewest texts within 24 hours that a rule of the place allows; None: no such rule."""
        limits = [row.max_per_day for row in self.applying_now(place, at) if row.max_per_day is not None]
        return min(limits, default=None)

    def applying_now(self, place: Place, at: datetime) -> list[SendingWindow]:
        """The rules for a place at a moment, in every zone it can be in, in the order of their ids."""
        days = {at.astimezone(zone).date() for zone in _zones(place.zones)}
        found = {row.pk: row for day in days for row in self.applying(place, day)}
        return [found[pk] for pk in sorted(found)]

    def _edges(self, place: Place, at: datetime) -> Iterator[datetime]:
        """The moments after ``at`` at which the answer may change, in order, in UTC."""
        since = at.astimezone(UTC)  # within one zone, Python reckons by the clock on the wall
        for _day in range(HORIZON.days):
            until = since + _DAY
            found = {edge for zone in _zones(place.zones) for edge in self._edges_in(place, zone, since, until)}
            yield from sorted(edge for edge in found if since < edge <= until)
            since = until

    def _edges_in(self, place: Place, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
        day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
        while day <= last:
            for clock in {time.min, *(edge for span in self.spans(place, day) for edge in span if edge != time.max)}:
                for fold in (0, 1):  # in autumn an hour comes twice
                    yield datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC)
            day += _DAY
        if since.astimezone(zone).utcoffset() != until.astimezone(zone).utcoffset():
            yield _clock_change(zone, since, until)  # in spring the clock may jump into a span


def _clock_change(zone: ZoneInfo, since: datetime, until: datetime) -> datetime:
    """The moment between two, to the second, at which a zone's clock was changed."""
    before = since.astimezone(zone).utcoffset()
    since = since.replace(microsecond=0)
    while until - since > timedelta(seconds=1):
        middle = since + timedelta(seconds=(until - since) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            since = middle
        else:
            until = middle
    return until.replace(microsecond=0)


def overlap(one: Spans, other: Spans) -> Spans:
    """What two lists of spans, each in order, have in common."""
    both = ((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)
    return tuple((start, end) for start, end in both if start < end)


@lru_cache(maxsize=2048)
def _zones(joined: str) -> tuple[ZoneInfo, ...]:
    """The zones of a place; none at all when one of them is unknown, for then nothing is."""
    try:
        return tuple(ZoneInfo(name) for name in joined.split())
    except (ZoneInfoNotFoundError, ValueError):
        return ()


@lru_cache(maxsize=2048)
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """The public holidays of a place; of a country the ``holidays`` package does not have, none are known."""
    for part in (region or _MOST_PEOPLE.get(country), None):
        try:
            return frozenset(holidays.country_holidays(country, subdiv=part, years=year))
        except NotImplementedError:
            continue
    return frozenset()


def open_places(hours: Hours, known: Iterable[Place], at: datetime) -> list[Place]:
    """Those of some places that are open at a moment."""
    return sorted(place for place in known if hours.is_open(place, at))


def inside(known: Iterable[Place], chosen: Iterable[Place]) -> Q:
    """The condition on contacts to be in one of some places; as short as can be, for it is asked of a million.

    A country, or a region, of which every known place is chosen is named as a whole.

    Args:
        known: every place the contacts can be in.
        chosen: those of them that are meant.
    """
    wanted = set(chosen)
    left_out = {place for place in known if place not in wanted}
    broken = {place.country for place in left_out}
    broken_regions = {(place.country, place.region) for place in left_out}
    found = Q(country__in=sorted({place.country for place in wanted} - broken))
    regions, zones = defaultdict(set), defaultdict(set)
    for place in wanted:
        if place.country not in broken:
            continue
        if (place.country, place.region) not in broken_regions:
            regions[place.country].add(place.region)
        else:
            zones[place.country, place.region].add(place.zones)
    for country, names in sorted(regions.items()):
        found |= Q(country=country, region__in=sorted(names))
    for (country, region), keys in sorted(zones.items()):
        there = Q(known_zone__in=sorted(keys - {""})) | Q(known_zone="", zones__in=sorted(keys))
        found |= Q(country=country, region=region) & there
    return found
