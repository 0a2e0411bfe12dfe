"""Filters of the consent list. Each is a parameter of the address, so that figures elsewhere can link to their list."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.ledger import figures, selections
from consent.ledger.models import Method, Notice, Proof, Purpose
from consent.ledger.models.proofs import Answer

WEEKS_SHOWN = 8
MANY = 5000  # proofs of one notice, from which on reading in order is faster


class PurposeFilter(admin.RelatedFieldListFilter):
    """By purpose, with the brand in front and one query."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(purpose.pk, str(purpose)) for purpose in Purpose.objects.select_related("brand")]


class LiveFilter(admin.SimpleListFilter):
    """``?live=1``: given or renewed and not over yet."""

    title = gettext_lazy("live")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", gettext_lazy("Live now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() != "1":
            return queryset
        return queryset.filter(in_order(selections.live(timezone.now())))


class ExpiringFilter(admin.SimpleListFilter):
    """``?expiring=30|60|90``: live, and over within so many days."""

    title = gettext_lazy("ends within")
    parameter_name = "expiring"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(days), _("%(days)s days") % {"days": days}) for days in selections.EXPIRING]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        for days in selections.EXPIRING:
            if self.value() == str(days):
                return queryset.filter(selections.expiring(days, timezone.now()))
        return queryset


class ProofFilter(admin.SimpleListFilter):
    """``?proof=weak|missing``: weak is the decision's own rule, ``proof_too_weak``, as the front page counts it."""

    title = gettext_lazy("proof")
    parameter_name = "proof"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("weak", gettext_lazy("Too weak")), ("missing", gettext_lazy("Missing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "missing":
            return queryset.filter(selections.missing())
        if self.value() == "weak":
            return queryset.filter(figures.weak())
        return queryset


class MethodFilter(admin.SimpleListFilter):
    """``?method=paper``: how the person expressed the answer."""

    title = gettext_lazy("method")
    parameter_name = "method"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Method.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(proof__method=self.value()) if self.value() in Method.values else queryset


class AnswerFilter(admin.SimpleListFilter):
    """``?answer=yes|no``: what the proof says; offered only by links."""

    title = gettext_lazy("answer")
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        chosen = self.used_parameters.get(self.parameter_name)
        return [(value, label) for value, label in Answer.choices if value == chosen]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(proof__answer=self.value()) if self.value() in Answer.values else queryset


class NoticeFilter(admin.SimpleListFilter):
    """``?notice=<id>``: whose proof points at this version; offered only by links."""

    title = gettext_lazy("notice")
    parameter_name = "notice"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.used_parameters.get(self.parameter_name, "")
        if not str(chosen).isascii() or not str(chosen).isdigit():
            return []
        found = Notice.objects.filter(pk=chosen).select_related("purpose__brand")
        return [(str(notice.pk), str(notice)) for notice in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        condition = Q(proof__notice=self.value())
        many = Proof.objects.filter(notice=self.value()).order_by()[:MANY].count() == MANY
        return queryset.filter(in_order(condition) if many else condition)


def in_order(condition: Q) -> Case:
    """A condition that many rows meet, so that the list is read in its order until the page is full.

    Given as it is, the planner collects all of them from an index of the condition and sorts half a million rows.
    """
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


class WeekFilter(admin.SimpleListFilter):
    """``?week=2026-W47``: since a day of that ISO week, Monday to Sunday in the site's zone."""

    title = gettext_lazy("week")
    parameter_name = "week"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        this = timezone.localdate()
        mondays = [this - timedelta(days=this.weekday() + 7 * back) for back in range(WEEKS_SHOWN)]
        with suppress(ValueError):
            start, _end = selections.span(str(self.used_parameters.get(self.parameter_name, "")))
            if (chosen := timezone.localtime(start).date()) not in mondays:
                mondays.append(chosen)
        return [(week_of(monday), formats.date_format(monday, "SHORT_DATE_FORMAT")) for monday in mondays]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        try:
            return queryset.filter(selections.week(self.value() or ""))
        except ValueError:
            return queryset


def week_of(day: date) -> str:
    """The ISO week of a day, such as ``2026-W47``."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02d}"
