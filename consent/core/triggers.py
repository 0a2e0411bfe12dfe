"""Immutability in the database itself (P8): triggers on SQLite and PostgreSQL, reinstalled after every migrate.

Django remakes a SQLite table on ALTER and drops its triggers silently, so they are not part of a migration.
"""

from typing import Any

from django.apps import apps
from django.db import connections, models

_PREFIX = "placet_immutable_"


def frozen_models() -> list[tuple[type[models.Model], str]]:
    """Models that declare ``frozen_when``: an SQL condition over OLD, or ``"TRUE"`` for always."""
    return [(m, m.frozen_when) for m in apps.get_models() if getattr(m, "frozen_when", None)]  # type: ignore[attr-defined]


def install(using: str = "default", **kwargs: Any) -> None:
    """Put a refusal of UPDATE, DELETE and TRUNCATE on every frozen table; safe to repeat."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model, condition in frozen_models():
            table = model._meta.db_table
            if table in tables:
                for statement in _statements(connection.vendor, table, condition):
                    cursor.execute(statement)


def drop(using: str = "default") -> None:
    """Take the triggers away, for tests that empty whole tables."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model, _ in frozen_models():
            table = model._meta.db_table
            if table not in tables:
                continue
            for event in ("update", "delete", "truncate"):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {_PREFIX}{table}_{event}{on}")


def _statements(vendor: str, table: str, condition: str) -> list[str]:
    message = f"{table}: published and evidential rows never change"
    statements = []
    if vendor == "postgresql":
        statements.append(
            f"CREATE OR REPLACE FUNCTION {_PREFIX}refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '%: published and evidential rows never change', TG_TABLE_NAME "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        statements.append(
            f"CREATE OR REPLACE TRIGGER {_PREFIX}{table}_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_PREFIX}refuse()"
        )
    for event in ("update", "delete"):
        name = f"{_PREFIX}{table}_{event}"
        if vendor == "postgresql":
            statements.append(
                f"CREATE OR REPLACE TRIGGER {name} BEFORE {event.upper()} ON {table} FOR EACH ROW "
                f"WHEN ({condition}) EXECUTE FUNCTION {_PREFIX}refuse()"
            )
        else:  # SQLite has no TRUNCATE
            statements.append(f"DROP TRIGGER IF EXISTS {name}")
            statements.append(
                f"CREATE TRIGGER {name} BEFORE {event.upper()} ON {table} FOR EACH ROW WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
    return statements
