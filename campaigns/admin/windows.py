"""Sending windows: an officer edits them, with reason and source where a rule is to forbid less; nobody deletes one."""

from datetime import timedelta
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.forms_windows import WindowForm
from campaigns.models import SendingWindow
from campaigns.models.windows import WEEKDAYS, Spans, parse_hours
from campaigns.openings import Hours, Place
from consent.core.admin import TrackedAdmin
from consent.core.filters import DistinctFilter
from consent.ledger.admin.words import badge

PREVIEWED = 7  # days


def spans_in_words(spans: Spans) -> str:
    """The opening spans of a day: ``09:00–12:00, 14:00–20:00``."""
    return ", ".join(f"{start:%H:%M}–{'24:00' if end.second else format(end, '%H:%M')}" for start, end in spans)


def hours_in_words(window: SendingWindow) -> str:
    """The hours of a week, days alike together: ``Mon–Fri 09:00–20:00 · Sat 10:00–19:00``."""
    told = []
    for text, group in groupby(range(7), key=lambda day: getattr(window, WEEKDAYS[day])):
        days = list(group)
        if spans := parse_hours(text):
            first, last = (str(WEEKDAYS_ABBR[day]) for day in (days[0], days[-1]))
            told.append(f"{first if first == last else f'{first}–{last}'} {spans_in_words(spans)}")
    return " · ".join(told) or _("Closed")


class CountryFilter(DistinctFilter):
    title = gettext_lazy("country")
    parameter_name = "country"
    field = "country"


class InForceFilter(admin.SimpleListFilter):
    title = gettext_lazy("in force")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("Today")), ("over", _("No longer")), ("later", _("Not yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        today = timezone.localdate()
        over, later = Q(valid_until__lt=today), Q(valid_from__gt=today)
        chosen = {"now": ~(over | later), "over": over, "later": later}.get(self.value() or "", Q())
        return queryset.filter(chosen)


@admin.register(SendingWindow)
class SendingWindowAdmin(TrackedAdmin):
    """When people of a place may be texted. A rule that is over keeps its last day, for texts that went under it."""

    form = WindowForm
    list_display = ("place", "shown_kind", "hours", "shown_basis", "in_force", "shown_source")
    list_display_links = ("place",)
    list_filter = (InForceFilter, CountryFilter, "basis", "kind")
    sortable_by = ()
    editable = (
        "country", "region", "kind", *WEEKDAYS, "open_on_holidays", "max_per_day", "basis", "source", "valid_from",
        "valid_until",
    )  # fmt: skip
    readonly_fields = ("coming_days",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[Any, Any]]:
        preview = [(_("When would a text go?"), {"fields": ("coming_days",)})] if obj else []
        return [
            (None, {"fields": ("country", "region", "kind")}),
            (_("Hours"), {"fields": (*WEEKDAYS, "open_on_holidays", "max_per_day")}),
            (_("Where it stands"), {"fields": ("basis", "source", "valid_from", "valid_until")}),
            *preview,
        ]

    @admin.display(description=gettext_lazy("place"))
    def place(self, window: SendingWindow) -> str:
        return "-".join(filter(None, (window.country, window.region))) or _("Default")

    @admin.display(description=gettext_lazy("kind of purpose"))
    def shown_kind(self, window: SendingWindow) -> str:
        return window.get_kind_display() if window.kind else _("All")

    @admin.display(description=gettext_lazy("hours"))
    def hours(self, window: SendingWindow) -> str:
        more = [_("also on holidays")] if window.open_on_holidays else []
        if window.max_per_day is not None:
            more.append(_("at most %(n)s a day") % {"n": window.max_per_day})
        return " · ".join([hours_in_words(window), *more])

    @admin.display(description=gettext_lazy("basis"))
    def shown_basis(self, window: SendingWindow) -> SafeString:
        return badge(window.get_basis_display(), "ok" if window.basis == SendingWindow.Basis.LAW else "muted")

    @admin.display(description=gettext_lazy("in force"))
    def in_force(self, window: SendingWindow) -> str:
        ends = (window.valid_from, window.valid_until)
        return " – ".join(formats.date_format(day, "SHORT_DATE_FORMAT") if day else "" for day in ends).rstrip()

    @admin.display(description=gettext_lazy("source"))
    def shown_source(self, window: SendingWindow) -> str:
        return Truncator(window.source).chars(100)

    @admin.display(description=gettext_lazy("the coming days"))
    def coming_days(self, window: SendingWindow) -> SafeString:
        """When the place is open, by all its rules as saved; on the clock there, so that its zone does not matter."""
        rules, place = Hours.load(window.kind), Place(window.country, window.region, "UTC")
        days = [timezone.localdate() + timedelta(days=n) for n in range(PREVIEWED)]
        lines = format_html_join(
            "",
            "<li>{}: {}</li>",
            (
                (
                    capfirst(formats.date_format(day, "D j F")),
                    spans_in_words(rules.spans(place, day)) or _("closed"),
                )
                for day in days
            ),
        )
        told = _("By all rules for this place together, on the clock there.")
        return format_html('<ul class="plain">{}</ul><p class="help">{}</p>', lines, told)
