"""Who changed what and why: the one helper behind every history row (P3).

Every tracked model carries a django-simple-history with the extra text column ``actor``. A change happens inside
``acting``; a change outside it is refused. Changes of many rows go through ``update`` and ``created``, which write
the rows simple-history would have written, in a constant number of statements.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models, transaction
from django.db.models import Expression, F, Value
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from consent.core.errors import MissingActor


@dataclass(frozen=True)
class Actor:
    """Who acts: a text that outlives the account, and the account where there is one."""

    text: str
    user_id: int | None = None

    @classmethod
    def of(cls, user: Any) -> "Actor":
        """The actor of a signed-in person."""
        return cls(text=user.get_username(), user_id=user.pk)

    @classmethod
    def job(cls, name: str) -> "Actor":
        """The actor of a scheduled job or a command, such as ``expire_consents``."""
        return cls(text=f"job:{name}")


@dataclass(frozen=True)
class Change:
    actor: Actor
    reason: str


_change: ContextVar[Change | None] = ContextVar("change", default=None)


@contextmanager
def acting(actor: Actor, reason: str) -> Iterator[Change]:
    """Say who acts and why for every tracked change in the block; the innermost block counts.

    Args:
        actor: who.
        reason: why, in words an auditor understands.
    """
    token = _change.set(Change(actor, str(reason)))
    try:
        yield Change(actor, str(reason))
    finally:
        _change.reset(token)


def current() -> Change:
    """The change in force.

    Raises:
        MissingActor: outside ``acting``.
    """
    change = _change.get()
    if change is None:
        raise MissingActor(_("A change of a tracked record must say who makes it and why."), rule="P3")
    return change


class ActorColumn(models.Model):
    """The text column of every history table that names the actor after the account is gone."""

    actor = models.CharField(_("actor"), max_length=200)

    class Meta:
        abstract = True


def tracked(**options: Any) -> HistoricalRecords:
    """The history manager of a tracked model: ``history = tracked()``."""
    return HistoricalRecords(bases=[ActorColumn], **options)


@receiver(pre_create_historical_record)
def _stamp(sender: Any, history_instance: Any, **kwargs: Any) -> None:
    change = current()
    history_instance.actor = change.actor.text
    history_instance.history_user_id = change.actor.user_id
    history_instance.history_change_reason = change.reason


def tracked_models() -> list[type[models.Model]]:
    """Every model with a history."""
    from django.apps import apps

    return [m for m in apps.get_models() if hasattr(m._meta, "simple_history_manager_attribute")]


@cache  # the manager builds a class each time it is asked
def history_of(model: type[models.Model]) -> type[models.Model]:
    """The history model of a tracked model."""
    return getattr(model, model._meta.simple_history_manager_attribute).model  # type: ignore[attr-defined]


def _copied_fields(model: type[models.Model]) -> list[models.Field]:
    return list(history_of(model).tracked_fields)  # type: ignore[attr-defined]


def _stamps(kind: str) -> dict[str, Any]:
    change = current()
    return {
        "history_date": timezone.now(),
        "history_type": kind,
        "history_change_reason": change.reason,
        "actor": change.actor.text,
        "history_user_id": change.actor.user_id,
    }


def _insert_select(model: type[models.Model], rows: models.QuerySet, kind: str, new: dict[str, Any]) -> int:
    """INSERT … SELECT of history rows for ``rows`` as they stand, with the values in ``new`` put in place."""
    history: Any = history_of(model)  # stubs know no columns of fields got by name
    aliases: dict[str, Expression] = {}
    columns: list[str] = []
    for field in _copied_fields(model):
        columns.append(history._meta.get_field(field.name).column)
        value = new.get(field.attname, new.get(field.name, F(field.attname)))
        if isinstance(value, models.Model):
            value = value.pk
        if not hasattr(value, "resolve_expression"):
            target: Any = model._meta.get_field(field.name)
            value = Value(value, output_field=target)
        aliases[f"h_{field.attname}"] = value
    for name, value in _stamps(kind).items():
        stamp = history._meta.get_field(name.removesuffix("_id") if name == "history_user_id" else name)
        columns.append(stamp.column)
        aliases[f"h_{name}"] = Value(value, output_field=stamp.target_field if stamp.is_relation else stamp)
    if len(rows.query.alias_map) > 1:  # a filter across a to-many relation may yield a row twice
        rows = model._base_manager.using(rows.db).filter(pk__in=rows.order_by().values("pk"))
    query = rows.order_by().annotate(**aliases).values_list(*aliases)
    connection = connections[rows.db]
    try:
        sql, params = query.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return 0
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(history._meta.db_table)} ({', '.join(map(quote, columns))}) {sql}",
            params,
        )
        return cursor.rowcount


def created(rows: models.QuerySet) -> int:
    """Write the "created" history rows of rows that ``bulk_create`` wrote, inside ``acting``.

    Args:
        rows: exactly the new rows.

    Returns:
        How many rows were written.
    """
    return _insert_select(rows.model, rows, "+", {})


def changed(rows: models.QuerySet) -> int:
    """Write the "changed" history rows of rows that ``bulk_update`` wrote, inside ``acting``.

    Args:
        rows: exactly the changed rows.

    Returns:
        How many rows were written.
    """
    return _insert_select(rows.model, rows, "~", {})


def update(rows: models.QuerySet, **changes: Any) -> int:
    """``rows.update(**changes)`` with one history row each, atomic, inside ``acting``.

    On PostgreSQL one statement changes and records, so that a row which changes underneath is recorded once or not
    at all; SQLite has one writer, so recording before changing sees the same rows.

    Args:
        rows: what to change; filters may name the columns that change.
        changes: new values, constants or expressions.

    Returns:
        How many rows were changed.
    """
    model = rows.model
    with transaction.atomic(using=rows.db):
        if connections[rows.db].vendor == "postgresql":
            return _update_returning(rows, changes)
        changed = _insert_select(model, rows, "~", changes)
        rows.order_by().update(**changes)
        return changed


def _update_returning(rows: models.QuerySet, changes: dict[str, Any]) -> int:
    model: Any = rows.model
    history: Any = history_of(model)
    connection = connections[rows.db]
    quote = connection.ops.quote_name
    query: Any = rows.order_by().query.chain(models.sql.UpdateQuery)
    query.add_update_values(changes)
    compiler = query.get_compiler(connection=connection)
    try:
        update_sql, update_params = compiler.as_sql()
    except EmptyResultSet:
        return 0
    columns = [history._meta.get_field(f.name).column for f in _copied_fields(model)]
    sources = [f"changed.{quote(f.column)}" for f in _copied_fields(model)]
    params: list[Any] = list(update_params)
    for name, value in _stamps("~").items():
        columns.append(name)
        sources.append("%s")
        params.append(value)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH changed AS ({update_sql} RETURNING {quote(model._meta.db_table)}.*) "  # noqa: S608
            f"INSERT INTO {quote(history._meta.db_table)} ({', '.join(map(quote, columns))}) "
            f"SELECT {', '.join(sources)} FROM changed",
            params,
        )
        return cursor.rowcount
