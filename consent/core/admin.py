"""Base classes of every admin page: read-only unless said otherwise, who and why on every change, history to read,
searches that stay out of the address, nothing in bulk."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import formats, timezone
from django.utils.functional import Promise, cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from consent.core import history, sealed
from consent.core.history_page import events, in_words

REASON_FIELD = "_reason"
SEEN_FIELD = "_seen"
_LONGEST_SEARCH = 200
# What may follow a field in the address of a list; anything else could spell out masked data letter by letter.
_LOOKUPS = {"", "exact", "in", "isnull", "gt", "gte", "lt", "lte", "year", "month", "day"}
_LOOKUPS |= {f"{key}__{lookup}".removesuffix("__") for key in ("id", "pk") for lookup in ("", "exact", "in", "isnull")}


admin.site.unregister(get_user_model())


@admin.register(get_user_model())
class AccountAdmin(UserAdmin):
    """Accounts are switched off, never deleted: records and their history name them (P3)."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@dataclass(frozen=True)
class Tool:
    """A button above a list.

    Attributes:
        url: where it leads.
        label: what it says.
        filtered: it acts on what is filtered, so the filters travel along.
        primary: the main thing to do here.
    """

    url: str
    label: str | Promise
    filtered: bool = False
    primary: bool = False


class BoundedPaginator(Paginator):
    """Pages of a list that may have a million rows: it counts up to ``limit`` and then says "more than"."""

    limit = 10_000

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.limit)

    @property
    def more(self) -> bool:
        """Whether there are more rows than it counts."""
        return self._counted > self.limit

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: self.limit + 1].count()  # type: ignore[union-attr]


