"""Imports: upload, see what would happen, apply or discard, watch it run, take the rows that were not applied."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from consent.core.admin import PlacetAdmin
from consent.core.errors import IllegalMove
from consent.core.signals import exported
from consent.core.tables import csv_lines
from consent.ledger.admin.words import badge, page_of
from consent.ledger.importing import batches, engine
from consent.ledger.importing.forms import UploadForm
from consent.ledger.importing.reading import COLUMNS, REPORT
from consent.ledger.importing.tasks import enqueue
from consent.ledger.models import ImportBatch, ImportRow

State = ImportBatch.State
Outcome = ImportRow.Outcome

TONES: dict[str, str] = {
    State.CHECKING: "muted",
    State.CHECKED: "warn",
    State.RUNNING: "muted",
    State.DONE: "ok",
    State.FAILED: "stop",
    State.DISCARDED: "muted",
    Outcome.APPLIED: "ok",
    Outcome.UNCHANGED: "muted",
    Outcome.UNKNOWN: "warn",
    Outcome.CONFLICTING: "stop",
    Outcome.REJECTED: "stop",
}
UNDER_WAY = (State.CHECKING, State.RUNNING)
_SILENT = timedelta(seconds=15)  # without a sign of life for so long, the page says that it waits
_SHOWN = ("phone", "name", "brand", "purpose", "answer", "captured_at")

_MEANING: dict[str, str | Promise] = {
    Outcome.APPLIED: gettext_lazy("Recorded, or would be."),
    Outcome.UNCHANGED: gettext_lazy("Already on record; nothing to do."),
    Outcome.UNKNOWN: gettext_lazy("No proof: kept as unknown, never texted."),
    Outcome.CONFLICTING: gettext_lazy("Two rows say the opposite; neither is applied."),
    Outcome.REJECTED: gettext_lazy("Cannot be used; each row says why."),
}

_CONFIRM: dict[str, tuple[str | Promise, str | Promise, str | Promise]] = {
    "apply": (
        gettext_lazy("Apply this import"),
        gettext_lazy("The answers are recorded for good, each with its history. Rows that are not accepted stay out."),
        gettext_lazy("Apply now"),
    ),
    "continue": (
        gettext_lazy("Continue this import"),
        gettext_lazy("It goes on where it stopped. Nothing is recorded twice."),
        gettext_lazy("Continue now"),
    ),
    "discard": (
        gettext_lazy("Discard this import"),
        gettext_lazy("Nothing of it was applied. The file is deleted; to try again, upload it again."),
        gettext_lazy("Discard now"),
    ),
}  # fmt: skip


@admin.register(ImportBatch)
class ImportBatchAdmin(PlacetAdmin):
    """The list of imports; each has a page of its own, and the page to add one takes a file."""

    list_display = ("filename", "state_badge", "total", *Outcome.values, "actor", "created_at")
    list_filter = ("state",)
    extra_lookups = ("rejected", "conflicting")
    rows_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        def page(view: Callable) -> Callable:
            return self.admin_site.admin_view(never_cache(view))

        name = "ledger_importbatch"
        return [
            *(
                path(f"<int:pk>/{move}/", page(self.confirm_view), {"move": move}, name=f"{name}_{move}")
                for move in _CONFIRM
            ),
            path("<int:pk>/progress/", page(self.progress_view), name=f"{name}_progress"),
            path("<int:pk>/rows/", page(require_POST(self.rows_view)), name=f"{name}_rows"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, batch: ImportBatch) -> SafeString:
        return badge(batch.get_state_display(), TONES[batch.state])

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take a file in; a worker checks it next."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, user=request.user)
        if request.method == "POST":
            with transaction.atomic():
                if form.is_valid() and form.batch:
                    enqueue(form.batch)
            if form.batch:
                return HttpResponseRedirect(page_of(form.batch))
        context = {"title": _("Import a file"), "form": form, "columns": COLUMNS}
        return self._page(request, "upload", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Counts, the rows that were not simply applied, and what can be done now."""
        batch = self._batch(request, object_id)
        outcome = request.GET.get("outcome", "")
        rows = batch.rows.all()
        if outcome in Outcome.values:
            rows = rows.filter(outcome=outcome)
        page = Paginator(rows, self.rows_per_page).get_page(request.GET.get(PAGE_VAR))
        may_change = self.has_change_permission(request)
        context = {
            "title": batch.filename,
            "batch": batch,
            "tone": TONES[batch.state],
            "outcomes": [
                {
                    "name": o.value,
                    "label": o.label,
                    "meaning": _MEANING[o],
                    "count": getattr(batch, o.value),
                    "chosen": o.value == outcome,
                }
                for o in Outcome
            ],
            "outcome": outcome if outcome in Outcome.values else "",
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number),
            "rows": [self._row(row) for row in page],
            "columns": _SHOWN,
            "under_way": batch.state in UNDER_WAY,
            "progress": _progress(batch),
            "moves": _moves(batch) if may_change else [],
            "downloadable": may_change and batch.rows.filter(outcome__in=engine.KEPT).exclude(cells={}).exists(),
        }
        return self._page(request, "change", context)

    def _row(self, row: ImportRow) -> dict[str, Any]:
        return {
            "number": row.number,
            "outcome": badge(row.get_outcome_display(), TONES[row.outcome]),
            "column": row.field,
            "reason": row.reason,
            "cells": [row.cells.get(name, "") for name in _SHOWN],
        }

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far an import got, for the page that waits."""
        return JsonResponse(_progress(self._batch(request, str(pk))))

    def confirm_view(self, request: HttpRequest, pk: int, move: str) -> HttpResponse:
        """Ask once more, then apply, continue or discard."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        batch = self._batch(request, str(pk))
        if request.method == "POST":
            try:
                with transaction.atomic():
                    if move == "discard":
                        batches.discard(batch)
                    else:
                        enqueue(batches.start(batch))
            except IllegalMove as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(page_of(batch))
        title, text, button = _CONFIRM[move]
        context = {"title": title, "text": text, "button": button, "batch": batch, "back": page_of(batch)}
        return self._page(request, "confirm", context | {"danger": move == "discard"})

    def rows_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The rows that were not applied, as they were, with the reasons: to correct and import again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        batch = self._batch(request, str(pk))
        rows = batch.rows.filter(outcome__in=engine.KEPT)
        exported.send(
            sender=ImportBatch,
            what=_("rows of an import that were not applied"),
            filters=f"import {batch.pk}",
            rows=rows.count(),
            reason=batch.reason,
            user=request.user,
        )
        response = StreamingHttpResponse(csv_lines([*REPORT, *COLUMNS], _table(rows)), content_type="text/csv")
        response["Content-Disposition"] = f'attachment; filename="import-{batch.pk}-rows.csv"'
        return response

    def _batch(self, request: HttpRequest, object_id: str) -> ImportBatch:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        batch = self.get_object(request, object_id)
        if batch is None:
            raise Http404
        return batch

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        everywhere = self.admin_site.each_context(request)
        template = f"admin/ledger/importbatch/{name}.html"
        return TemplateResponse(request, template, {**everywhere, "opts": self.opts, **context})


