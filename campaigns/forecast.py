"""When the texts of a campaign would go: the sender's rate spread over the opening hours of the places of people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, takewhile

from campaigns.openings import Hours, Place


@dataclass(frozen=True)
class Forecast:
    """When the first and the last text would go; None: none goes. ``left``: people whose turn does not come in time."""

    first: datetime | None
    last: datetime | None
    left: int


def spans(hours: Hours, place: Place, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """When a place is open from ``start`` to ``end``, as half-open spans in order."""
    found: list[tuple[datetime, datetime]] = []
    edges = [start, *takewhile(lambda edge: edge < end, hours._edges(place, start))]
    for edge, following in zip(edges, [*edges[1:], end], strict=True):
        if hours.is_open(place, edge):
            if found and found[-1][1] == edge:
                found[-1] = (found[-1][0], following)
            else:
                found.append((edge, following))
    return found


def forecast(hours: Hours, people: Mapping[Place, int], start: datetime, end: datetime, per_second: float) -> Forecast:
    """Simulate the sending: at each moment the open places are served, the one that closes first before the others.

    Args:
        hours: the sending windows.
        people: how many there are in each place.
        start: when sending begins.
        end: when what still waits is given up.
        per_second: texts the sender may hand over in a second.
    """
    openings = {place: spans(hours, place, start, end) for place, count in people.items() if count}
    waiting = {place: float(people[place]) for place in openings}
    edges = sorted({moment for found in openings.values() for span in found for moment in span})
    first = last = None
    for edge, following in pairwise(edges):
        now_open = sorted(
            (closes, place)
            for place, found in openings.items()
            for opens, closes in found
            if opens <= edge < closes and waiting[place]
        )
        room, used = (following - edge).total_seconds() * per_second, 0.0
        for _closes, place in now_open:
            served = min(waiting[place], room - used)
            waiting[place] -= served
            used += served
        if used:
            first = first or edge
            last = edge + timedelta(seconds=max(0.0, used - 1) / per_second)
        if not any(waiting.values()):
            break
    return Forecast(first, last, round(sum(waiting.values())))
