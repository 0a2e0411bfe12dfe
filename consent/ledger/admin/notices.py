"""Notices and privacy policies: drafts that an officer writes and publishes; what is published only reads (P8)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import URLField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.core import history
from consent.core.admin import TrackedAdmin
from consent.core.errors import NotPublishable
from consent.ledger import publishing
from consent.ledger.admin.filters import PurposeFilter
from consent.ledger.admin.words import badge, page_of
from consent.ledger.models import Notice, PrivacyPolicy
from consent.ledger.models.notices import Publishable


class StateFilter(admin.SimpleListFilter):
    """``?state=draft`` or ``published``."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("draft", gettext_lazy("Draft")), ("published", gettext_lazy("Published"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in ("draft", "published"):
            return queryset.filter(published_at__isnull=self.value() == "draft")
        return queryset


class PublishableAdmin(TrackedAdmin):
    """Draft → published, with the checklist before it and a new version after it."""

    change_form_template = "admin/ledger/publishable_change_form.html"
    scope: tuple[str, ...] = ()  # what all versions share; fixed once a draft exists

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/publish/", view(self.publish_view), name=f"{name}_publish"),
            path("<int:pk>/new-version/", view(self.new_version_view), name=f"{name}_new_version"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Publishable | None = None) -> list[str]:
        fixed = [*self.scope, "version", "published_at", "published_by"] if obj else []
        return list(dict.fromkeys([*super().get_readonly_fields(request, obj), *fixed]))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        facts = (gettext_lazy("Version"), {"fields": ("version", "published_at", "published_by")})
        return [(None, {"fields": self.editable}), *([facts] if obj else [])]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_published)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_published)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.publish_{self.opts.model_name}")  # type: ignore[union-attr]

    @admin.display(description=gettext_lazy("state"), ordering="published_at")
    def state(self, row: Publishable) -> SafeString:
        return badge(_("Published"), "ok") if row.is_published else badge(_("Draft"), "warn")

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any) -> HttpResponse:
        row = context.get("original")
        if row is not None:
            context["checks"] = [] if row.is_published else publishing.checklist(row)
            context["may_publish"] = not row.is_published and self.has_publish_permission(request)
            context["may_renew"] = row.is_published and self.has_add_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def _row(self, request: HttpRequest, pk: int) -> Any:
        row = self.get_queryset(request).filter(pk=pk).first()
        if row is None:
            raise Http404
        return row

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The text and its checklist; a confirmed POST publishes."""
        if not self.has_publish_permission(request):
            raise PermissionDenied
        row = self._row(request, pk)
        if row.is_published:
            messages.info(request, _("%s is published.") % row)
            return HttpResponseRedirect(page_of(row))
        error = ""
        if request.method == "POST":
            try:
                publishing.publish(row, request.user, read=request.POST.get("read", ""))
            except NotPublishable as refusal:
                error = str(refusal)
            else:
                messages.success(request, _("%s is published. From now on it never changes.") % row)
                return HttpResponseRedirect(page_of(row))
        checks = publishing.checklist(row)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Publish %s") % row,
            "opts": self.opts,
            "row": row,
            "read": publishing.fingerprint(row),
            "text": row.text if isinstance(row, Notice) else row.body,
            "checks": checks,
            "complete": all(check.ok for check in checks),
            "error": error,
            "back": page_of(row),
        }
        return TemplateResponse(request, "admin/ledger/publish.html", context, status=409 if error else 200)

    def new_version_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: the open draft of this text, made from its newest version if there is none."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        with history.acting(history.Actor.of(request.user), _("Draft of a new version")):
            draft = publishing.new_version(self._row(request, pk))
        messages.success(request, _("%s is a draft. Edit it, then publish it.") % draft)
        return HttpResponseRedirect(page_of(draft))


@admin.register(Notice)
class NoticeAdmin(PublishableAdmin):
    """What people read or hear before they answer."""

    list_display = ("purpose", "language", "version", "state", "published_at", "material_change", "frequency")
    list_filter = (StateFilter, ("purpose", PurposeFilter), "language")
    list_select_related = ("purpose__brand",)
    search_fields = ("text",)
    editable = ("purpose", "language", "frequency", "text", "material_change")
    scope = ("purpose", "language")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("purpose__brand")


@admin.register(PrivacyPolicy)
class PrivacyPolicyAdmin(PublishableAdmin):
    """What a brand says it does with people's data."""

    list_display = ("brand", "language", "version", "state", "published_at", "url")
    list_filter = (StateFilter, "brand", "language")
    list_select_related = ("brand",)
    search_fields = ("body",)
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    editable = ("brand", "language", "url", "body")
    scope = ("brand", "language")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("brand")
