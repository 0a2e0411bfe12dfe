"""Filters for lists of a million rows."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db import connections, models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


def distinct_values(model: type[models.Model], name: str, limit: int = 100, using: str = "default") -> list[str]:
    """The distinct values of an indexed text column, found by hopping along its index instead of reading every row.

    Args:
        model: whose column.
        name: a field that an index begins with; its values are not null.
        limit: at most so many values, in order.
        using: the database.
    """
    connection = connections[using]
    table = connection.ops.quote_name(model._meta.db_table)
    column = connection.ops.quote_name(model._meta.get_field(name).column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(value) AS (SELECT MIN({column}) FROM {table} UNION ALL "  # noqa: S608 - own names
            f"SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value) FROM found "
            "WHERE found.value IS NOT NULL) SELECT value FROM found WHERE value IS NOT NULL LIMIT %s",
            [limit],
        )
        return [value for (value,) in cursor.fetchall()]


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
