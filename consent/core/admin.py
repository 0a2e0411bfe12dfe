"""Base classes of every admin page: read-only unless said otherwise, who and why on every change, history to read,
searches that stay out of the address, nothing in bulk."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.core import history, sealed

REASON_FIELD = "_reason"


class PlacetChangeList(ChangeList):
    """A list whose search term travels sealed."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> models.QuerySet:
        self.query = sealed.unseal(self.query)
        return super().get_queryset(request, exclude_parameters)


class PlacetAdmin(admin.ModelAdmin):
    """A list and a page. Fields are read-only except those in ``editable``; there are no bulk actions."""

    editable: tuple[str, ...] = ()
    actions = None
    list_per_page = 50
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlacetChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST" and SEARCH_VAR in request.POST:
            if not self.has_view_or_change_permission(request):
                raise PermissionDenied
            query = request.GET.copy()
            query.pop("p", None)
            query.pop(SEARCH_VAR, None)
            if typed := request.POST[SEARCH_VAR].strip():
                query[SEARCH_VAR] = sealed.seal(typed)
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        return super().changelist_view(request, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = [f.name for f in self.opts.get_fields() if getattr(f, "editable", False) and not f.auto_created]
        return [*super().get_readonly_fields(request, obj), *(name for name in shown if name not in self.editable)]


class TrackedAdmin(PlacetAdmin):
    """Admin of a tracked model: every change names actor and reason, and every object has a history page."""

    history_per_page = 50
    change_form_template = "admin/tracked_change_form.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        typed = request.POST.get(REASON_FIELD, "").strip()[:500]
        default = _("Changed in the admin") if object_id else _("Added in the admin")
        with history.acting(history.Actor.of(request.user), typed or default):
            return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        with history.acting(history.Actor.of(request.user), _("Deleted in the admin")):
            return super().delete_view(request, object_id, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:
        if not change or form.changed_data:  # a save that changes nothing must not write history
            super().save_model(request, obj, form, change)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What changed, field by field, in people's words; there is nothing to edit, delete or revert."""
        obj = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        rows = obj.history.order_by("-history_date", "-history_id")
        page = Paginator(rows, self.history_per_page).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %s") % obj,
            "subtitle": None,
            "object": obj,
            "opts": self.opts,
            "module_name": str(self.opts.verbose_name_plural).capitalize(),
            "preserved_filters": self.get_preserved_filters(request),
            "is_popup": IS_POPUP_VAR in request.GET,
            "page": page,
            "events": list(events(self.model, page.object_list, obj.history, self.history_value, request)),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/tracked_history.html", context)

    def history_value(self, request: HttpRequest, row: Any, field: models.Field) -> str:
        """A field of a history row in people's words; override to mask."""
        return in_words(row, field)


def in_words(row: Any, field: models.Field) -> str:
    """The value of a field as people say it: labels for choices, yes/no, the text of a related row, a dash for none."""
    if display := getattr(row, f"get_{field.name}_display", None):
        return str(display()) or "–"
    if field.is_relation:
        # The related row may be gone: history keeps no constraint.
        try:
            return str(getattr(row, field.name) or "–")
        except ObjectDoesNotExist:
            return f"#{getattr(row, field.attname)}"
    value = getattr(row, field.attname)
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, models.DateTimeField):
        return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    return str(value)


_KINDS = {"+": gettext_lazy("Added"), "~": gettext_lazy("Changed"), "-": gettext_lazy("Deleted")}
_UNTOLD = {"id", "uid"}


def events(model: type[models.Model], rows: Any, manager: Any, in_words_of: Any, request: Any) -> Iterator[dict]:
    """History rows, newest first, each with its changes against the row before it."""
    rows = list(rows)
    fields = [f for f in history.history_of(model).tracked_fields if f.name not in _UNTOLD]  # type: ignore[attr-defined]
    older = None
    if rows:
        last = rows[-1]
        older = (
            manager.filter(history_date__lte=last.history_date)
            .exclude(history_id__gte=last.history_id)
            .order_by("-history_date", "-history_id")
            .first()
        )
    for index, row in enumerate(rows):
        before = rows[index + 1] if index + 1 < len(rows) else older
        changes = []
        for field in fields:
            new = getattr(row, field.attname)
            if before is None or row.history_type == "+":
                if new not in (None, "", False):
                    changes.append({"field": field.verbose_name, "old": "", "new": in_words_of(request, row, field)})
            elif getattr(before, field.attname) != new:
                changes.append(
                    {
                        "field": field.verbose_name,
                        "old": in_words_of(request, before, field),
                        "new": in_words_of(request, row, field),
                    }
                )
        yield {
            "at": row.history_date,
            "actor": row.actor,
            "reason": row.history_change_reason,
            "kind": _KINDS[row.history_type],
            "changes": changes,
        }
