"""The worklist of consents that end soon (RULES C7)."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.core import numbers
from consent.core.admin import TrackedAdmin
from consent.ledger.admin.words import badge, digits, link, stamp, status_badge
from consent.ledger.forms import RenewalForm
from consent.ledger.models import RenewalTask


class DoneFilter(admin.SimpleListFilter):
    """Open tasks unless ``?done=yes`` or ``?done=all``."""

    title = gettext_lazy("done")
    parameter_name = "done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Done")), ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        shown = [(None, gettext_lazy("Open")), *self.lookup_choices]
        for value, title in shown:
            new = {self.parameter_name: value} if value else {}
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string(new, [self.parameter_name]),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(done_at__isnull=self.value() != "yes")


@admin.register(RenewalTask)
class RenewalTaskAdmin(TrackedAdmin):
    """Whom to ask again before the consent ends."""

    form = RenewalForm
    about_a_person = True
    list_display = ("ends", "who", "number", "purpose", "stage", "state", "note")
    list_filter = (DoneFilter, "stage")
    list_select_related = ("consent__contact", "consent__purpose__brand")
    ordering = ("expires_at", "id")
    sortable_by = ("ends",)
    fieldsets = ((None, {"fields": ("who", "number", "purpose", "consent_state", "expires_at", "stage")}),)
    editable = ("note",)
    readonly_fields = ("who", "number", "purpose", "consent_state", "done_at")
    empty_list_text = gettext_lazy("Nothing ends soon. The job “remind_expiring” fills this list every morning.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RenewalTask]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["note"]
        if self.has_change_permission(request, obj):
            fields.append("done")
        if obj and obj.done_at:
            fields.append("done_at")
        return (*self.fieldsets, (gettext_lazy("What was done"), {"fields": fields}))

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any) -> HttpResponse:
        context["title"], context["subtitle"] = str(context["original"].consent.contact), None
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("contact"))
    def who(self, task: RenewalTask) -> SafeString:
        return link(task.consent.contact)

    @admin.display(description=gettext_lazy("number"))
    def number(self, task: RenewalTask) -> SafeString:
        return digits(numbers.international(str(task.consent.phone.as_e164)))

    @admin.display(description=gettext_lazy("ends"), ordering="expires_at")
    def ends(self, task: RenewalTask) -> SafeString:
        return digits(stamp(task.expires_at))

    @admin.display(description=gettext_lazy("purpose"))
    def purpose(self, task: RenewalTask) -> SafeString:
        return link(task.consent, task.consent.purpose)

    @admin.display(description=gettext_lazy("consent"))
    def consent_state(self, task: RenewalTask) -> SafeString:
        return status_badge(task.consent)

    @admin.display(description=gettext_lazy("state"))
    def state(self, task: RenewalTask) -> SafeString:
        return badge(_("Done"), "ok") if task.done_at else badge(_("Open"), "warn")
