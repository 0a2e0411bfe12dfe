"""Taking a filtered list out of the system as CSV: with a permission, a reason and an entry in the log."""

from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.contrib.admin.views.main import ALL_VAR, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from consent.core.admin import Tool
from consent.core.signals import exported
from consent.core.tables import csv_lines

CHUNK = 2000


class ExportForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Who asked for the list and what it is for. It is kept with your name."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


class ExportMixin:
    """CSV export of what is filtered, for a ``PlacetAdmin``.

    Its address is ``admin:<app>_<model>_export``, its permission ``<app>.export_<model>``.

    Attributes:
        export_columns: pairs of title and value, the value a name on the row or a function of the row.
        export_related, export_prefetch: relations the columns follow, to one row and to many.
        not_exported: what is left out although filtered: rows whose processing is restricted (RULES §5, GDPR 18).
    """

    export_columns: tuple[tuple[str | Promise, str | Callable[[Any], Any]], ...] = ()
    export_related: tuple[str, ...] = ()
    export_prefetch: tuple[str, ...] = ()
    not_exported = models.Q(restricted_since__isnull=False)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.export_{self.opts.model_name}")  # type: ignore[attr-defined, union-attr]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(never_cache(self.export_view))  # type: ignore[attr-defined]
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"  # type: ignore[attr-defined]
        return [path("export/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        tools = super().list_tools(request)  # type: ignore[misc]
        if not self.has_export_permission(request):
            return tools
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")  # type: ignore[attr-defined]
        return [*tools, Tool(url, gettext_lazy("Export"), filtered=True)]

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Show how many rows and ask why; a confirmed POST logs and sends them."""
        if not self.has_export_permission(request) or not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        cl = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        chosen = cl.get_queryset(request)
        rows = chosen.exclude(self.not_exported)
        count = rows.order_by().count()
        form = ExportForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            exported.send(
                sender=self.model,  # type: ignore[attr-defined]
                user=request.user,
                what=str(self.opts.verbose_name_plural),  # type: ignore[attr-defined]
                filters=described(cl),
                reason=form.cleaned_data["reason"],
                rows=count,
            )
            return self._download(rows)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": _("Export %s") % self.opts.verbose_name_plural,  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "form": form,
            "count": count,
            "left_out": chosen.order_by().count() - count,
            "filters": described(cl),
            "columns": [title for title, _value in self.export_columns],
            "back": cl.get_query_string(),
        }
        return TemplateResponse(request, "admin/export.html", context)

    def _download(self, rows: models.QuerySet) -> StreamingHttpResponse:
        if self.export_related:
            rows = rows.select_related(*self.export_related)
        rows = rows.prefetch_related(*self.export_prefetch)
        values = (value for _title, value in self.export_columns)
        getters = [v if callable(v) else (lambda row, name=v: getattr(row, name)) for v in values]

        def lines() -> Iterator[list[Any]]:
            for row in rows.iterator(chunk_size=CHUNK):
                yield [get(row) for get in getters]

        titles = [title for title, _value in self.export_columns]
        response = StreamingHttpResponse(csv_lines(titles, lines()), content_type="text/csv; charset=utf-8")
        name = f"{self.opts.model_name}-{timezone.localdate():%Y-%m-%d}.csv"  # type: ignore[attr-defined]
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def described(cl: Any) -> str:
    """The filters of a list in people's words. What was typed into the search is personal data and stays out (P10)."""
    told = []
    for spec in cl.filter_specs:
        if spec.used_parameters or getattr(spec, "value", lambda: None)():
            chosen = [str(c["display"]) for c in spec.choices(cl) if c.get("selected")]
            told.append(f"{spec.title}: {', '.join(chosen)}" if chosen else str(spec.title))
    dated = {k: v for k, v in cl.params.items() if cl.date_hierarchy and k.startswith(f"{cl.date_hierarchy}__")}
    told += [f"{key}: {value}" for key, value in sorted(dated.items())]
    spoken = {p for spec in cl.filter_specs for p in spec.expected_parameters()} | set(dated)
    told += sorted(set(cl.params) - spoken - {SEARCH_VAR, PAGE_VAR, ALL_VAR, "o", "_facets", "e"})
    if cl.query:
        told.append(_("search term (not kept)"))
    return "; ".join(told)
