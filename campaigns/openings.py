"""When people of a place may be texted: sending windows applied to places, with holidays and time zones (RULES §3).

Everything is half-open and in the recipient's local time. A place is open when every rule that applies to it is open in
every zone it can be in; what is not known is closed (P9).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from campaigns.models import SendingWindow
from consent.contacts.models import Contact

HORIZON = timedelta(days=15)  # longest search for an opening; Easter and Christmas weeks are shorter


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
    """The distinct places of some contacts."""
    zones = Coalesce(NullIf("known_zone", Value("")), "zones")
    rows = contacts.order_by().values_list("country", "region", zones).distinct()
    return {Place(*row) for row in rows}


class Hours:
    """The sending windows in force around a moment, read once."""

    def __init__(self, rows: Iterable[SendingWindow]) -> None:
        self.rows = list(rows)

    @classmethod
    def load(cls, kind: str) -> "Hours":
        """The windows for a kind of purpose (one of ``Purpose.Kind``)."""
        return cls(SendingWindow.objects.filter(Q(kind="") | Q(kind=kind)).order_by("pk"))

    def applying(self, place: Place, day: date) -> list[SendingWindow]:
        """The rules for a place on a day: the country's and the region's, or the default ones."""
        in_force = [r for r in self.rows if r.valid_from <= day and (r.valid_until is None or day <= r.valid_until)]
        own = [r for r in in_force if r.country == place.country and r.region == ""]
        if place.country and own:
            return own + [r for r in in_force if r.country == place.country and r.region and r.region == place.region]
        return [r for r in in_force if r.country == ""]

    def is_open(self, place: Place, at: datetime) -> bool:
        """Whether a text may be handed over at ``at`` (aware)."""
        zones = place.zones.split()
        return bool(zones) and all(self._open_in(place, zone, at) for zone in zones)

    def _open_in(self, place: Place, zone: str, at: datetime) -> bool:
        local = at.astimezone(ZoneInfo(zone))
        rows = self.applying(place, local.date())
        return bool(rows) and all(_row_open(row, place, local) for row in rows)

    def next_opening(self, place: Place, at: datetime) -> datetime | None:
        """The first moment from ``at`` on at which the place is open; None when there is none within ``HORIZON``."""
        for moment in self._edges(place, at):
            if self.is_open(place, moment):
                return moment
        return None

    def closing(self, place: Place, at: datetime) -> datetime | None:
        """When a place that is open at ``at`` closes next."""
        for moment in self._edges(place, at):
            if moment > at and not self.is_open(place, moment):
                return moment
        return None

    def _edges(self, place: Place, at: datetime) -> list[datetime]:
        """The moments at which the answer may change, from ``at`` on, in order."""
        edges = {at}
        for name in place.zones.split():
            zone = ZoneInfo(name)
            first = at.astimezone(zone).date()
            for offset in range(HORIZON.days + 1):
                day = first + timedelta(days=offset)
                edges |= set(_midnight_and_hours(self.applying(place, day), day, zone))
        return sorted(edge for edge in edges if edge >= at)

    def max_per_day(self, place: Place, at: datetime) -> int | None:
        """The fewest texts within 24 hours that a rule of the place allows; None: no such rule."""
        limits = [
            row.max_per_day
            for zone in place.zones.split()
            for row in self.applying(place, at.astimezone(ZoneInfo(zone)).date())
            if row.max_per_day is not None
        ]
        return min(limits, default=None)


def _midnight_and_hours(rows: list[SendingWindow], day: date, zone: ZoneInfo) -> Iterator[datetime]:
    times = {time.min} | {t for row in rows for span in row.hours(day.weekday()) for t in span if t != time.max}
    for clock in times:
        yield datetime.combine(day, clock, zone).astimezone(UTC)


def _row_open(row: SendingWindow, place: Place, local: datetime) -> bool:
    if not row.open_on_holidays and local.date() in public_holidays(place.country, place.region, local.year):
        return False
    return any(start <= local.time() < end for start, end in row.hours(local.weekday()))


@lru_cache(maxsize=256)
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """The public holidays of a place; none are known for a country the ``holidays`` package does not have."""
    try:
        return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError:
        try:
            return frozenset(holidays.country_holidays(country, years=year))
        except NotImplementedError:
            return frozenset()


def open_places(hours: Hours, known: Iterable[Place], at: datetime) -> list[Place]:
    """Those of some places that are open at a moment."""
    return sorted(place for place in known if hours.is_open(place, at))


def inside(known: Iterable[Place], open_now: Iterable[Place]) -> Q:
    """The condition on contacts to be in an open place; what is not among ``known`` is not.

    Args:
        known: every place the contacts can be in.
        open_now: those of them that are open.
    """
    is_open, found = set(open_now), Q(pk__in=[])
    for place in sorted(is_open):
        zones = Q(known_zone="", zones=place.zones) | Q(known_zone=place.zones)
        found |= Q(country=place.country, region=place.region) & zones
    return found