class SealedSearchForm(ChangeListSearchForm):
    """The search term as it was typed, however it travels."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        return data | {SEARCH_VAR: sealed.unseal(data.get(SEARCH_VAR) or "")}


class PlacetChangeList(ChangeList):
    """A list whose search term travels sealed and whose calendar asks the index only."""

    search_form_class = SealedSearchForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> models.QuerySet:
        if self.query:  # also a term typed into the address bar goes on sealed
            self.filter_params[SEARCH_VAR] = [sealed.seal(self.query)]
        return super().get_queryset(request, exclude_parameters)

    def get_ordering_field(self, field_name: Any) -> Any:
        """Also an order typed into the address is limited to the columns that offer it."""
        offered = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if offered else None

    def calendar(self) -> dict[str, Any]:
        """The years, months or days to choose from. Django's own looks at every row; a calendar needs only the ends."""
        field = str(self.date_hierarchy)
        chosen = {p: self.params.get(f"{field}__{p}") for p in ("year", "month", "day")}
        try:
            year, month, day = (int(value) if value else None for value in chosen.values())
            start = date(year or 1, month or 1, day or 1)
        except ValueError:
            return {}
        link = self._calendar_link
        if year is None:
            years = range(*self._years(field))
            return {"choices": [{"link": link(year=y), "title": str(y)} for y in years]}
        if month is None:
            names = [date(year, m, 1) for m in range(1, 13)]
            choices = [
                {"link": link(year=year, month=d.month), "title": formats.date_format(d, "YEAR_MONTH_FORMAT")}
                for d in names
            ]
            return {"back": {"link": link(), "title": _("All dates")}, "choices": choices}
        back_to_year = {"link": link(year=year), "title": str(year)}
        if day is None:
            after = date(year + month // 12, month % 12 + 1, 1)
            days = [date(year, month, d) for d in range(1, (after - start).days + 1)]
            choices = [
                {
                    "link": link(year=year, month=month, day=d.day),
                    "title": str(d.day),
                    "label": formats.date_format(d, "MONTH_DAY_FORMAT"),
                }
                for d in days
            ]
            return {"back": back_to_year, "choices": choices}
        back = {"link": link(year=year, month=month), "title": formats.date_format(start, "YEAR_MONTH_FORMAT")}
        return {"back": back, "choices": [{"title": formats.date_format(start, "MONTH_DAY_FORMAT")}]}

    def _calendar_link(self, **parts: int) -> str:
        new = {f"{self.date_hierarchy}__{part}": value for part, value in parts.items()}
        return self.get_query_string(new, [f"{self.date_hierarchy}__", PAGE_VAR])

    def _years(self, field: str) -> tuple[int, int]:
        dated = self.model._base_manager.filter(**{f"{field}__isnull": False}).values_list(field, flat=True)
        first, last = dated.order_by(field).first(), dated.order_by(f"-{field}").first()
        if first is None or last is None:
            return 0, 0
        local = (
            timezone.localtime if isinstance(self.lookup_opts.get_field(field), models.DateTimeField) else lambda d: d
        )
        return local(first).year, local(last).year + 1


class ReadOnly(admin.ModelAdmin):
    """Nothing can be added, changed or deleted by hand, by nobody: a mixin to stand before the base class."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PlacetAdmin(admin.ModelAdmin):
    """A list and a page. Fields are read-only except those in ``editable``; there are no bulk actions.

    Attributes:
        editable: the fields of the form that a person with the change permission may edit.
        extra_lookups: fields that links may filter a list by beyond ``list_filter`` and ``date_hierarchy``.
    """

    editable: tuple[str, ...] = ()
    extra_lookups: tuple[str, ...] = ()
    actions = None
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they count the whole table once per choice
    paginator = BoundedPaginator
    change_list_template = "admin/placet_change_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlacetChangeList

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        """The buttons above the list, besides "Add"."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST" and SEARCH_VAR in request.POST:
            if not self.has_view_or_change_permission(request):
                raise PermissionDenied
            query = request.GET.copy()
            query.pop(PAGE_VAR, None)
            query.pop(SEARCH_VAR, None)
            if typed := _plain(request.POST[SEARCH_VAR]):
                query[SEARCH_VAR] = sealed.seal(typed[:_LONGEST_SEARCH])
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        if not all(_readable(key, value) for key, values in request.GET.lists() for value in values):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return super().changelist_view(request, {"tools": self.list_tools(request), **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter of the list offers: a free lookup could guess masked data letter by letter."""
        filters = self.get_list_filter(request) if request is not None else self.list_filter
        offered = [f[0] if isinstance(f, (tuple, list)) else f for f in filters]
        fields = {f for f in offered if isinstance(f, str)} | {*self.extra_lookups, self.date_hierarchy} - {None}
        fields |= {getattr(f, "parameter_name", None) for f in offered} - {None}
        return any(
            lookup == field or (lookup.startswith(f"{field}__") and lookup.removeprefix(f"{field}__") in _LOOKUPS)
            for field in fields
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = [f.name for f in self.opts.get_fields() if getattr(f, "editable", False) and not f.auto_created]
        fixed = [name for name in shown if name not in self.editable]
        return list(dict.fromkeys([*super().get_readonly_fields(request, obj), *fixed]))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What is not tracked has no history page."""
        raise Http404

    # Django's own log of actions keeps names beyond their erasure and lacks reasons; the history has both.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None: ...


class TrackedAdmin(PlacetAdmin):
    """Admin of a tracked model: every change names actor and reason, and every object has a history page."""

    history_per_page = 50
    about_a_person = False  # its pages are titled by the person, the browser's tab and history by the record (P10)
    change_form_template = "admin/tracked_change_form.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        default = _("Changed in the admin") if object_id else _("Added in the admin")
        with history.acting(history.Actor.of(request.user), typed_reason(request) or default):
            return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        with history.acting(history.Actor.of(request.user), typed_reason(request) or _("Deleted in the admin")):
            return super().delete_view(request, object_id, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if request.method == "POST" and from_field is None and transaction.get_connection().in_atomic_block:
            try:  # what the form does not show must not be overwritten with what was read a moment ago
                list(self.model._base_manager.select_for_update().filter(pk=unquote(object_id)).values_list("pk"))
            except (ValueError, OverflowError):
                return None
        return super().get_object(request, object_id, from_field)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form_class: Any = super().get_form(request, obj, change, **kwargs)
        if obj is None or request.method != "POST":
            return form_class

        class FreshForm(form_class):  # type: ignore[misc]  # a class made by Django
            def clean(self) -> Any:
                data = super().clean()
                if request.POST.get(SEEN_FIELD) not in (None, fingerprint(self)):
                    raise ValidationError(
                        _("Somebody changed this while you had it open. Look at the history, then save again.")
                    )
                return data

        return FreshForm

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any) -> HttpResponse:
        context["seen"] = fingerprint(context["adminform"].form)
        context["tab"] = self.tab(context.get("original"))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:
        """Save, unless nothing changed: such a save must not write history.

        Tags and the like have no column of their own in the history: its reason tells what became of them.
        """
        told = _chosen_anew(obj, form)
        if change and not told and not _differs(obj):
            return
        with history.acting(history.Actor.of(request.user), " · ".join([history.current().reason, *told])):
            super().save_model(request, obj, form, change)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What changed, field by field, in people's words; there is nothing to edit, delete or revert."""
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        page = Paginator(obj.history.order_by("-history_date", "-history_id"), self.history_per_page).get_page(
            request.GET.get(PAGE_VAR)
        )
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %s") % obj,
            "tab": self.tab(obj),
            "subtitle": None,
            "object": obj,
            "opts": self.opts,
            "module_name": str(self.opts.verbose_name_plural).capitalize(),
            "preserved_filters": self.get_preserved_filters(request),
            "is_popup": IS_POPUP_VAR in request.GET,
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number),
            "events": list(events(self.model, page.object_list, obj.history, self.history_value, request)),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/tracked_history.html", context)

    def tab(self, obj: Any) -> str:
        """What the browser remembers of a page about a person; empty where the page's own title will do."""
        return f"{capfirst(str(self.opts.verbose_name))} {obj.pk}" if obj and self.about_a_person else ""

    def history_value(self, request: HttpRequest, row: Any, field: models.Field) -> str:
        """A field of a history row in people's words; override to mask."""
        return in_words(row, field)


def typed_reason(request: HttpRequest) -> str:
    """The reason a person typed on a form, at most 500 characters; empty when none."""
    return _plain(request.POST.get(REASON_FIELD, ""))[:500]


def _readable(key: str, value: str) -> bool:
    """Whether the database can be asked for it: no NUL, no year that no calendar has."""
    if key.endswith(("__year", "__month", "__day")):
        return value.isascii() and value.isdigit() and len(value) <= 4
    return "\0" not in value


def _plain(typed: str) -> str:
    return typed.replace("\0", "").strip()


def fingerprint(form: forms.BaseForm) -> str:
    """What a form shows of the stored row, as a short digest: another one means that the row changed meanwhile."""
    shown = []
    for name, field in sorted(form.fields.items()):
        value = form.get_initial_for_field(field, name)
        if isinstance(value, list):
            value = sorted(str(getattr(one, "pk", one)) for one in value)
        shown.append((name, str(value)))
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _chosen_anew(obj: models.Model, form: Any) -> list[str]:
    """What a form changes in relations to many, in people's words."""
    told = []
    for field in obj._meta.many_to_many:
        if field.name in form.changed_data:
            old, new = (
                [str(one) for one in rows or ()]
                for rows in (form.initial.get(field.name), form.cleaned_data[field.name])
            )
            told.append(f"{capfirst(str(field.verbose_name))}: {', '.join(old) or '–'} → {', '.join(new) or '–'}")
    return told


def _differs(obj: models.Model) -> bool:
    """Whether a row differs from what is stored."""
    stored = type(obj)._base_manager.filter(pk=obj.pk).first()
    if stored is None:
        return True
    return any(getattr(stored, f.attname) != getattr(obj, f.attname) for f in obj._meta.concrete_fields)
