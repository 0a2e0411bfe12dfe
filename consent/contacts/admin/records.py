"""Tags, audiences, suppressions and the log of exports."""

from typing import Any

from django.contrib import admin
from django.db.models import ManyToManyField, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.contacts.models import Audience, Export, Suppression, Tag
from consent.contacts.search import digests_of
from consent.core.admin import PlacetAdmin, ReadOnly, TrackedAdmin


@admin.register(Tag)
class TagAdmin(PlacetAdmin):
    list_display = ("name",)
    search_fields = ("name",)
    editable = ("name",)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A tag that an audience asks for stays: without it the audience would select more people."""
        deleted, count, perms, protected = super().get_deleted_objects(objs, request)
        asking = Audience.objects.filter(tags__in=objs).distinct()
        return deleted, count, perms, [*protected, *map(str, asking)]


@admin.register(Audience)
class AudienceAdmin(TrackedAdmin):
    """Saved filters. The number of contacts is counted when the page is opened."""

    list_display = ("name", "kind", "language", "country")
    search_fields = ("name",)
    editable = ("name", "kind", "language", "country", "tags")
    formfield_overrides = {ManyToManyField: {"widget": CheckboxSelectMultiple}}
    fields = ("name", "kind", "language", "country", "tags", "size")
    readonly_fields = ("size",)

    @admin.display(description=gettext_lazy("contacts now"))
    def size(self, audience: Audience) -> str:
        if audience.pk is None:
            return _("Counted once it is saved.")
        return format_html(
            "<strong>{}</strong> {}", audience.contacts().count(), _("whether they may be texted or not")
        )


class InForceFilter(admin.SimpleListFilter):
    title = gettext_lazy("in force")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("Yes")), ("0", _("No, lifted by a new act"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(lifted_at__isnull=self.value() == "1") if self.value() in ("0", "1") else queryset


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly, TrackedAdmin):
    """Who must not be texted, as digests. A search takes a number; nothing here leads back to one."""

    list_display = ("short_digest", "scope", "reason", "since", "lifted_at", "key_id")
    list_filter = ("reason", InForceFilter)
    date_hierarchy = "since"
    list_select_related = ("brand", "purpose__brand")
    search_fields = ("digest",)
    search_help_text = gettext_lazy("A complete number in any form.")
    fields = ("digest", "key_id", "scope", "reason", "since", "lifted_at")
    readonly_fields = ("scope",)

    @admin.display(description=gettext_lazy("digest"))
    def short_digest(self, suppression: Suppression) -> str:
        return str(suppression)

    @admin.display(description=gettext_lazy("ends"))
    def scope(self, suppression: Suppression) -> str:
        return str(suppression.purpose or suppression.brand or _("everything"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return queryset.filter(digest__in=digests_of(search_term)) if search_term.strip() else queryset, False


@admin.register(Export)
class ExportAdmin(ReadOnly, PlacetAdmin):
    """Who took which list. Rows are written by the export itself."""

    list_display = ("at", "what", "rows", "by", "reason")
    list_filter = ("what",)
    date_hierarchy = "at"
    fields = ("at", "what", "filters", "rows", "by", "reason")
    readonly_fields = fields
