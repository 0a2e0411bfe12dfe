"""Filters for lists of a million rows."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from consent.core.distinct import distinct_values


class DistinctFilter(SimpleListFilter):
    """Choose one of the values a column has. The column begins an index."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        values = distinct_values(model_admin.model, self.field)
        return [(value, self.label(value)) for value in values if value]

    def label(self, value: str) -> str:
        return value

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class YesFilter(SimpleListFilter):
    """All rows, or only those something is true of."""

    condition = models.Q()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("Yes"))]  # type: ignore[list-item]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        return queryset.filter(self.condition) if self.value() == "1" else queryset