def _table(rows: Any) -> Iterator[list[Any]]:
    for row in rows.iterator(chunk_size=2000):
        yield [row.number, row.outcome, row.field, row.reason, *(row.cells.get(name, "") for name in COLUMNS)]


def _moves(batch: ImportBatch) -> list[dict[str, str]]:
    """What can be done with an import now, the main thing first."""
    moves = {
        State.CHECKING: ["discard"],
        State.CHECKED: ["apply", "discard"],
        State.FAILED: ["continue"] if batch.next_row else ["continue", "discard"],
    }.get(State(batch.state), [])
    if batch.state == State.RUNNING and _waits(batch):
        moves = ["continue"]
    return [
        {
            "url": reverse(f"admin:ledger_importbatch_{move}", args=[batch.pk]),
            "label": str(_CONFIRM[move][0]),
            "style": "button--danger" if move == "discard" else "button--primary",
        }
        for move in moves
    ]


def _waits(batch: ImportBatch) -> bool:
    last = batch.heartbeat_at or batch.created_at
    return batch.state in UNDER_WAY and timezone.now() - last > _SILENT


def _progress(batch: ImportBatch) -> dict[str, Any]:
    """Where an import stands, in a sentence and in figures."""
    if batch.state not in UNDER_WAY:
        text = batch.get_state_display()
    elif _waits(batch):
        text = _("Waiting for the worker. If this stays, the worker is not running: ask whoever runs the site.")
    elif not batch.total:
        text = _("The file is being read.")
    else:
        text = _("%(done)s of %(total)s rows") % {"done": batch.next_row, "total": batch.total}
    return {"state": batch.state, "done": batch.next_row, "total": batch.total, "text": text}
