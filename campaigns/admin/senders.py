"""Senders: where texts come from, with the keywords published on them. Nobody deletes one: texts refer to it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from campaigns.forms import KeywordForm, KeywordFormSet, SenderForm
from campaigns.models import Keyword, Sender
from consent.core.admin import TrackedAdmin
from consent.ledger.admin.words import badge
from consent.ledger.models import Purpose


class KeywordInline(admin.StackedInline):
    """Words on posters and pages that people text here to say yes."""

    model = Keyword
    form = KeywordForm
    formset = KeywordFormSet
    extra = 0
    fields = (("word", "active"), "purpose", "notice")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("purpose__brand", "notice__purpose__brand")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # proofs name it: it is taken out of use


@admin.register(Sender)
class SenderAdmin(TrackedAdmin):
    """An address that texts come from."""

    form = SenderForm
    inlines = (KeywordInline,)
    list_display = (
        "address",
        "brand",
        "type",
        "country",
        "meant_for",
        "replies",
        "gateway",
        "rate_per_second",
        "in_use",
    )
    list_filter = ("brand", "type", "gateway", "active")
    list_select_related = ("brand",)
    sortable_by = ()
    search_fields = ("address", "brand__name")
    empty_list_text = _("No sender yet. Add the short code, number or name your texts come from.")
    fieldsets = (
        (None, {"fields": ("brand", "type", "address", "country", "active")}),
        (_("What it may do"), {"fields": ("kinds", "two_way", "stop_sender")}),
        (_("How it sends"), {"fields": ("gateway", "rate_per_second", ("price_per_part", "currency"))}),
    )
    editable = (
        "brand", "type", "address", "country", "active", "kinds", "two_way", "stop_sender", "gateway",
        "rate_per_second", "price_per_part", "currency",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Sender | None = None) -> list[str]:
        # What was sent from an address stays true: its brand and the address itself never change.
        fixed = ["brand"] if obj and obj.messages.exists() else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("may be used for"))
    def meant_for(self, sender: Sender) -> str:
        return ", ".join(str(Purpose.Kind(kind).label) for kind in sender.kinds if kind in Purpose.Kind.values) or "–"

    @admin.display(description=_("replies"))
    def replies(self, sender: Sender) -> SafeString:
        return badge(_("Received"), "ok") if sender.two_way else badge(_("One way"), "muted")

    @admin.display(description=_("in use"))
    def in_use(self, sender: Sender) -> SafeString:
        return badge(_("In use"), "ok") if sender.active else badge(_("Not in use"), "muted")

    def history_value(self, request: HttpRequest, row: Any, field: Any) -> str:
        if field.name == "kinds":
            return self.meant_for(row)
        return super().history_value(request, row, field)
