"""What a list of contacts can be narrowed by, each answered from an index."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from consent.contacts.models import Contact, Suppression, Tag
from consent.core.filters import DistinctFilter, YesFilter


class CountryFilter(DistinctFilter):
    title = _("country")
    parameter_name = "country"
    field = "country"


class SourceFilter(DistinctFilter):
    title = _("source")
    parameter_name = "source"
    field = "source"


class TagFilter(SimpleListFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Tag.objects.values_list("pk", "name")[:100]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not (self.value() or "").isdecimal():
            return queryset
        return queryset.filter(pk__in=Contact.tags.through.objects.filter(tag=self.value()).values("contact"))


class SuppressedFilter(YesFilter):
    """Opted out of everything, a brand or a purpose."""

    title = _("opted out")
    parameter_name = "suppressed"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        stops = Suppression.objects.filter(lifted_at__isnull=True).order_by().values("digest")
        return queryset.filter(phone_digest__in=stops) if self.value() == "1" else queryset


class RestrictedFilter(YesFilter):
    title = _("processing restricted")
    parameter_name = "restricted"
    condition = Q(restricted_since__isnull=False)


class HeldFilter(YesFilter):
    title = _("reply being looked at")
    parameter_name = "held"
    condition = Q(held_since__isnull=False)
