"""Sending windows: when people of a place may be texted, with the basis and source of each rule (RULES §3)."""

import re
from datetime import date, time
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.core import history
from consent.ledger.models import Purpose

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
Spans = tuple[tuple[time, time], ...]


@lru_cache(maxsize=1024)
def parse_hours(text: str) -> Spans:
    """The opening spans of a day, half-open: ``09:00-12:00, 14:00-20:00``; empty is closed.

    An end of ``24:00`` is given as ``time.max``, which counts to the end of the day.

    Raises:
        ValueError: it is not written so, or the spans are not in order.
    """
    spans: list[tuple[time, time]] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        found = _SPAN.fullmatch(part)
        if not found:
            raise ValueError(part)
        start_h, start_m, end_h, end_m = map(int, found.groups())
        start = time(start_h, start_m)
        end = time.max if (end_h, end_m) == (24, 0) else time(end_h, end_m)
        if start >= end or (spans and start < spans[-1][1]):
            raise ValueError(part)
        spans.append((start, end))
    return tuple(spans)


def _hours(label: Any) -> models.CharField:
    return models.CharField(label, max_length=60, blank=True, help_text=_("Like 09:00-20:00; empty is closed."))


class SendingWindow(models.Model):
    """One rule about when people of a place may be texted.

    Every rule that applies to a person must be open: the country's, the region's and the kind's narrow each other. A
    country without any rule falls to the default, the rules without a country; without a default nothing is sent (P9).
    """

    class Basis(models.TextChoices):
        LAW = "law", _("Law or authority")
        CHARTER = "charter", _("Operators' charter")
        PROVIDER = "provider", _("Provider's rule")
        HOUSE = "house", _("House rule")

    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("Empty: countries without a rule."))
    region = models.CharField(_("region"), max_length=3, blank=True, help_text=_("Such as FL; can only narrow."))
    kind = models.CharField(
        _("kind of purpose"), max_length=14, choices=Purpose.Kind.choices, blank=True, help_text=_("Empty: all kinds.")
    )
    monday = _hours(_("Monday"))
    tuesday = _hours(_("Tuesday"))
    wednesday = _hours(_("Wednesday"))
    thursday = _hours(_("Thursday"))
    friday = _hours(_("Friday"))
    saturday = _hours(_("Saturday"))
    sunday = _hours(_("Sunday"))
    open_on_holidays = models.BooleanField(_("open on public holidays"), default=False)
    max_per_day = models.PositiveSmallIntegerField(
        _("texts a day at most"), null=True, blank=True, help_text=_("Within 24 hours; empty: no such rule.")
    )
    basis = models.CharField(_("basis"), max_length=8, choices=Basis.choices)
    source = models.TextField(_("source"), help_text=_("Where the rule stands, so that somebody can look it up."))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True, help_text=_("The last day; empty: no end."))

    history = history.tracked()

    class Meta:
        verbose_name = _("sending window")
        verbose_name_plural = _("sending windows")
        ordering = ["country", "region", "kind", "valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(region="") | ~models.Q(country=""), name="window_region_has_country"
            ),
        ]

    def __str__(self) -> str:
        place = "-".join(filter(None, (self.country, self.region))) or _("Default")
        return f"{place} · {self.get_kind_display()}" if self.kind else str(place)

    def hours(self, weekday: int) -> Spans:
        """The opening spans of a weekday, Monday being 0."""
        return parse_hours(getattr(self, WEEKDAYS[weekday]))

    def in_force(self, day: date) -> bool:
        """Whether the rule holds on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def clean(self) -> None:
        problems: dict[str, object] = {}
        for day in WEEKDAYS:
            try:
                parse_hours(getattr(self, day))
            except ValueError:
                problems[day] = _("Write hours like 09:00-20:00 or 09:00-12:00, 14:00-20:00.")
        if self.region and not self.country:
            problems["region"] = _("A region needs its country.")
        if self.valid_until and self.valid_from and self.valid_until < self.valid_from:
            problems["valid_until"] = _("This lies before the beginning.")
        if problems:
            raise ValidationError(problems)
