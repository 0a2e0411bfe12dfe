"""What the templates of the admin need beyond the stock tags."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


@register.simple_tag
def labelled(cells: Iterable[SafeString], headers: Iterable[dict[str, Any]]) -> Iterator[SafeString]:
    """The cells of a list's row with the name of their column as ``data-label``, which a phone shows beside them.

    Args:
        cells: the rendered ``<th>`` and ``<td>`` of a row.
        headers: the headers of the list, in the same order.
    """
    names = list(headers)
    for index, cell in enumerate(cells):
        label = capfirst(str(names[index]["text"])) if index < len(names) else ""
        tag, rest = str(cell)[:3], str(cell)[3:]
        # The cell is finished markup of the stock admin; only the escaped label is added to its opening tag.
        yield mark_safe(f'{tag} data-label="{conditional_escape(label)}"{rest}')  # noqa: S308


@register.simple_tag
def chosen_filters(cl: Any) -> list[dict[str, Any]]:
    """The filters that narrow a list, each with what is chosen and the address without it.

    Args:
        cl: the list. The first choice of each of its filters is the one that narrows nothing.
    """
    chosen = []
    for spec in cl.filter_specs:
        whole, *rest = spec.choices(cl)
        for choice in rest:
            if choice["selected"]:
                chosen.append({"title": spec.title, "choice": choice["display"], "without": whole["query_string"]})
    return chosen


@register.filter
def minutes(span: timedelta) -> int:
    """A time span in whole minutes, rounded up."""
    return -(-int(span.total_seconds()) // 60)
