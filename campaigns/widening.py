"""Whether a change of a sending window lets texts go that could not go before; such a change must be justified."""

from collections.abc import Iterable
from datetime import date, time

from campaigns.models import SendingWindow
from campaigns.models.windows import Spans
from campaigns.openings import overlap


def widens(before: SendingWindow | None, after: SendingWindow, others: Iterable[SendingWindow]) -> bool:
    """Whether a row as it is to be forbids less than what holds now.

    Args:
        before: the row as it stands; None when it is new.
        after: the row as it is to be.
        others: all other rows.
    """
    if before is not None and opens_more(before, after):
        return True
    return _leaves_the_default(before, after, list(others))


def opens_more(before: SendingWindow, after: SendingWindow) -> bool:
    """Whether a rule allows something that another forbids: an hour, a holiday, one more text, a day, or a place."""
    if (before.country, before.region, before.kind) != (after.country, after.region, after.kind):
        return True
    if after.valid_from > before.valid_from or _last(after) < _last(before):
        return True
    return _allows_more(before, after)


def _allows_more(before: SendingWindow, after: SendingWindow) -> bool:
    if any(_minutes(overlap(after.hours(d), before.hours(d))) < _minutes(after.hours(d)) for d in range(7)):
        return True
    if after.open_on_holidays and not before.open_on_holidays:
        return True
    return before.max_per_day is not None and (after.max_per_day is None or after.max_per_day > before.max_per_day)


def _leaves_the_default(before: SendingWindow | None, after: SendingWindow, others: list[SendingWindow]) -> bool:
    """A country's only rule takes it out of the default rules, on every day it newly covers."""
    if not after.country or after.region:
        return False
    if before and after.valid_from >= before.valid_from and _last(after) <= _last(before):
        return False
    same = [row for row in others if row.country == after.country and not row.region and row.kind in ("", after.kind)]
    if any(row.valid_from <= after.valid_from and _last(row) >= _last(after) for row in same):
        return False
    defaults = [row for row in others if not row.country and (not after.kind or row.kind in ("", after.kind))]
    met = [row for row in defaults if row.valid_from <= _last(after) and _last(row) >= after.valid_from]
    return any(_allows_more(row, after) for row in met) or not met


def _last(row: SendingWindow) -> date:
    return row.valid_until or date.max


def _minutes(spans: Spans) -> int:
    return sum(_minute(end) - _minute(start) for start, end in spans)


def _minute(clock: time) -> int:
    return 24 * 60 if clock == time.max else clock.hour * 60 + clock.minute
