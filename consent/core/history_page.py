"""History rows as people read them: what changed from what to what, who did it and why."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.core import history

_KINDS = {"+": gettext_lazy("Added"), "~": gettext_lazy("Changed"), "-": gettext_lazy("Deleted")}
_UNTOLD = {"id", "uid"}
NOTHING = "–"


def in_words(row: Any, field: models.Field) -> str:
    """The value of a field as people say it: labels for choices, yes/no, the text of a related row, a dash for none."""
    value = getattr(row, field.attname)
    if value is None or value == "":
        return NOTHING
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field.is_relation:
        try:  # the related row may be gone: history keeps no constraint
            return str(getattr(row, field.name) or NOTHING)
        except ObjectDoesNotExist:
            return f"#{value}"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, models.DateTimeField):
        return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(field, models.DateField):
        return formats.date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    return str(value)


def events(
    model: type[models.Model],
    rows: Sequence[Any] | models.QuerySet,
    manager: Any,
    words_of: Callable[[Any, Any, models.Field], str],
    request: Any,
) -> Iterator[dict[str, Any]]:
    """History rows of one object, newest first, each with its changes against the row before it.

    Args:
        model: the tracked model.
        rows: a page of its history rows, newest first.
        manager: all history rows of the object.
        words_of: ``words_of(request, row, field)``, the value of a field as this reader may see it.
        request: passed on to ``words_of``.
    """
    fields = [f for f in history.history_of(model).tracked_fields if f.name not in _UNTOLD]  # type: ignore[attr-defined]
    related = [f.name for f in fields if f.is_relation]
    if isinstance(rows, models.QuerySet) and related:
        rows = rows.prefetch_related(*related)
    rows = list(rows)
    older = None
    if rows:
        last = rows[-1]
        before_last = Q(history_date__lt=last.history_date) | Q(
            history_date=last.history_date, history_id__lt=last.history_id
        )
        older = manager.filter(before_last).order_by("-history_date", "-history_id").first()
    for index, row in enumerate(rows):
        before = rows[index + 1] if index + 1 < len(rows) else older
        changes = _changes(fields, before, row, words_of, request)
        yield {
            "at": row.history_date,
            "actor": row.actor,
            "reason": row.history_change_reason,
            "type": row.history_type,
            "kind": _KINDS[row.history_type],
            "changes": changes,
            "names": {change["name"] for change in changes},
        }


def _changes(fields: list[models.Field], before: Any, row: Any, words_of: Any, request: Any) -> list[dict[str, Any]]:
    if row.history_type == "-":
        return []
    new_row = before is None or row.history_type == "+"
    changes = []
    for field in fields:
        new = getattr(row, field.attname)
        if new_row and new not in (None, "", False):
            new_words = words_of(request, row, field)
            changes.append({"name": field.name, "field": field.verbose_name, "old": "", "new": new_words})
        elif not new_row and getattr(before, field.attname) != new:
            changes.append(
                {
                    "name": field.name,
                    "field": field.verbose_name,
                    "old": words_of(request, before, field),
                    "new": words_of(request, row, field),
                }
            )
    return changes
