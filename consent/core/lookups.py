"""``startswith`` that uses a plain index on both databases."""

from typing import Any

from django.db import models
from django.db.models import Lookup


@models.CharField.register_lookup
class Prefix(Lookup):
    """``field__prefix="abc"``: case-sensitive prefix match served by the column's index.

    Django writes LIKE … ESCAPE, which SQLite never answers from an index; a half-open range it does. PostgreSQL
    answers a LIKE with a constant prefix from the pattern index that Django makes beside every indexed text column.
    """

    lookup_name = "prefix"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        pattern = str(self.rhs).replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return f"{lhs} LIKE %s", [*params, f"{pattern}%"]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"({lhs} >= %s AND {lhs} < %s)", [*params, str(self.rhs), *params, f"{self.rhs}\U0010ffff"]
