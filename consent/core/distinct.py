"""The values a column has, without reading every row."""

from django.db import connections, models


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
    column = connection.ops.quote_name(str(getattr(model._meta.get_field(name), "column")))  # noqa: B009 - a typed union
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(value) AS (SELECT MIN({column}) FROM {table} UNION ALL "  # noqa: S608 - own names
            f"SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value) FROM found "
            "WHERE found.value IS NOT NULL) SELECT value FROM found WHERE value IS NOT NULL LIMIT %s",
            [limit],
        )
        return [value for (value,) in cursor.fetchall()]
