"""Published and evidential rows never change: in the model, through querysets, through raw SQL (P8)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from consent.core import triggers
from consent.core.errors import Immutable
from consent.ledger.models import Brand, Notice, PrivacyPolicy, Proof, Purpose
from tests import factories

pytestmark = pytest.mark.django_db

# One frozen row of each model, and a column to change: a new frozen model fails until it has a line.
SAMPLES: dict[type[models.Model], tuple[Callable[[], Any], str]] = {
    Proof: (lambda: factories.consent().proof, "place"),
    Notice: (lambda: factories.notice(Purpose.objects.first() or factories.purpose()), "text"),
    PrivacyPolicy: (lambda: factories.policy(Brand.objects.first() or factories.brand()), "body"),
}


def test_every_frozen_model_has_a_sample() -> None:
    assert {model for model, _condition in triggers.frozen_models()} == set(SAMPLES)


@pytest.fixture(params=SAMPLES, ids=lambda model: model.__name__)
def frozen(request: pytest.FixtureRequest, db: None) -> tuple[Any, str]:
    make, column = SAMPLES[request.param]
    return make(), column


def raw(sql: str, *params: Any) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)

    return run


def attempts(row: Any, column: str) -> dict[str, Callable[[], Any]]:
    table, rows = row._meta.db_table, type(row)._base_manager.filter(pk=row.pk)

    def bulk_update() -> None:
        setattr(row, column, "forged")
        type(row)._base_manager.bulk_update([row], [column])

    found: dict[str, Callable[[], Any]] = {
        "update": lambda: rows.update(**{column: "forged"}),
        "bulk_update": bulk_update,
        "delete": rows.delete,
        "raw delete": lambda: rows._raw_delete("default"),
        "SQL update": raw(f"UPDATE {table} SET {column} = %s WHERE id = %s", "forged", row.pk),
        "SQL update of all": raw(f"UPDATE {table} SET {column} = %s", "forged"),
        "SQL delete": raw(f"DELETE FROM {table} WHERE id = %s", row.pk),
        "SQL delete of all": raw(f"DELETE FROM {table}"),
    }
    if hasattr(row, "published_at"):
        found["unpublish"] = raw(f"UPDATE {table} SET published_at = NULL WHERE id = %s", row.pk)
    if connection.vendor == "postgresql":
        found["SQL truncate"] = raw(f"TRUNCATE {table} CASCADE")
    return found


def refuse_everything(row: Any, column: str) -> None:
    stored = type(row).objects.filter(pk=row.pk).values().get()
    for name, attempt in attempts(row, column).items():
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
        assert type(row).objects.filter(pk=row.pk).values().get() == stored, name


def test_the_database_refuses_every_change_of_a_frozen_row(frozen: tuple[Any, str]) -> None:
    refuse_everything(*frozen)


def test_the_model_refuses_too(frozen: tuple[Any, str], acting: None) -> None:
    row, column = frozen
    row = type(row).objects.get(pk=row.pk)
    setattr(row, column, "forged")
    with pytest.raises(Immutable):
        row.save()
    with pytest.raises(Immutable):
        row.delete()


@pytest.mark.parametrize("kind", [Notice, PrivacyPolicy])
def test_a_draft_can_change_be_published_and_be_thrown_away(kind: Any, acting: None) -> None:
    def draft() -> Any:
        if kind is Notice:
            return factories.notice(factories.purpose(of=factories.brand("a")), published=False)
        return factories.policy(factories.brand("b"), published=False)

    row = draft()
    column = SAMPLES[kind][1]
    assert kind.objects.filter(pk=row.pk).update(**{column: "better"}) == 1
    assert kind.objects.filter(pk=row.pk).update(published_at=timezone.now()) == 1
    refuse_everything(kind.objects.get(pk=row.pk), column)
    thrown = kind.objects.get(pk=row.pk)
    thrown.pk = thrown.id = None
    thrown._state.adding, thrown._was_published, thrown.published_at, thrown.version = True, False, None, 0
    thrown.save()
    assert kind.objects.get(pk=thrown.pk).delete()[0] >= 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE exists on SQLite only")
def test_a_replace_does_not_slip_past_the_trigger() -> None:
    notice = factories.notice(factories.purpose())
    columns = [f.column for f in Notice._meta.concrete_fields]
    chosen = ", ".join("'forged'" if c == "text" else c for c in columns)
    with pytest.raises(DatabaseError), transaction.atomic():
        raw(f"REPLACE INTO ledger_notice ({', '.join(columns)}) SELECT {chosen} FROM ledger_notice")()
    assert Notice.objects.get(pk=notice.pk).text == notice.text


def test_installing_twice_is_harmless_and_dropping_is_complete(frozen: tuple[Any, str]) -> None:
    triggers.install()
    triggers.install()
    refuse_everything(*frozen)
    triggers.drop()
    assert type(frozen[0])._base_manager.filter(pk=frozen[0].pk).update(**{frozen[1]: "free"}) == 1
    triggers.install()


def _installed() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_a_migrate_that_remakes_a_table_puts_the_triggers_back() -> None:
    for model in SAMPLES:
        with connection.schema_editor() as editor:
            if connection.vendor == "sqlite":  # what an ALTER does there: the triggers go silently
                editor._remake_table(model)
    assert connection.vendor != "sqlite" or not _installed()
    call_command("migrate", verbosity=0)
    for make, column in SAMPLES.values():
        refuse_everything(make(), column)
